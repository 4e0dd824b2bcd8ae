//! The command `tools`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::CommandResult;
use crate::calls::Registry;
use crate::config::{Config, HintSet};
use crate::mcp::tool_list::describe;

/// Prints the tools, for people or as the contracts that clients see.
pub fn run(config: &Config, json: bool) -> CommandResult {
    let registry = Registry::new(config);
    let mut out = io::stdout().lock();
    if json {
        let tools = registry.tools().iter();
        let tools: Vec<_> = tools.map(|tool| describe(tool, config.hints)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&tools)?)?;
    } else {
        for tool in registry.tools() {
            let effect = tool.contract.upstream.effect.as_str();
            let (name, title) = (tool.contract.name, tool.contract.title);
            writeln!(out, "{name:<33}{effect:<9}{title}")?;
        }
    }
    if config.hints == HintSet::Published {
        writeln!(
            io::stderr(),
            "note: `hints = published` tells clients that purchases are read-only"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
