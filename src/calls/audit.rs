//! The audit log: one line for each purchase and each change, with digests in place of arguments.

use sevendigital_tools::{Reply, ToolError};

use super::call_key::CallKey;
use super::outcome;
use crate::ledger::{Outcome, State};
use crate::telemetry::metrics;

/// Logs and counts how a purchase ended. One whose unknown outcome is reconciled later is logged a second time then, as done.
pub(super) fn purchase(key: &CallKey, outcome: &Outcome) {
    let state = outcome.state.as_str();
    metrics::charge_ended(state);
    let CallKey {
        account,
        arguments,
        tool,
    } = key;
    let purchase_id = outcome.purchase_id.as_deref();
    tracing::info!(target: "audit", account, tool.name = tool, arguments, outcome = state, purchase_id, "charge by `{tool}`: {state}");
}

/// Logs how a change ended.
pub(super) fn change(key: &CallKey, ended: &Result<Reply, ToolError>) {
    let state = match ended {
        Ok(_) => State::Done,
        Err(error) => outcome::state(error),
    };
    let state = state.as_str();
    let CallKey {
        account,
        arguments,
        tool,
    } = key;
    tracing::info!(target: "audit", account, tool.name = tool, arguments, outcome = state, "change by `{tool}`: {state}");
}
