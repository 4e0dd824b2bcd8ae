//! What is printed: the shape that each client documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sevendigital_mcp::connect::{CLIENTS, Client, Syntax, find};
use sevendigital_tools::TOOLS;

use super::Home;

const BIN: &str = env!("CARGO_BIN_EXE_sevendigital-mcp");
const URL: &str = "http://127.0.0.1:9090/mcp";

/// The key and an entry of each kind, as the client documents them.
fn documented(client: &str) -> (&'static str, Value, Value) {
    let plain = json!({"command": BIN, "args": ["stdio"]});
    let typed = json!({"type": "stdio", "command": BIN, "args": ["stdio"]});
    let http = json!({"type": "http", "url": URL});
    #[rustfmt::skip]
    let row = match client {
        "claude-desktop" => ("mcpServers", plain, json!({"command": "npx", "args": ["-y", "mcp-remote@0.15.1", URL, "--transport", "http-only"]})),
        "claude-code" => ("mcpServers", typed, http),
        "vscode" => ("servers", typed, http),
        "cursor" | "lm-studio" => ("mcpServers", plain, json!({"url": URL})),
        "windsurf" => ("mcpServers", plain, json!({"serverUrl": URL})),
        "zed" => ("context_servers", json!({"command": BIN, "args": ["stdio"], "env": {}}), json!({"url": URL})),
        "gemini" => ("mcpServers", json!({"command": BIN, "args": ["stdio"], "timeout": 180_000}), json!({"httpUrl": URL, "timeout": 180_000})),
        "cline" => ("mcpServers", json!({"command": BIN, "args": ["stdio"], "timeout": 180, "disabled": false, "autoApprove": []}), json!({"type": "streamableHttp", "url": URL, "timeout": 180, "disabled": false, "autoApprove": []})),
        "inspector" => ("mcpServers", typed, json!({"type": "streamable-http", "url": URL, "protocolEra": "auto"})),
        other => panic!("no row for {other}"),
    };
    row
}

fn with_json() -> impl Iterator<Item = &'static Client> {
    let other = [Syntax::Toml, Syntax::Yaml];
    CLIENTS
        .iter()
        .filter(move |client| !other.contains(&client.syntax))
}

#[tokio::test]
async fn an_entry_has_the_shape_that_its_client_documents() {
    for client in with_json() {
        let (key, stdio, http) = documented(client.name);
        let home = Home::of(client);
        for (arguments, entry) in [(&[][..], stdio), (&["--http"][..], http)] {
            let (code, out, err) = home.config(arguments).await;
            assert_eq!(code, 0, "{err}");
            let printed: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(printed, json!({key: {"sevendigital": entry}}));
            let path = home.file.display().to_string();
            assert!(err.contains(&path), "{err}");
        }
    }
}

#[tokio::test]
async fn codex_gets_a_table_that_lets_it_ask_for_the_tools_that_ask() {
    let home = Home::of(find("codex").unwrap());
    let (_, out, _) = home.config(&[]).await;
    let start = format!(
        "[mcp_servers.sevendigital]\ncommand = \"{BIN}\"\nargs = [\"stdio\"]\ntool_timeout_sec = 180\n"
    );
    assert!(out.starts_with(&start), "{out}");
    for tool in TOOLS {
        let line = format!("tools.{}.approval_mode = \"prompt\"\n", tool.contract.name);
        assert_eq!(out.contains(&line), tool.requires_confirmation, "{line}");
    }
    let (_, out, _) = home.config(&["--http"]).await;
    let start = format!("[mcp_servers.sevendigital]\nurl = \"{URL}\"\n");
    assert!(out.starts_with(&start), "{out}");
    let (_, out, _) = home.config(&["--http", "--with-env"]).await;
    let line = "\nbearer_token_env_var = \"SEVENDIGITAL_MCP_TOKEN\"\n";
    assert!(out.contains(line), "{out}");
}

#[tokio::test]
async fn goose_gets_yaml_that_is_printed_and_not_written() {
    let home = Home::of(find("goose").unwrap());
    let (_, out, _) = home.config(&[]).await;
    let expected = format!(
        "extensions:\n  sevendigital:\n    enabled: true\n    type: \"stdio\"\n    name: \"sevendigital\"\n    description: \"7digital\"\n    cmd: \"{BIN}\"\n    args: [\"stdio\"]\n    envs: {{}}\n    timeout: 300\n"
    );
    assert_eq!(out, expected);
    let (code, _, err) = home.write().await;
    assert!(code == 1 && err.contains("YAML"), "{err}");
    assert!(!home.file.exists());
}

#[tokio::test]
async fn references_to_credentials_are_in_the_client_s_own_syntax() {
    let rows = [
        ("claude-code", "${SEVENDIGITAL_CONSUMER_KEY:-}"),
        ("vscode", "${env:SEVENDIGITAL_CONSUMER_KEY}"),
        ("cursor", "${env:SEVENDIGITAL_CONSUMER_KEY}"),
        ("windsurf", "${env:SEVENDIGITAL_CONSUMER_KEY}"),
        ("gemini", "${SEVENDIGITAL_CONSUMER_KEY}"),
        ("cline", "${env:SEVENDIGITAL_CONSUMER_KEY}"),
        ("codex", "env_vars = [\"SEVENDIGITAL_CONSUMER_KEY\", "),
        ("goose", "env_keys: [\"SEVENDIGITAL_CONSUMER_KEY\", "),
    ];
    for client in &CLIENTS {
        let (code, out, err) = Home::of(client).config(&["--with-env"]).await;
        match rows.iter().find(|(name, _)| *name == client.name) {
            Some((_, reference)) => assert!(out.contains(reference), "{out}{err}"),
            None => assert!(code == 2 && err.contains("leave `--with-env` out"), "{err}"),
        }
    }
}

#[tokio::test]
async fn an_install_link_holds_the_entry() {
    let config = |link: &str, start: &str| -> Value {
        let link = percent_decode_str(link.trim().strip_prefix(start).unwrap());
        let link = link.decode_utf8().unwrap();
        serde_json::from_slice(&STANDARD.decode(&*link).unwrap()).unwrap()
    };
    let plain = json!({"command": BIN, "args": ["stdio"]});
    for client in &CLIENTS {
        let (code, out, err) = Home::of(client).config(&["--link"]).await;
        match client.name {
            "cursor" => {
                let start =
                    "cursor://anysphere.cursor-deeplink/mcp/install?name=sevendigital&config=";
                assert_eq!(config(&out, start), plain);
            }
            "lm-studio" => {
                let start = "lmstudio://add_mcp?name=sevendigital&config=";
                assert_eq!(config(&out, start), plain);
            }
            "vscode" => {
                let entry = out.trim().strip_prefix("vscode:mcp/install?").unwrap();
                let entry = percent_decode_str(entry).decode_utf8().unwrap();
                let entry: Value = serde_json::from_str(&entry).unwrap();
                let expected = json!({"name": "sevendigital", "type": "stdio", "command": BIN, "args": ["stdio"]});
                assert_eq!(entry, expected);
            }
            _ => assert!(code == 2 && err.contains("`cursor`"), "{out}{err}"),
        }
    }
}
