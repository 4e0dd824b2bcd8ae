//! The commands `login` and `logout`: a user grants access in a browser, and the stored token is removed again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _, stdin};
use std::path::Path;
use std::time::Duration;

use sevendigital::{Client, Secret, Token};
use url::Url;

use crate::calls::upstream;
use crate::config::Config;
use crate::config::stored_login::{self, StoredLogin};

use super::callback::{self, Allowed, CallbackListener, LoginError};

type Result<T> = std::result::Result<T, LoginError>;

/// How long the user may take to decide.
const DECISION_MINUTES: u64 = 5;
/// Bytes of a pasted address at most.
const MAX_PASTED: u64 = 8_192;

/// What to do where the platform has no config folder.
pub const NO_FOLDER: &str =
    "there is no folder to store a login in: set HOME, or use `login --print`";

/// The client that logs in for these settings.
pub fn client(config: &Config) -> Result<Client> {
    let needs_key = config.consumer_key.is_none() || config.consumer_secret.is_none();
    let problem = if config.sandbox {
        "`--sandbox` ends with the command, and its tokens with it: start `sevendigital-sandbox` by itself, and log in with SEVENDIGITAL_BASE_URI, SEVENDIGITAL_CONSUMER_KEY and SEVENDIGITAL_CONSUMER_SECRET set to what it prints"
    } else if needs_key {
        "a login needs the key that 7digital gave you: set SEVENDIGITAL_CONSUMER_KEY and SEVENDIGITAL_CONSUMER_SECRET"
    } else {
        return upstream::client(config).map_err(|error| LoginError(error.to_string()));
    };
    Err(LoginError(problem.to_owned()))
}

/// Logs a user in, with a browser that is opened here or by an address that is pasted on stdin.
pub async fn ask(client: &Client, in_browser: bool) -> Result<Token> {
    if in_browser {
        with_browser(client).await
    } else {
        with_pasted_address(client).await
    }
}

/// The page is opened in a browser on this machine, which comes back by itself.
async fn with_browser(client: &Client) -> Result<Token> {
    let listener = CallbackListener::bind().await.map_err(|error| {
        LoginError(format!(
            "127.0.0.1 can't be listened on: {error}; try `login --no-browser`"
        ))
    })?;
    let request_token = client.request_token().await?;
    show(&client.authorise_page(&request_token, &listener.url())?);
    let allowed = in_time(listener.wait(&request_token.token)).await?;
    finish(client, &request_token, &allowed).await
}

/// The address of the page is printed for a browser anywhere, and the user pastes the address that the browser ends on.
async fn with_pasted_address(client: &Client) -> Result<Token> {
    let request_token = client.request_token().await?;
    // Nothing listens there: all that counts is the address that the browser shows.
    let nowhere = format!("http://127.0.0.1{}", callback::path());
    show_for_pasting(&client.authorise_page(&request_token, &nowhere)?);
    let pasted = tokio::task::spawn_blocking(pasted_query);
    let unreadable = |_| LoginError("stdin can't be read".into());
    let query = in_time(async { pasted.await.map_err(unreadable)? }).await?;
    let allowed = callback::read(query.expose(), &request_token.token)?;
    finish(client, &request_token, &allowed).await
}

/// Keeps a token for the commands to come, and says where.
pub fn store(path: &Path, config: &Config, token: Token) -> Result<()> {
    let login = StoredLogin {
        base_uri: config.base_uri.clone(),
        access_token: token.token,
        access_token_secret: token.secret,
    };
    let shown = path.display();
    stored_login::write(path, &login).map_err(|error| {
        LoginError(format!(
            "the login can't be stored in `{shown}`: {error}; `login --print` prints it instead"
        ))
    })?;
    let base_uri = &config.base_uri;
    say(&format!(
        "logged in at {base_uri}; the token is stored in {shown}"
    ));
    if config.access_token.is_some() || config.user_id.is_some() {
        say("note: `access_token` or `user_id` is set as well, and wins over what was stored");
    }
    Ok(())
}

/// Prints a token on stdout, as the two lines that set it in an environment.
pub fn print(token: &Token) -> Result<()> {
    let (token, secret) = (token.token.expose(), token.secret.expose());
    let lines =
        format!("SEVENDIGITAL_ACCESS_TOKEN={token}\nSEVENDIGITAL_ACCESS_TOKEN_SECRET={secret}");
    writeln!(std::io::stdout(), "{lines}")
        .map_err(|error| LoginError(format!("stdout can't be written: {error}")))
}

/// Removes the stored token, and says whether there was one.
pub fn forget(path: &Path) -> Result<()> {
    let shown = path.display();
    let was_there = stored_login::remove(path)
        .map_err(|error| LoginError(format!("`{shown}` can't be removed: {error}")))?;
    say(&if was_there {
        format!("logged out: {shown} is removed")
    } else {
        format!("no user was logged in: there is no {shown}")
    });
    Ok(())
}

/// Prints the address of the page, and opens it in the user's browser.
fn show(page: &Url) {
    say(&format!(
        "Log in at 7digital and allow the access, in the browser that opens now or here:\n\n  {page}\n"
    ));
    let page = page.clone();
    // A text browser runs until the user leaves it, and the callback has to be accepted meanwhile.
    tokio::task::spawn_blocking(move || {
        if webbrowser::open(page.as_str()).is_err() {
            say(
                "No browser could be started: open the address yourself, or use one on another machine with `login --no-browser`.",
            );
        }
    });
}

/// Prints the address of the page, and what to paste.
fn show_for_pasting(page: &Url) {
    say(&format!(
        "Log in at 7digital and allow the access, in any browser:\n\n  {page}\n\nThe browser then ends on a page that it can't show. Paste that page's address here and press Enter:"
    ));
}

/// Writes a line to stderr; that it is closed is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

async fn in_time<T>(decision: impl Future<Output = Result<T>>) -> Result<T> {
    let limit = Duration::from_secs(DECISION_MINUTES * 60);
    let decided = tokio::time::timeout(limit, decision).await;
    decided.unwrap_or_else(|_| {
        Err(LoginError(format!(
            "there was no decision within {DECISION_MINUTES} minutes: run `login` again"
        )))
    })
}

async fn finish(client: &Client, request_token: &Token, allowed: &Allowed) -> Result<Token> {
    let verifier = allowed.as_ref().map(Secret::expose);
    Ok(client.access_token(request_token, verifier).await?)
}

/// The query of the address on the first line of stdin.
fn pasted_query() -> Result<Secret> {
    let mut line = String::new();
    let read = BufReader::new(stdin())
        .take(MAX_PASTED)
        .read_line(&mut line);
    read.map_err(|error| LoginError(format!("stdin can't be read: {error}")))?;
    // Browsers like to hide the scheme, so all up to the query may be missing or odd.
    let (_, query) = line.trim().split_once('?').ok_or_else(|| {
        LoginError("expected the whole address that the browser ended on, such as http://127.0.0.1/callback/…?oauth_token=…&status=…".into())
    })?;
    Ok(query.into())
}
