//! The command `tools`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::{CommandResult, table, terminal};
use crate::calls::Registry;
use crate::config::{Config, HintSet};
use crate::mcp::tool_list::describe;

/// The columns of the table; callers are granted scopes, so they come first.
const HEADINGS: [&str; 4] = ["SCOPE", "TOOL", "EFFECT", "WHAT IT DOES"];

/// Prints the tools, for people or as the contracts that clients see.
pub fn run(config: &Config, json: bool) -> CommandResult {
    let registry = Registry::new(config);
    if json {
        let tools = registry.tools().iter();
        let tools: Vec<_> = tools.map(|tool| describe(tool, config.hints)).collect();
        writeln!(
            io::stdout().lock(),
            "{}",
            serde_json::to_string_pretty(&tools)?
        )?;
    } else {
        let mut tools: Vec<_> = registry.tools().iter().map(|tool| tool.contract).collect();
        tools.sort_by_key(|contract| contract.scope);
        let rows = tools.iter().map(|contract| {
            let effect = contract.upstream.effect.as_str();
            let scope = contract.scope.as_str();
            [scope, contract.name, effect, contract.summary].map(str::to_owned)
        });
        let table = table::whole(&HEADINGS, rows, terminal::width());
        write!(anstream::stdout().lock(), "{table}")?;
    }
    if config.hints == HintSet::Published {
        terminal::note("`hints = published` tells clients that purchases are read-only");
    }
    Ok(ExitCode::SUCCESS)
}
