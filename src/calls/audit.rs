//! Changes that charge nobody, in the audit log.

use serde_json::json;
use sevendigital::Client;
use sevendigital_tools::{AnyTool, Prepared, Reply, ToolError};

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
    pub(crate) fn new(tool: &AnyTool, client: &Client, prepared: &Prepared) -> Self {
        Self {
            account: account(client, prepared.target().user_id.as_deref()),
            tool: tool.contract.name,
            arguments: digest(&json!(prepared.canonical()).to_string()),
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
