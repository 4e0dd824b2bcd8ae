//! Hosts that are known to answer questions for their users.

/// The beginning of a client's name in small letters, and where it was reported.
///
/// They declare elicitation, and then decline, or never answer, though nobody saw a question. `confirm_with = "client"` has them asked all the same.
const ANSWER_FOR_THEIR_USERS: &[(&str, &str)] = &[
    // Claude Desktop's agents, Claude Code started by its SDK among them.
    (
        "local-agent-mode-",
        "anthropics/claude-code#96043, anthropics/claude-code#89858",
    ),
    // Claude Desktop and claude.ai; Cowork declares it, and a call hangs for three minutes.
    ("claude-ai", "anthropics/claude-ai-mcp#153"),
    ("cowork", "anthropics/claude-ai-mcp#1046"),
];

/// Whether a client of this name is known to answer for its user.
pub(super) fn answers_for_its_user(client: &str) -> bool {
    let client = client.to_ascii_lowercase();
    let mut known = ANSWER_FOR_THEIR_USERS.iter();
    known.any(|(start, _)| client.starts_with(start))
}
