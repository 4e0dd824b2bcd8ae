//! The audit log: one line for each purchase and each change, with digests in place of arguments.

use sevendigital_tools::{Reply, ToolError};

use super::outcome;
use super::pending::CallKey;
use crate::ledger::{Outcome, State};
use crate::telemetry::metrics;

/// Logs and counts how a purchase ended. One whose unknown outcome is reconciled later is logged a second time then, as done.
pub(super) fn purchase(key: &CallKey, outcome: &Outcome) {
    let (state, tool) = (outcome.state.as_str(), key.tool);
    metrics::charge_ended(state);
    tracing::info!(target: "audit", account = key.account, tool.name = tool, arguments = key.arguments, outcome = state, purchase_id = outcome.purchase_id, "charge by `{tool}`: {state}");
}

/// Logs how a change ended.
pub(super) fn change(key: &CallKey, ended: &Result<Reply, ToolError>) {
    let failed = ended.as_ref().err().map(outcome::failed);
    let state = failed.map_or(State::Done, |failed| failed.state).as_str();
    let tool = key.tool;
    tracing::info!(target: "audit", account = key.account, tool.name = tool, arguments = key.arguments, outcome = state, "change by `{tool}`: {state}");
}
