//! The command `token new`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::CommandResult;
use crate::digest::{hex, sha256};

/// Makes a bearer token, and prints it with its digest: the token for the client, the digest for this server's file.
pub fn new() -> CommandResult {
    let token = format!("sdmcp_{}", hex(&rand::random::<[u8; 32]>()));
    let digest = hex(&sha256(&token));
    writeln!(
        io::stdout(),
        "token         {token}\ntoken_sha256  {digest}"
    )?;
    writeln!(
        io::stderr(),
        "note: give the token to its caller and `token_sha256` to a `[[principals]]` table of the configuration file; the token is shown this once"
    )?;
    Ok(ExitCode::SUCCESS)
}
