//! The command `config`: an entry for an MCP client is printed, written into its file or taken out of it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, absolute};
use std::process::{Command, ExitCode};

use super::args::Connect;
use super::{CommandResult, terminal};
use crate::config::{Config, Layers, UserFolders};
use crate::connect::{
    CLIENTS, Client, ClientFile, ConnectError, Entry, Found, NAME, SANDBOX_NAME, Server, Transport,
    file, is_installed, link,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Carries out the command.
pub fn run(layers: &Layers, options: &Connect) -> CommandResult {
    let no_home = "there is no home folder to look for clients in: set HOME";
    let folders = UserFolders::of_process().ok_or(no_home)?;
    let Some(client) = options.client else {
        return list(&folders);
    };
    if options.remove {
        return Ok(finish(remove(client, &folders, name(layers), options)));
    }
    let server = server(layers, options)?;
    let entry = Entry::new(client, &server)?;
    if options.write {
        return Ok(finish(write(client, &folders, &server, &entry, options)));
    }
    let mut out = io::stdout().lock();
    if options.link {
        writeln!(out, "{}", link(client, &server, &entry)?)?;
    } else {
        write!(out, "{}", client.block(server.name, &entry)?)?;
        tell_where(client, &folders, &server, &entry)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What could not be done is told here, since it is no wrong use of the command.
fn finish(done: Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        terminal::error(error);
        ExitCode::FAILURE
    })
}

/// What the entry is called.
fn name(layers: &Layers) -> &'static str {
    let mut flags = layers.flags.iter();
    if flags.any(|(setting, _)| setting.key == "sandbox") {
        SANDBOX_NAME
    } else {
        NAME
    }
}

/// What the entry leads to.
fn server(layers: &Layers, options: &Connect) -> Result<Server> {
    let has_settings = layers.named_file().is_some() || !layers.flags.is_empty();
    // Wrong settings are told now, and not when the client starts the server.
    let config = (has_settings || options.http).then(|| Config::load_unsigned(layers));
    let config = config.transpose()?;
    let transport = match config.filter(|_| options.http) {
        Some(config) => {
            let mut address = config.bind;
            if address.ip().is_unspecified() {
                address.set_ip(Ipv4Addr::LOCALHOST.into());
            }
            let url = format!("http://{address}/mcp");
            Transport::Http { url }
        }
        None => Transport::Stdio {
            program: std::env::current_exe()?,
            arguments: arguments(layers)?,
        },
    };
    Ok(Server {
        name: name(layers),
        transport,
        with_env: options.with_env,
    })
}

/// `stdio`, the file that was named and the flags that were given. Paths become absolute, since clients start programs in any folder.
fn arguments(layers: &Layers) -> Result<Vec<String>> {
    let whole = |path: &Path| -> Result<String> {
        let path = absolute(path)?.into_os_string().into_string();
        path.map_err(|_| "a path of a client's entry must be text".into())
    };
    let mut arguments = vec!["stdio".to_owned()];
    // A client has no environment that names it.
    if let Some(file) = layers.named_file() {
        arguments.extend(["--config".to_owned(), whole(&file)?]);
    }
    for (setting, value) in &layers.flags {
        let Some(flag) = &setting.flag else { continue };
        arguments.push(match (setting.key.as_str(), value.as_str()) {
            ("state_dir", folder) => format!("{flag}={}", whole(Path::new(folder))?),
            _ if setting.value.is_none() => flag.clone(),
            (_, value) => format!("{flag}={value}"),
        });
    }
    Ok(arguments)
}

/// Says on stderr where the printed entry goes.
fn tell_where(
    client: &'static Client,
    folders: &UserFolders,
    server: &Server,
    entry: &Entry,
) -> Result<()> {
    if let Some(path) = file(client, folders) {
        let (title, path) = (client.title, path.display());
        terminal::note(format!("this is for {title}'s file `{path}`"));
    }
    if let Some(program) = client.own_command {
        let add = own_arguments(server.name, entry)?.map(|word| quoted(&word));
        terminal::note(format!("or run {program} {}", add.join(" ")));
    }
    Ok(())
}

/// Writes the entry into the client's file.
fn write(
    client: &'static Client,
    folders: &UserFolders,
    server: &Server,
    entry: &Entry,
    options: &Connect,
) -> Result<ExitCode> {
    let (file, name) = (client_file(client, folders)?, server.name);
    let (title, path) = (client.title, file.path.display());
    let mut out = io::stdout().lock();
    let there = file.entry(name)?;
    let wanted = Found {
        name: name.to_owned(),
        value: entry.value(),
    };
    match &there {
        Some(there) if *there == wanted => {
            writeln!(out, "{title} has this `{name}` already, in {path}")?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(there) => {
            let difference = difference(&there.shown(), &wanted.shown());
            writeln!(
                io::stderr(),
                "{title} has another `{name}`, in {path}:\n{difference}"
            )?;
            if !options.force {
                let command = format!("config {} --write", client.name);
                return Err(format!(
                    "nothing was changed: with `--force`, `{command}` replaces the entry"
                )
                .into());
            }
        }
        None => {}
    }
    let add = own_arguments(name, entry)?;
    let remove = there.is_some().then(|| own_removal(name));
    let commands = remove.iter().map(|words| &words[..]).chain([&add[..]]);
    if run_own(client, commands)? {
        writeln!(out, "{title} has added `{name}` by its own command")?;
        return Ok(ExitCode::SUCCESS);
    }
    ask_to_quit(client, options)?;
    let copy = file.edit(|client, text| client.with_entry(text, name, entry))?;
    writeln!(out, "wrote `{name}` into {path}")?;
    tell_copy(copy.as_deref())?;
    writeln!(out, "start {title} anew, or load its MCP servers anew")?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the entry out of the client's file.
fn remove(
    client: &'static Client,
    folders: &UserFolders,
    name: &str,
    options: &Connect,
) -> Result<ExitCode> {
    let file = client_file(client, folders)?;
    let (title, path) = (client.title, file.path.display());
    let mut out = io::stdout().lock();
    if file.entry(name)?.is_none() {
        writeln!(out, "{title} has no `{name}`, in {path}")?;
        return Ok(ExitCode::SUCCESS);
    }
    if run_own(client, [&own_removal(name)[..]].into_iter())? {
        writeln!(out, "{title} has removed `{name}` by its own command")?;
        return Ok(ExitCode::SUCCESS);
    }
    ask_to_quit(client, options)?;
    let copy = file.edit(|client, text| client.without_entry(text, name))?;
    writeln!(out, "removed `{name}` from {path}")?;
    tell_copy(copy.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn client_file(client: &'static Client, folders: &UserFolders) -> Result<ClientFile> {
    let path = file(client, folders);
    let title = client.title;
    let path = path.ok_or_else(|| format!("{title} is not known to run on this system"))?;
    Ok(ClientFile::read(client, &path)?)
}

fn tell_copy(copy: Option<&Path>) -> io::Result<()> {
    let Some(copy) = copy else { return Ok(()) };
    writeln!(io::stdout(), "the file as it was: {}", copy.display())
}

/// A client that rewrites its file would drop the change. Without a terminal it is said, and nobody is asked.
fn ask_to_quit(client: &Client, options: &Connect) -> Result<()> {
    let title = client.title;
    if !client.rewrites_file {
        return Ok(());
    }
    let reason = format!("{title} writes its file anew while it runs, and would drop the change");
    if options.never_asks || !terminal::is_there() {
        terminal::note(format!("{reason}: it must not be running now"));
    } else if !terminal::says_yes(&format!("{reason}. Is it quit?"))? {
        return Err(format!("nothing was changed: quit {title} first").into());
    }
    Ok(())
}

/// Runs the client's own program; `false` where there is none.
fn run_own<'a>(client: &Client, commands: impl Iterator<Item = &'a [String]>) -> Result<bool> {
    let Some(program) = client.own_command else {
        return Ok(false);
    };
    for arguments in commands {
        let output = match Command::new(program).args(arguments).output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            output => output?,
        };
        if !output.status.success() {
            let problem = String::from_utf8_lossy(&output.stderr);
            let (words, problem) = (arguments.join(" "), problem.trim());
            let problem = format!("`{program} {words}` failed: {problem}");
            return Err(ConnectError(problem).into());
        }
    }
    Ok(true)
}

fn own_arguments(name: &str, entry: &Entry) -> Result<[String; 6]> {
    let json = serde_json::to_string(entry)?;
    Ok(["mcp", "add-json", name, &json, "--scope", "user"].map(str::to_owned))
}

fn own_removal(name: &str) -> [String; 5] {
    ["mcp", "remove", name, "--scope", "user"].map(str::to_owned)
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The lines of two texts: what goes with `-`, what comes with `+`, and what stays around them.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let head = same(&mut before.iter().zip(&after));
    let tail = same(&mut before.iter().rev().zip(after.iter().rev()));
    let tail = tail.min(before.len().min(after.len()) - head);
    let mut lines = String::new();
    let mut add = |mark: &str, texts: &[&str]| {
        for text in texts {
            let _ = writeln!(lines, "{mark} {text}");
        }
    };
    let (old, new) = (before.len() - tail, after.len() - tail);
    add(" ", before.get(..head).unwrap_or_default());
    add("-", before.get(head..old).unwrap_or_default());
    add("+", after.get(head..new).unwrap_or_default());
    add(" ", before.get(old..).unwrap_or_default());
    lines
}

/// Lists the clients: whether each is installed, its file, and its entries of this server.
fn list(folders: &UserFolders) -> CommandResult {
    let mut out = io::stdout().lock();
    for client in &CLIENTS {
        let (name, path) = (client.name, file(client, folders));
        let is_here = is_installed(client, folders);
        let state = if is_here { "installed" } else { "not found" };
        let shown = path.as_ref().map(|path| path.display().to_string());
        writeln!(out, "{name:<15} {state:<10} {}", shown.unwrap_or_default())?;
        let Some(path) = path.filter(|path| path.exists()) else {
            continue;
        };
        match ClientFile::read(client, &path).and_then(|file| file.ours()) {
            Ok(ours) => {
                for found in ours {
                    let leads_to = found.leads_to().unwrap_or("nothing that is known");
                    writeln!(out, "{:<15} has `{}`: {leads_to}", "", found.name)?;
                }
            }
            Err(error) => writeln!(out, "{:<15} {error}", "")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
