//! The real binary as a person in a shell meets it.

use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::TOOLS;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::support::{Setting, World, call_with, http, load, program, within};

/// Runs the program to its end: exit code, stdout, stderr.
pub(crate) async fn check(arguments: &[&str], variables: &[Setting<'_>]) -> (i32, String, String) {
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let output = within("the program", program(arguments, &variables).output());
    let output = output.await.unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[tokio::test]
async fn a_wrong_configuration_is_told_on_stderr_before_anything_starts() {
    const SECRET: &str = "canary-in-a-coal-mine";
    #[rustfmt::skip]
    let rows: [(&[&str], &[Setting], &str); 11] = [
        (&["stdio"], &[("SEVENDIGITAL_MCP_HINTS", "lies")], "`hints`"),
        (&["stdio"], &[("SEVENDIGITAL_CONSUMER_KEYS", SECRET)], "`SEVENDIGITAL_CONSUMER_KEY`"),
        (&["stdio"], &[("SEVENDIGITAL_CONSUMER_SECRET", SECRET)], "`consumer_key`"),
        (&["stdio", "--base-uri", "http://api.7digital.com/1.2"], &[], "`--base-uri`"),
        (&["--config", "missing.toml", "stdio"], &[], "missing.toml"),
        (&["stdio"], &[("RUST_LOG", "a=b=c")], "`RUST_LOG`"),
        (&["serve", "--bind", "0.0.0.0:0"], &[], "`token`"),
        (&["serve"], &[("SEVENDIGITAL_MCP_BIND", "9090")], "`bind`"),
        (&["tools"], &[("SEVENDIGITAL_MCP_TOOLS", "get-user-lockers")], "`get-user-lockers`"),
        (&["stdio", "--no-such-flag"], &[], "--no-such-flag"),
        (&["no-such-command"], &[], "no-such-command"),
    ];
    for (arguments, variables, expected) in rows {
        let (code, out, err) = check(arguments, variables).await;
        assert_eq!(code, 2, "{arguments:?} {variables:?}: {err}");
        assert_eq!(out, "", "{arguments:?} {variables:?}");
        assert!(err.contains(expected), "{arguments:?} {variables:?}: {err}");
        assert!(!err.contains(SECRET), "{err}");
    }
}

#[tokio::test]
async fn tools_are_listed_for_people_and_for_programs() {
    let (code, out, _) = check(&["tools"], &[]).await;
    assert_eq!(code, 0);
    assert!(out.starts_with("SCOPE"), "{out}");
    let mut tools: Vec<_> = TOOLS.iter().map(|tool| tool.contract).collect();
    tools.sort_by_key(|contract| contract.scope);
    assert_eq!(out.lines().count(), tools.len() + 1);
    for (line, contract) in out.lines().skip(1).zip(tools) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let effect = format!("{:?}", contract.upstream.effect).to_lowercase();
        let expected = [contract.scope.as_str(), contract.name, &effect];
        assert_eq!(words[..3], expected, "{line}");
        assert!(line.ends_with(contract.summary), "{line}");
    }
    let (code, out, _) = check(&["tools", "--json"], &[]).await;
    assert_eq!(code, 0);
    let told: Value = serde_json::from_str(&out).unwrap();
    let world = World::start().await;
    assert_eq!(told.as_array().unwrap(), &world.tools().await);
    let (_, out, _) = check(&["tools", "--read-only"], &[]).await;
    let reads = TOOLS
        .iter()
        .filter(|tool| tool.contract.upstream.effect == Effect::Reads);
    assert_eq!(out.lines().count(), reads.count() + 1);
}

#[tokio::test]
async fn one_call_prints_its_document_or_says_why_there_is_none() {
    let page = r#"{"page": 2, "pageSize": 5}"#;
    #[rustfmt::skip]
    let rows: [(&[&str], i32, &str); 8] = [
        (&["--sandbox", "call", "get-user-locker"], 0, "\"lockerRelease\""),
        (&["call", "get-user-locker", "--sandbox"], 0, "\"lockerRelease\""),
        (&["call", "--sandbox", "get-user-locker", "--args", page], 0, "\"page\": 2"),
        (&["call", "get-user-details", "--sandbox", "--args", r#"{"userId": "nobody"}"#], 1, "Code 2001."),
        (&["call", "get-user-locker", "--sandbox", "--args", r#"{"page": "x"}"#], 2, "page: expected a whole number"),
        (&["call", "get-user-locker"], 1, "SEVENDIGITAL_CONSUMER_KEY"),
        (&["call", "get-user-lockers", "--sandbox"], 2, "`get-user-lockers`"),
        (&["call", "get-user-locker", "--sandbox", "--args", "[]"], 2, "`--args`"),
    ];
    for (arguments, expected_code, expected) in rows {
        let (code, out, err) = check(arguments, &[]).await;
        assert_eq!(code, expected_code, "{arguments:?}: {err}");
        if code == 0 {
            assert!(serde_json::from_str::<Value>(&out).unwrap().is_object());
            assert!(out.contains(expected), "{arguments:?}: {out}");
        } else {
            assert_eq!(out, "", "{arguments:?}");
            assert!(err.contains(expected), "{arguments:?}: {err}");
        }
    }
}

#[tokio::test]
async fn help_names_every_flag_and_command() {
    let (code, out, _) = check(&["--help"], &[]).await;
    assert_eq!(code, 0);
    let flags = sevendigital_mcp::config::SETTINGS
        .iter()
        .filter_map(|setting| setting.flag.as_deref());
    for word in flags.chain(["--config", "serve", "stdio", "tools", "call", "config"]) {
        let word = word.split(['=', '[']).next().unwrap();
        assert!(out.contains(word), "{word}: {out}");
    }
}

#[tokio::test]
async fn serve_says_where_it_listens_and_ends_well_when_told_to() {
    let default = load(Vec::new()).unwrap().bind;
    assert_eq!(default.to_string(), "127.0.0.1:9090");

    for arguments in [
        &["serve", "--sandbox", "--bind", "127.0.0.1:0"][..],
        &["--bind", "127.0.0.1:0", "--sandbox"],
    ] {
        let mut child = program(arguments, &[]).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let announced = async {
            let mut line = String::new();
            loop {
                line.clear();
                assert_ne!(stderr.read_line(&mut line).await.unwrap(), 0, "ended early");
                if let Some(url) = line.trim().strip_prefix("listening on ") {
                    return url.to_owned();
                }
            }
        };
        let url = within("the address", announced).await;
        assert!(
            url.starts_with("http://127.0.0.1:") && url.ends_with("/mcp"),
            "{url}"
        );
        let config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
        let transport = StreamableHttpClientTransport::with_client(http(), config);
        let client = ().serve_with_lifecycle(transport, ClientLifecycleMode::Initialize);
        let client = client.await.unwrap();
        let result = call_with(&client, "get-user-locker", json!({})).await;
        assert!(result["structuredContent"].is_object(), "{result}");

        let id = child.id().unwrap().to_string();
        let killed = std::process::Command::new("kill").arg(&id).status();
        assert!(killed.unwrap().success());
        let status = within("the end", child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0));
        let mut out = String::new();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_to_string(&mut out).await.unwrap();
        assert_eq!(out, "", "stdout is for data");
        drop(client);
    }
}
