//! Faults in the files of MCP clients, each found by the name of its finding.

use std::fs;

use serde_json::Value;
use sevendigital_mcp::connect::{CLIENTS, Syntax};

use super::{Patient, set_mode};

const DESKTOP: &str = ".config/Claude/claude_desktop_config.json";
const CLAUDE_CODE: &str = ".claude.json";
const VSCODE: &str = ".config/Code/User/mcp.json";
const CURSOR: &str = ".cursor/mcp.json";
const ZED: &str = ".config/zed/settings.json";
const CODEX: &str = ".codex/config.toml";
const GEMINI: &str = ".gemini/settings.json";
const CLINE: &str = ".cline/data/settings/cline_mcp_settings.json";
const OLD_CLINE: &str =
    ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json";
const COPY: &str = ".config/Claude/claude_desktop_config.json.20261126-010203-004.bak";

/// A fault, the files with it, and id and status of its finding. `PROGRAM` stands for one that can be started, `DATA` for a file that can't.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const PLANTED: [Row; 20] = [
    ("a stale entry", &[(DESKTOP, r#"{"mcpServers": {"sevendigital": {"command": "/gone/sevendigital-mcp", "args": ["stdio"]}}}"#)], "clients.program", "fail"),
    ("a program that can't be executed", &[(CURSOR, r#"{"mcpServers": {"sevendigital": {"command": "DATA", "args": ["stdio"]}}}"#)], "clients.program", "fail"),
    ("a program that is looked up", &[(ZED, r#"{"context_servers": {"x": {"command": "sevendigital-mcp", "args": ["stdio"]}}}"#)], "clients.program", "fail"),
    ("the same from a shell", &[(CLAUDE_CODE, r#"{"mcpServers": {"x": {"command": "sevendigital-mcp", "args": ["stdio"]}}}"#)], "clients.program", "pass"),
    ("a broken file", &[(DESKTOP, r#"{"mcpServers": {,}}"#)], "clients.file", "fail"),
    ("another client's key", &[(VSCODE, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio"]}}}"#)], "clients.key", "fail"),
    ("an address without `type` in Claude Code", &[(CLAUDE_CODE, r#"{"mcpServers": {"sevendigital": {"url": "http://127.0.0.1:9090/mcp"}}}"#)], "clients.transport", "fail"),
    ("an address without `type` in Cline", &[(CLINE, r#"{"mcpServers": {"sevendigital": {"url": "http://127.0.0.1:9090/mcp"}}}"#)], "clients.transport", "fail"),
    ("another client's word for `type`", &[(CLINE, r#"{"mcpServers": {"sevendigital": {"type": "http", "url": "http://127.0.0.1:9090/mcp"}}}"#)], "clients.transport", "fail"),
    ("the key of the older transport", &[(GEMINI, r#"{"mcpServers": {"sevendigital": {"url": "http://127.0.0.1:9090/mcp"}}}"#)], "clients.transport", "fail"),
    ("an address where programs are started only", &[(DESKTOP, r#"{"mcpServers": {"sevendigital": {"url": "http://127.0.0.1:9090/mcp"}}}"#)], "clients.transport", "fail"),
    ("no `args` in Zed", &[(ZED, "{\n  // mine\n  \"context_servers\": {\"sevendigital\": {\"command\": \"PROGRAM\"}},\n}")], "clients.fields", "fail"),
    ("`bearer_token` in Codex", &[(CODEX, "[mcp_servers.sevendigital]\nurl = \"http://127.0.0.1:9090/mcp\"\nbearer_token = \"canary\"\n")], "clients.fields", "fail"),
    ("a placeholder that nobody fills in", &[(DESKTOP, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio"], "env": {"SEVENDIGITAL_CONSUMER_KEY": "${KEY}"}}}}"#)], "clients.placeholders", "warn"),
    ("the same where the client does", &[(CLAUDE_CODE, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio"], "env": {"SEVENDIGITAL_CONSUMER_KEY": "${KEY}"}}}}"#)], "clients.placeholders", "pass"),
    ("no `env` in Gemini CLI", &[(GEMINI, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio"]}}}"#)], "clients.credentials", "warn"),
    ("no `env_vars` in Codex", &[(CODEX, "[mcp_servers.sevendigital]\ncommand = \"PROGRAM\"\nargs = [\"stdio\"]\n")], "clients.credentials", "warn"),
    ("two state folders", &[
        (CURSOR, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio", "--state-dir=/one"]}}}"#),
        (VSCODE, r#"{"servers": {"sevendigital": {"type": "stdio", "command": "PROGRAM", "args": ["stdio"], "env": {"SEVENDIGITAL_MCP_STATE_DIR": "/two"}}}}"#),
    ], "clients.state", "fail"),
    ("an entry that was written and is gone", &[(DESKTOP, r#"{"mcpServers": {}}"#), (COPY, "{}")], "clients.gone", "warn"),
    ("an entry in a file that is not read", &[(CLINE, "{}"), (OLD_CLINE, r#"{"mcpServers": {"sevendigital": {"command": "PROGRAM", "args": ["stdio"]}}}"#)], "clients.hidden", "warn"),
];

#[tokio::test]
async fn each_fault_in_a_clients_file_is_found_by_name() {
    for (fault, files, id, status) in PLANTED {
        let patient = Patient::new().await;
        let (data, program) = (
            patient.write("data/sevendigital-mcp", ""),
            patient.write("bin/sevendigital-mcp", ""),
        );
        set_mode(&program, 0o755);
        for (name, text) in files {
            let text = text.replace("PROGRAM", program.to_str().unwrap());
            patient.write(name, &text.replace("DATA", data.to_str().unwrap()));
        }
        let examined = patient.examine(&["clients"]).await;
        let printed = &examined.printed;
        let [finding] = &*examined.of(id) else {
            panic!("{fault}: {printed}")
        };
        assert_eq!(finding["status"], status, "{fault}: {printed}");
        let others = examined
            .findings
            .iter()
            .filter(|other| other["status"] == "fail" && other["id"] != id);
        assert_eq!(others.count(), 0, "{fault}: {printed}");
        assert_eq!(
            examined.code,
            i32::from(status == "fail"),
            "{fault}: {printed}"
        );
        assert!(!printed.contains("canary"), "{fault}: {printed}");
    }
}

#[tokio::test]
async fn what_the_command_config_writes_is_well() {
    let mut patient = Patient::new().await;
    let clients = CLIENTS
        .iter()
        .filter(|client| client.syntax != Syntax::Yaml);
    let names: Vec<&str> = clients.map(|client| client.name).collect();
    for name in &names {
        let (code, told) = patient.command(&["config", name, "--write"]).await;
        assert_eq!(code, 0, "{name}: {told}");
    }
    // Credentials where every client's server finds them.
    let text = "consumer_key = \"sandbox-key\"\nconsumer_secret = \"sandbox-secret\"\n";
    let file = patient.write(".config/sevendigital-mcp/sevendigital-mcp.toml", text);
    set_mode(&file, 0o600);
    for name in ["SEVENDIGITAL_CONSUMER_KEY", "SEVENDIGITAL_CONSUMER_SECRET"] {
        patient.set(name, "");
    }
    for name in [
        "SEVENDIGITAL_ACCESS_TOKEN",
        "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
    ] {
        patient.set(name, "");
    }
    patient.set("SEVENDIGITAL_MCP_SPENDING", "confirm");
    let examined = patient.examine(&["clients", "confirmation"]).await;
    let printed = &examined.printed;
    let well = |finding: &&Value| finding["status"] == "pass";
    assert_eq!(
        examined.findings.iter().filter(well).count(),
        examined.findings.len(),
        "{printed}"
    );
    assert_eq!(
        examined.of("clients.entry")[0]["details"]
            .as_array()
            .unwrap()
            .len(),
        names.len()
    );
    let asked = |id: &str| examined.of(id)[0]["details"].to_string();
    assert!(
        asked("confirmation.client").contains("Claude Code"),
        "{printed}"
    );
    assert!(
        asked("confirmation.other").contains("Claude Desktop"),
        "{printed}"
    );

    let gone = patient.path(".config/Claude/claude_desktop_config.json");
    patient
        .command(&["config", "claude-desktop", "--remove"])
        .await;
    let removed = patient.examine(&["clients"]).await;
    assert_eq!(
        removed.of("clients.gone")[0]["status"],
        "pass",
        "{}",
        removed.printed
    );
    patient
        .command(&["config", "claude-desktop", "--write"])
        .await;
    fs::write(gone, "{}").unwrap();
    let dropped = patient.examine(&["clients"]).await;
    assert_eq!(
        dropped.of("clients.gone")[0]["status"],
        "warn",
        "{}",
        dropped.printed
    );
}
