//! The area `clients`: every MCP client's file, and the entry of this server there.

use std::collections::BTreeMap;

use super::context::Context;
use super::entries::Entry;
use super::finding::{Check, Finding, skipped};
use crate::config::{UserFolders, state_folder};
use crate::connect::{CLIENTS, Client, ClientFile, Syntax, file, files, is_ours};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[
    FILE,
    ENTRY,
    KEY,
    PROGRAM,
    TRANSPORT,
    FIELDS,
    PLACEHOLDERS,
    CREDENTIALS,
    STATE,
    GONE,
    HIDDEN,
];

const FILE: Check = Check {
    id: "clients.file",
    expected: "Every client's file can be read.",
    why: "A client whose file is broken starts no server at all, or drops what it can't read.",
};
const ENTRY: Check = Check {
    id: "clients.entry",
    expected: "It is shown which clients have an entry of this server.",
    why: "A client without an entry does not know of the server.",
};
const KEY: Check = Check {
    id: "clients.key",
    expected: "The entry stands under the key that its client reads.",
    why: "Clients call the list of servers by different names, and pass over another's in silence.",
};
const PROGRAM: Check = Check {
    id: "clients.program",
    expected: "The program of each entry exists and can be executed, by its absolute path.",
    why: "An entry goes stale when the program is moved or built elsewhere; the client then says only that the server failed.",
};
const TRANSPORT: Check = Check {
    id: "clients.transport",
    expected: "An address stands where its client takes streamable HTTP from, with the right `type`.",
    why: "Otherwise the client speaks the older transport, which is answered with HTTP 405.",
};
const FIELDS: Check = Check {
    id: "clients.fields",
    expected: "No entry lacks a field that its client needs, or has one that it refuses.",
    why: "Such an entry is passed over, or stops the client from reading its file.",
};
const PLACEHOLDERS: Check = Check {
    id: "clients.placeholders",
    expected: "No entry has a placeholder that its client does not fill in.",
    why: "The server gets `${NAME}` as it stands there, and takes it for not set.",
};
const CREDENTIALS: Check = Check {
    id: "clients.credentials",
    expected: "The server has its key also where a client starts it.",
    why: "Claude Desktop, Codex and Gemini CLI keep the environment of your shell from the servers that they start.",
};
const STATE: Check = Check {
    id: "clients.state",
    expected: "All clients use one state folder.",
    why: "Two folders are two ledgers: what one client bought the other would buy again.",
};
const GONE: Check = Check {
    id: "clients.gone",
    expected: "No entry that was written is gone.",
    why: "Claude Desktop and Claude Code write their file anew while they run, and drop what was added meanwhile.",
};
const HIDDEN: Check = Check {
    id: "clients.hidden",
    expected: "Every entry is in the file that its client reads.",
    why: "On Windows the packaged Claude Desktop reads a file of its own, and not the one that its menu opens.",
};

/// Looks at the files.
pub(super) fn examine(context: &Context<'_>) -> Vec<Finding> {
    let Some(folders) = UserFolders::of_process() else {
        let why = "There is no home folder to look for clients in.";
        return skipped(CHECKS, why);
    };
    let mut seen = Seen::default();
    seen.look_at_all(&folders);
    let entries = &seen.entries;
    let each = |fault: fn(&Entry) -> Option<String>| faults(entries, fault);
    let anew = "Write it anew: `sevendigital-mcp config CLIENT --write --force`.";
    let placeholders = |entry: &Entry| {
        let keys = entry.placeholders();
        (!keys.is_empty()).then(|| format!("a placeholder stands at {}", keys.join(", ")))
    };
    vec![
        judged(
            &FILE,
            &seen.broken,
            "Correct the file; nothing is written into one that is broken.",
        ),
        shown(entries),
        judged(
            &KEY,
            &seen.misplaced,
            "Move the entry, or write one: `sevendigital-mcp config CLIENT --write`.",
        ),
        judged(&PROGRAM, &each(Entry::program_fault), anew),
        judged(&TRANSPORT, &each(Entry::transport_fault), anew),
        judged(&FIELDS, &each(Entry::field_fault), anew),
        warned(
            &PLACEHOLDERS,
            &each(placeholders),
            "Take the variable out of the entry: the config folder and `sevendigital-mcp login` are read whichever client starts the server.",
        ),
        credentials(context, entries),
        state(context, entries),
        warned(
            &GONE,
            &seen.gone,
            "Quit the client, and write the entry again: `sevendigital-mcp config CLIENT --write`.",
        ),
        warned(
            &HIDDEN,
            &seen.hidden,
            "Write the entry into the other file: `sevendigital-mcp config CLIENT --write`.",
        ),
    ]
}

/// The clients that have an entry.
pub(super) fn connected() -> Vec<&'static Client> {
    let mut seen = Seen::default();
    if let Some(folders) = UserFolders::of_process() {
        seen.look_at_all(&folders);
    }
    let mut clients: Vec<_> = seen.entries.iter().map(|entry| entry.client).collect();
    clients.dedup_by_key(|client| client.name);
    clients
}

/// What is wrong in a client's file.
type Fault = (&'static Client, String);

/// What the files show.
#[derive(Default)]
struct Seen {
    entries: Vec<Entry>,
    broken: Vec<Fault>,
    misplaced: Vec<Fault>,
    gone: Vec<Fault>,
    hidden: Vec<Fault>,
}

impl Seen {
    /// Looks at every client's files. Goose's, which are YAML, are not read.
    fn look_at_all(&mut self, folders: &UserFolders) {
        let read = CLIENTS
            .iter()
            .filter(|client| client.syntax != Syntax::Yaml);
        read.for_each(|client| self.look_at(client, folders));
    }

    fn look_at(&mut self, client: &'static Client, folders: &UserFolders) {
        let read = file(client, folders);
        for path in files(client, folders)
            .into_iter()
            .filter(|path| path.is_file())
        {
            let read_now = ClientFile::read(client, &path);
            let read_now = read_now.and_then(|file| Ok((file.ours()?, file)));
            let (ours, file) = match read_now {
                Ok(all) => all,
                Err(error) => {
                    self.broken.push((client, error.to_string()));
                    continue;
                }
            };
            let (title, shown) = (client.title, path.display());
            let elsewhere = file.entries_elsewhere();
            for (key, found) in elsewhere.iter().filter(|(_, found)| is_ours(found)) {
                let (name, right) = (&found.name, client.key);
                self.misplaced.push((client, format!(
                    "{title}, `{name}` in `{shown}`: it stands under `{key}`, and {title} reads `{right}`"
                )));
            }
            if ours.is_empty() && was_written(client, &path) {
                self.gone.push((
                    client,
                    format!("{title}: the entry that was written into `{shown}` is gone"),
                ));
            }
            if !ours.is_empty() && read.as_ref() != Some(&path) {
                self.hidden.push((
                    client,
                    format!("{title}: `{shown}` has an entry, and another file is read"),
                ));
            }
            let entry = |found| Entry {
                client,
                file: path.clone(),
                found,
            };
            self.entries.extend(ours.into_iter().map(entry));
        }
    }
}

/// Whether the last change that was made here put an entry in: the copy from before it has none.
fn was_written(client: &'static Client, path: &std::path::Path) -> bool {
    let copy = ClientFile::newest_copy(client, path);
    let before = copy.and_then(|copy| copy.ours().ok());
    before.is_some_and(|before| before.is_empty())
}

fn faults(entries: &[Entry], fault: fn(&Entry) -> Option<String>) -> Vec<Fault> {
    let found = entries.iter().filter_map(|entry| {
        let text = format!("{}: {}", entry.shown(), fault(entry)?);
        Some((entry.client, text))
    });
    found.collect()
}

fn shown(entries: &[Entry]) -> Finding {
    let details = entries.iter().map(|entry| {
        let leads_to = entry.found.leads_to().unwrap_or("nothing that is known");
        format!("{}: {leads_to}", entry.shown())
    });
    let what = match entries.len() {
        0 => {
            "No client has an entry; `sevendigital-mcp config --all` lists the clients.".to_owned()
        }
        1 => "One entry is there.".to_owned(),
        count => format!("{count} entries are there."),
    };
    ENTRY.pass(what).with(details)
}

fn judged(check: &'static Check, faults: &[Fault], fix: &str) -> Finding {
    found(check, faults, fix, Check::fail)
}

fn warned(check: &'static Check, faults: &[Fault], fix: &str) -> Finding {
    found(check, faults, fix, Check::warn)
}

/// A finding about entries and files. Where one client alone is concerned, `CLIENT` in what to type is its name.
fn found(
    check: &'static Check,
    faults: &[Fault],
    fix: &str,
    judge: fn(&'static Check, String, String) -> Finding,
) -> Finding {
    let Some((client, text)) = faults.first() else {
        return check.pass(check.expected);
    };
    let is_one = faults.iter().all(|(other, _)| other.name == client.name);
    let fix = if is_one {
        fix.replace("CLIENT", client.name)
    } else {
        fix.to_owned()
    };
    if faults.len() == 1 {
        return judge(check, format!("{text}."), fix);
    }
    let details = faults.iter().map(|(_, text)| text.clone());
    judge(check, format!("{} entries or files:", faults.len()), fix).with(details)
}

/// A key that comes from this shell's environment alone does not reach every client's server.
fn credentials(context: &Context<'_>, entries: &[Entry]) -> Finding {
    let Ok(config) = context.loaded else {
        return CREDENTIALS.skip("The settings can't be read.");
    };
    let mut origins = config.origins.iter();
    let key = origins.find(|origin| origin.path == "consumer_key");
    if !key.is_some_and(|key| key.source.starts_with("environment")) {
        return CREDENTIALS.pass("The key does not come from this shell alone.");
    }
    let strict = ["claude-desktop", "codex", "gemini"];
    let without = entries.iter().filter(|entry| {
        strict.contains(&entry.client.name) && entry.keeps_a_ledger() && !entry.gives_a_key()
    });
    let without: Vec<Fault> = without
        .map(|entry| {
            let shown = entry.shown();
            let text = format!("{shown}: it names no key, and this shell's does not reach it");
            (entry.client, text)
        })
        .collect();
    let fix = "Write `consumer_key` and `consumer_secret` into the configuration file (see `files.config`), which every client's server reads.";
    warned(&CREDENTIALS, &without, fix)
}

fn state(context: &Context<'_>, entries: &[Entry]) -> Finding {
    // Where an entry names none.
    let own = context
        .loaded
        .ok()
        .and_then(|config| config.state_dir.clone());
    let own = own.or_else(state_folder).unwrap_or_default();
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.keeps_a_ledger()) {
        let folder = entry.state_folder();
        let folder = folder.unwrap_or_else(|| own.display().to_string());
        folders
            .entry(folder)
            .or_default()
            .push(entry.client.title.to_owned());
    }
    if folders.len() < 2 {
        return STATE.pass(STATE.expected);
    }
    let details = folders
        .iter()
        .map(|(folder, clients)| format!("{}: {folder}", clients.join(", ")));
    let fix = "Take `--state-dir` and `SEVENDIGITAL_MCP_STATE_DIR` out of the entries, and set `state_dir` in the configuration file.";
    let what = format!("The clients use {} state folders.", folders.len());
    STATE.fail(what, fix).with(details)
}
