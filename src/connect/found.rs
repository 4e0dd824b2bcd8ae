//! Entries that a client's file has already.

use std::path::Path;

use serde_json::Value;

use super::entry::{NAME, SANDBOX_NAME};

/// An entry of a client's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// What stands there, as JSON whatever the file is written in. It may hold secrets: [`shown`](Self::shown) has none.
    pub value: Value,
}

impl Found {
    /// The program that it starts, if it starts one.
    pub fn program(&self) -> Option<&str> {
        let mut keys = ["command", "cmd"].into_iter();
        keys.find_map(|key| self.text(key))
    }

    /// The address that it leads to, if it has one, after the key under which this client has it.
    pub fn address(&self) -> Option<(&'static str, &str)> {
        let mut keys = ["url", "httpUrl", "serverUrl", "uri"].into_iter();
        keys.find_map(|key| Some((key, self.text(key)?)))
    }

    /// The program that it starts, or the address that it leads to.
    pub fn leads_to(&self) -> Option<&str> {
        let address = || self.address().map(|(_, address)| address);
        self.program().or_else(address)
    }

    /// Whether it starts this server with its sandbox, by its name or its arguments.
    pub fn is_sandbox(&self) -> bool {
        let arguments = self.value.get("args").and_then(Value::as_array);
        let mut arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
        let asks = arguments.any(|argument| ["--sandbox", "--sandbox=true"].contains(&argument));
        asks || self.name == SANDBOX_NAME
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key)?.as_str()
    }

    /// The entry as people may see it: JSON over several lines, each secret hidden.
    pub fn shown(&self) -> String {
        let mut value = self.value.clone();
        hide_secrets(&mut value, false);
        format!("{value:#}")
    }
}

/// Whether an entry is for this server: by its name, or by the program that it starts.
pub fn is_ours(found: &Found) -> bool {
    let program = found.leads_to().and_then(|program| {
        let name = program.rsplit(['/', '\\']).next()?;
        Path::new(name).file_stem()?.to_str()
    });
    [NAME, SANDBOX_NAME].contains(&&*found.name) || program == Some(env!("CARGO_PKG_NAME"))
}

/// Hides what stands in variables and headers, but for references, and what looks like a header elsewhere.
fn hide_secrets(value: &mut Value, is_secret: bool) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = key.to_ascii_lowercase();
                let kinds = ["env", "header", "token"];
                let holds = kinds.iter().any(|kind| key.contains(kind));
                let names = ["env_vars", "env_keys", "bearer_token_env_var"];
                let is_secret = is_secret || (holds && !names.contains(&&*key));
                hide_secrets(value, is_secret);
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| hide_secrets(value, is_secret)),
        Value::String(text) => {
            let is_header = text.contains("Bearer ") || text.contains("Authorization");
            if (is_secret || is_header) && !text.contains("${") {
                "[hidden]".clone_into(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
