//! Arguments that hosts add to a model's own, as data.

use serde_json::{Map, Value};

use crate::declared::Declared;

/// Names that hosts put beside the arguments of a call, and where that is reported. The model did not write them and can't leave them out.
///
/// A name is taken up once a host is known to send it to servers: each one here is a misspelling that would not be found.
#[rustfmt::skip]
const ADDED: &[(&str, &str)] = &[
    // n8n, MCP Client Tool, with its AI Agent and chat trigger; mended in n8n by n8n-io/n8n#23167.
    ("toolCallId", "n8n-io/n8n#21500, n8n-io/n8n#21716"),
    ("sessionId", "mpeirone/zabbix-mcp-server#27, sansan0/TrendRadar#768"),
    ("action", "mpeirone/zabbix-mcp-server#27, sansan0/TrendRadar#768"),
    ("chatInput", "hald/things-mcp#30, sansan0/TrendRadar#768"),
    // Gemini CLI: when its scheduler may start the call.
    ("wait_for_previous", "google-gemini/gemini-cli#27403, MemPalace/mempalace#322"),
    // Gateways and agents that put the request's `_meta` among the arguments, describe the call, or fill in for none.
    ("_meta", "atlassian-labs/mcp-compressor#8, cyanheads/mcp-ts-core#453"),
    ("tool_call_description", "cyanheads/mcp-ts-core#453"),
    ("_as_extra", "cyanheads/mcp-ts-core#453"),
];

/// Passes over what hosts add. What a tool declares is the tool's argument, whatever hosts call theirs.
pub(crate) fn pass_over(arguments: &mut Map<String, Value>, declared: &Declared) {
    let is_added = |name: &str| ADDED.iter().any(|(added, _)| *added == name);
    arguments.retain(|name, _| declared.get(name).is_some() || !is_added(name));
}
