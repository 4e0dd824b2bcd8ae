//! An entry of ours in a client's file: what of it the client would stumble over.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::connect::{Client, Found};

/// An entry, and the client whose it is.
pub(super) struct Entry {
    pub(super) client: &'static Client,
    pub(super) file: PathBuf,
    pub(super) found: Found,
}

impl Entry {
    /// What it is, for people.
    pub(super) fn shown(&self) -> String {
        let (title, name) = (self.client.title, &self.found.name);
        format!("{title}, `{name}` in `{}`", self.file.display())
    }

    /// Why its program can't be started.
    pub(super) fn program_fault(&self) -> Option<String> {
        let program = self.found.program()?;
        let path = Path::new(program);
        if program.contains("${") {
            return None;
        }
        if !path.is_absolute() {
            // One that is looked up, such as `npx`, is another's; and some clients are started from a shell.
            let is_ours = path
                .file_stem()
                .is_some_and(|name| name == env!("CARGO_PKG_NAME"));
            let in_shell = ["claude-code", "codex", "gemini", "inspector"];
            let is_lost = is_ours && !in_shell.contains(&self.client.name);
            let why = "is no absolute path, and a client that is started from a desktop does not know your shell's";
            return is_lost.then(|| format!("`{program}` {why}"));
        }
        if !path.is_file() {
            return Some(format!("`{program}` does not exist"));
        }
        (!is_executable(path)).then(|| format!("`{program}` can't be executed"))
    }

    /// What of its kind of transport the client would read otherwise.
    pub(super) fn transport_fault(&self) -> Option<String> {
        let (client, (key, _)) = (self.client, self.found.address()?);
        let Some(wanted) = client.address_key() else {
            return Some("it has an address, and this client starts programs only".to_owned());
        };
        if key != wanted {
            return Some(format!(
                "the address stands under `{key}`, and this client takes streamable HTTP from `{wanted}`"
            ));
        }
        let wanted = client.http_type()?;
        match self.found.text("type") {
            Some(word) if word == wanted => None,
            Some(word) => Some(format!("`type` is `{word}`, and has to be `{wanted}`")),
            None => Some(format!(
                "it has no `type`, and needs `\"type\": \"{wanted}\"`"
            )),
        }
    }

    /// A field that the client needs and the entry lacks, or that the client refuses.
    pub(super) fn field_fault(&self) -> Option<String> {
        let has = |key: &str| self.found.value.get(key).is_some();
        match self.client.name {
            "zed" if self.found.program().is_some() && !has("args") => {
                Some("it has no `args`, and Zed reads no entry without".to_owned())
            }
            "codex" if has("bearer_token") => Some(
                "it has `bearer_token`, which Codex refuses: `bearer_token_env_var` names a variable"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// The keys at which a placeholder stands that the client does not fill in.
    pub(super) fn placeholders(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.unfilled("", &self.found.value, &mut found);
        found
    }

    fn unfilled(&self, path: &str, value: &Value, found: &mut Vec<String>) {
        let below = |name: &str| [path, name].join(if path.is_empty() { "" } else { "." });
        match value {
            Value::String(text) if text.contains("${") && !self.client.fills_in(text) => {
                found.push(path.to_owned());
            }
            Value::Array(values) => {
                for value in values {
                    self.unfilled(path, value, found);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.unfilled(&below(name), value, found);
                }
            }
            _ => {}
        }
    }

    /// The state folder that it names, by an argument or a variable.
    pub(super) fn state_folder(&self) -> Option<String> {
        let arguments = self.found.value.get("args").and_then(Value::as_array);
        let mut arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--state-dir") {
                Some("") => return arguments.next().map(str::to_owned),
                Some(folder) => return folder.strip_prefix('=').map(str::to_owned),
                None => {}
            }
        }
        self.variable("SEVENDIGITAL_MCP_STATE_DIR")
            .map(str::to_owned)
    }

    /// Whether it starts a program with the state folder of the settings or of its own.
    pub(super) fn keeps_a_ledger(&self) -> bool {
        let is_sandbox = self.found.value.get("args").and_then(Value::as_array);
        let is_sandbox = is_sandbox.is_some_and(|all| all.iter().any(|word| word == "--sandbox"));
        self.found.program().is_some() && !is_sandbox
    }

    /// Whether it gives its program a key, by a value or by the name of a variable.
    pub(super) fn gives_a_key(&self) -> bool {
        const KEY: &str = "SEVENDIGITAL_CONSUMER_KEY";
        let names = self.found.value.get("env_vars").and_then(Value::as_array);
        let is_named = names.is_some_and(|names| names.iter().any(|name| name == KEY));
        is_named || self.variable(KEY).is_some()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.found.value.get("env")?.get(name)?.as_str()
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

/// Elsewhere the ending of its name says it.
#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}
