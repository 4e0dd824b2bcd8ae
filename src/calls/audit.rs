//! Changes that charge nobody, in the audit log.

use serde_json::Value;
use sevendigital::Client;
use sevendigital_tools::tool::Arguments;
use sevendigital_tools::{AnyTool, Reply, ToolError};

use super::fingerprint::{account, digest};
use super::purchase::state;
use crate::ledger::State;

/// A change that charges nobody, as the audit log names it.
pub(crate) struct Change {
    account: String,
    tool: &'static str,
    arguments: String,
}

impl Change {
    pub(crate) fn new(tool: &AnyTool, client: &Client, arguments: &Arguments) -> Self {
        let mut shown = arguments.clone();
        // A digest of a password could be guessed at.
        if let Some(Value::Object(body)) = shown.get_mut("body") {
            body.remove("password");
        }
        Self {
            account: account(client, arguments),
            tool: tool.contract.name,
            arguments: digest(&Value::Object(shown).to_string()),
        }
    }

    /// Writes its outcome into the audit log.
    pub(crate) fn audit(&self, outcome: &Result<Reply, ToolError>) {
        let Self {
            account,
            tool,
            arguments,
        } = self;
        let outcome = match outcome {
            Ok(_) => State::Done,
            Err(error) => state(error),
        };
        let outcome = outcome.as_str();
        tracing::info!(target: "audit", account, tool.name = tool, arguments, outcome, "change by `{tool}`: {outcome}");
    }
}
