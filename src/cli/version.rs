//! What `--version` says: version, commit, revisions of the protocol, features.

use rmcp::model::ProtocolVersion;

/// The version alone stands on the first line, for programs that look for it.
pub(super) fn long() -> String {
    let commit = option_env!("BUILD_COMMIT");
    let commit = commit.map(|commit| format!("\ncommit    {commit}"));
    let revisions = ProtocolVersion::KNOWN_VERSIONS.iter().rev();
    let revisions: Vec<_> = revisions.map(ProtocolVersion::as_str).collect();
    let features = [("otlp", cfg!(feature = "otlp"))];
    let features = features.iter().filter(|(_, is_on)| *is_on);
    let features: Vec<_> = features.map(|(name, _)| *name).collect();
    let features = if features.is_empty() {
        "none".to_owned()
    } else {
        features.join(", ")
    };
    format!(
        "{}{}\nprotocol  MCP {}\nfeatures  {features}",
        env!("CARGO_PKG_VERSION"),
        commit.unwrap_or_default(),
        revisions.join(", "),
    )
}
