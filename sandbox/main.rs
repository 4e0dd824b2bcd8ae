//! Runs the sandbox by itself: `sevendigital-sandbox [ADDRESS]`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use sevendigital_sandbox::{Sandbox, demo};

const DEFAULT_ADDRESS: &str = "127.0.0.1:9070";
const HELP: &str = "\
A stateful stand-in for 7digital's user API, in memory and on loopback, that checks signatures.

Usage: sevendigital-sandbox [ADDRESS]

ADDRESS is a loopback address with a port, by default 127.0.0.1:9070; port 0 means any free one.
Nothing is kept from one run to the next. Ctrl-C ends it.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = match arguments.as_slice() {
        [] => DEFAULT_ADDRESS,
        [flag] if flag == "--help" || flag == "-h" => {
            let _ = writeln!(std::io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        [address] => address,
        _ => {
            say(HELP);
            return ExitCode::from(2);
        }
    };
    let Ok(address) = address.parse::<SocketAddr>() else {
        say(&format!(
            "error: expected an address such as `{DEFAULT_ADDRESS}`, found `{address}`"
        ));
        return ExitCode::from(2);
    };
    match run(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(address: SocketAddr) -> std::io::Result<()> {
    let sandbox = Sandbox::bind(address).await?;
    say(&format!("listening on {}", sandbox.base_uri()));
    let credentials = [
        ("consumer key", demo::CONSUMER_KEY),
        ("consumer secret", demo::CONSUMER_SECRET),
        ("access token", demo::ACCESS_TOKEN),
        ("access token secret", demo::ACCESS_TOKEN_SECRET),
        ("user id", demo::USER_ID),
        ("e-mail", demo::EMAIL),
        ("password", demo::PASSWORD),
        ("country", demo::COUNTRY),
    ];
    for (name, value) in credentials {
        say(&format!("  {name:<20} {value}"));
    }
    tokio::signal::ctrl_c().await
}

/// Writes a line to stderr; a closed stderr is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
