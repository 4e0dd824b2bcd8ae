//! The command `setup`: asks for what is missing, or takes it from flags, and writes it where it belongs.
//!
//! `answers` finds the values for the configuration file, `credentials` key and secret among them. Then come a login and the clients; the caller runs the doctor last.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::args::{Connect, Setup};
use super::{connect, login, terminal};
use crate::config::{Config, Layers, SETTINGS, UserFolders, own_file};
use crate::connect::{CLIENTS, Client, Syntax, file, is_installed, ours};

use self::answers::Decided;
use self::asks::Asks;

mod answers;
mod asks;
mod credentials;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What was set up.
#[derive(Debug)]
pub struct Done {
    /// The layers to look at from here on.
    pub layers: Layers,
    /// Whether a step failed. What stopped it was written to stderr.
    has_failed: bool,
    /// What clients are called that start this server now.
    connected: Vec<&'static str>,
}

/// Sets up what is missing, as far as the person or the flags want it.
pub async fn run(mut layers: Layers, options: &Setup) -> Result<Done> {
    let path = layers.own_file().ok_or(login::NO_FOLDER)?;
    let folders = UserFolders::of_process().ok_or(login::NO_FOLDER)?;
    // Whatever else is wrong with the settings is reported now, and not after all questions.
    let config = Config::given(&layers)?;
    if config.sandbox {
        check_beside_sandbox(options)?;
        add_sandbox_flag(&mut layers);
    }
    let decided = Decided::new(&mut layers, &config, options)?;
    let unconnected = if options.connect.is_empty() {
        unconnected(&folders, &config)
    } else {
        Vec::new()
    };
    let asks = who_is_asked(&decided, &unconnected, options)?;
    if !config.sandbox {
        let values = answers::values(&decided, options, asks, &path).await?;
        if !values.is_empty() {
            own_file::set(&path, &values)?;
            let keys: Vec<&str> = values.iter().map(|(key, _)| *key).collect();
            let (keys, path) = (keys.join(", "), path.display());
            writeln!(io::stdout(), "wrote {keys} into {path}")?;
        }
    }
    let mut has_failed = false;
    if decided.logs_in(options, asks).await? {
        has_failed |= !log_in(&layers).await?;
    }
    for client in clients(options, asks, &unconnected, &folders).await? {
        has_failed |= !add(&layers, client, asks).await?;
    }
    let connected = connected(&folders, &config);
    Ok(Done {
        layers,
        has_failed,
        connected,
    })
}

/// Says in one sentence what to do next, and returns the exit code: that of the doctor, unless a step failed before.
pub fn finish(done: &Done, doctor: ExitCode) -> Result<ExitCode> {
    let config = Config::given(&done.layers);
    let has_user = config.is_ok_and(|config| config.sandbox || config.has_user());
    let is_logged_in = done.layers.credentials.as_ref();
    let is_logged_in = has_user || is_logged_in.is_some_and(|path| path.exists());
    let login = if is_logged_in {
        ""
    } else {
        "log in with `sevendigital-mcp login`, "
    };
    let start = start(&done.connected);
    writeln!(
        io::stdout(),
        "\nNow {login}{start}, and say to the agent: \"What music do I own at 7digital?\""
    )?;
    Ok(if done.has_failed {
        ExitCode::FAILURE
    } else {
        doctor
    })
}

/// The sandbox has a key, a user and a country of its own, and is no setting of the file.
fn check_beside_sandbox(options: &Setup) -> Result<()> {
    let flags = [
        (options.consumer_key.is_some(), "`--consumer-key`"),
        (
            options.consumer_secret_file.is_some(),
            "`--consumer-secret-file`",
        ),
        (options.country.is_some(), "`--country`"),
        (!options.confirm_with.is_empty(), "`--confirm-with`"),
        (options.login, "`--login`"),
    ];
    let given = flags.into_iter().filter(|(is_given, _)| *is_given);
    let given: Vec<&str> = given.map(|(_, flag)| flag).collect();
    if given.is_empty() {
        return Ok(());
    }
    let given = given.join(", ");
    Err(format!("the sandbox needs no login, and setting it up stores nothing but entries of clients: leave out {given}, or the sandbox").into())
}

/// Entries are made of flags, whichever layer the sandbox comes from.
fn add_sandbox_flag(layers: &mut Layers) {
    layers.flags.retain(|(setting, _)| setting.key != "sandbox");
    let setting = SETTINGS.iter().find(|setting| setting.key == "sandbox");
    let flag = setting.map(|setting| (setting, "true".to_owned()));
    layers.flags.extend(flag);
}

/// Without a terminal everything must be decided, or be left out by `--yes`.
fn who_is_asked(
    decided: &Decided,
    unconnected: &[&'static Client],
    options: &Setup,
) -> Result<Asks> {
    if options.yes {
        return Ok(Asks::Nobody);
    }
    if terminal::is_there() {
        return Ok(Asks::Person);
    }
    let mut missing: Vec<String> = decided.missing(options);
    if !unconnected.is_empty() {
        let names: Vec<&str> = unconnected.iter().map(|client| client.name).collect();
        missing.push(format!("`--connect CLIENT` ({})", names.join(", ")));
    }
    if missing.is_empty() {
        return Ok(Asks::Nobody);
    }
    let missing = missing.join(", ");
    Err(format!("there is no terminal to ask on: add {missing}; or add `--yes`, which leaves out what no flag gives").into())
}

/// Logs in as `login` does; says whether that succeeded.
async fn log_in(layers: &Layers) -> Result<bool> {
    let path = layers.credentials.as_ref().ok_or(login::NO_FOLDER)?;
    // What is stored already may be broken, and is about to be replaced.
    let fresh = Layers {
        credentials: None,
        ..layers.clone()
    };
    let config = Config::load(&fresh)?;
    let token = match login::client(&config) {
        Ok(client) => login::ask(&client, config.has_browser || !terminal::is_there()).await,
        Err(error) => Err(error),
    };
    let stored = token.and_then(|token| login::store(path, &config, token));
    if let Err(error) = &stored {
        terminal::error(error);
    }
    Ok(stored.is_ok())
}

/// The clients to connect: those that flags name, else those that the person agrees to.
async fn clients(
    options: &Setup,
    asks: Asks,
    unconnected: &[&'static Client],
    folders: &UserFolders,
) -> Result<Vec<&'static Client>> {
    let mut chosen = options.connect.clone();
    if asks == Asks::Person {
        for &client in unconnected {
            let title = client.title;
            let path = file(client, folders).unwrap_or_default();
            let question = format!("Connect {title}, in its file {}?", path.display());
            if terminal::asks_yes(&question).await? {
                chosen.push(client);
            }
        }
    }
    Ok(chosen)
}

/// Writes the entry into the client's file as `config CLIENT --write` does; says whether that succeeded.
async fn add(layers: &Layers, client: &'static Client, asks: Asks) -> Result<bool> {
    let options = Connect {
        client: Some(client),
        all: false,
        http: false,
        with_env: false,
        write: true,
        remove: false,
        link: false,
        force: false,
        never_asks: asks == Asks::Nobody,
    };
    let layers = layers.clone();
    // It may ask, and is to be left by Ctrl-C all the same.
    let written = tokio::task::spawn_blocking(move || {
        let written = connect::run(&layers, &options);
        written.map_err(|error| error.to_string())
    });
    match written.await? {
        Ok(code) => Ok(code == ExitCode::SUCCESS),
        Err(error) => {
            terminal::error(error);
            Ok(false)
        }
    }
}

/// The clients that are installed here, can be written, and have no such entry of this server.
fn unconnected(folders: &UserFolders, config: &Config) -> Vec<&'static Client> {
    let clients = CLIENTS.iter();
    let installed = clients
        .filter(|client| client.syntax != Syntax::Yaml)
        .filter(|client| is_installed(client, folders));
    // One whose file can't be read can't be written either; the doctor says why.
    installed
        .filter(|client| has_entry(client, folders, config) == Some(false))
        .collect()
}

fn connected(folders: &UserFolders, config: &Config) -> Vec<&'static str> {
    let connected = CLIENTS.iter();
    let connected = connected.filter(|client| has_entry(client, folders, config) == Some(true));
    connected.map(|client| client.title).collect()
}

/// Whether the client's file has an entry of this server, with or without the sandbox as the settings have it; nothing where that can't be read.
fn has_entry(client: &'static Client, folders: &UserFolders, config: &Config) -> Option<bool> {
    let mut ours = ours(client, folders)?.into_iter();
    Some(ours.any(|found| found.is_sandbox() == config.sandbox))
}

/// What to do so that a client starts this server.
fn start(connected: &[&str]) -> String {
    match connected {
        [] => "connect a client with `sevendigital-mcp config CLIENT --write`".to_owned(),
        [_, _, _, _, ..] => "start your MCP clients anew".to_owned(),
        few => format!("start {} anew", few.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sentence_names_few_clients_and_not_many() {
        let clients = ["Cursor", "Zed", "Codex", "Cline"];
        let rows = [
            (
                0,
                "connect a client with `sevendigital-mcp config CLIENT --write`",
            ),
            (1, "start Cursor anew"),
            (3, "start Cursor or Zed or Codex anew"),
            (4, "start your MCP clients anew"),
        ];
        for (count, expected) in rows {
            assert_eq!(start(&clients[..count]), expected);
        }
    }
}
