//! Help, completions, manual pages and the version: made from the command line as it is.

use std::path::PathBuf;
use std::process::Stdio;

use sevendigital_mcp::cli::args::Cli;
use sevendigital_tools::TOOLS;
use tokio::process::Command;

use crate::settings::cli::check;
use crate::support::within;

#[test]
fn no_two_flags_of_a_command_have_one_name() {
    Cli::command_line().debug_assert();
    Cli::listed().debug_assert();
}

/// The flags of settings that a help lists.
fn settings(help: &str) -> Vec<&str> {
    let (_, settings) = help.split_once("\nSettings:\n").unwrap_or_default();
    let lines = settings.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| line.strip_prefix("--"));
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    lines
        .map(|line| line.split(|c| !is_part(c)).next().unwrap())
        .collect()
}

#[tokio::test]
async fn help_lists_the_settings_that_matter_to_the_command() {
    const TOOLS: &str = "config hints read-only tools exclude-tools";
    const CALL: &str =
        "config base-uri spending read-only tools exclude-tools state-dir log-format sandbox";
    const ALL: &str = "config base-uri bind rest hints spending read-only tools exclude-tools state-dir log-format sandbox";
    let stdio = ALL.replace(" bind rest", "");
    let config = ALL.replace(" rest", "");
    let rows = [
        ("", ALL),
        ("serve", ALL),
        ("stdio", &stdio),
        ("config", &config),
        ("call", CALL),
        ("call get-user-locker", CALL),
        ("tools", TOOLS),
        ("ledger list", "config base-uri state-dir"),
        ("confirm", "config state-dir"),
        ("login", "config base-uri log-format"),
        ("logout", ""),
        ("token new", ""),
        ("completions", ""),
    ];
    for (command, expected) in rows {
        let words: Vec<_> = command.split_whitespace().chain(["-h"]).collect();
        let (code, help, _) = check(&words, &[]).await;
        assert_eq!(code, 0, "{command}");
        assert_eq!(settings(&help).join(" "), expected, "{command}: {help}");
    }
    // What is not listed is no error: a script may give the same flags to all commands.
    let (code, out, _) = check(&["--sandbox", "--bind", "127.0.0.1:1", "token", "new"], &[]).await;
    assert!(code == 0 && out.contains("token_sha256"), "{out}");
}

#[tokio::test]
async fn exit_codes_and_defaults_are_in_the_help() {
    let rows: [(&[&str], &[&str]); 3] = [
        (&["--help"], &["Exit codes:", "[default: 127.0.0.1:9090]"]),
        (
            &["call", "--help"],
            &["  3  Sent", "@FILE", "[default: text]"],
        ),
        (
            &["call", "purchase-user-basket", "--help"],
            &["  3  Sent", "[required]"],
        ),
    ];
    for (words, expected) in rows {
        let (_, help, _) = check(words, &[]).await;
        for text in expected {
            assert!(help.contains(text), "{words:?}: {text}: {help}");
        }
    }
}

#[tokio::test]
async fn the_version_names_revisions_and_features() {
    let (_, short, _) = check(&["-V"], &[]).await;
    let (_, long, _) = check(&["--version"], &[]).await;
    let name = concat!("sevendigital-mcp ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(short, name);
    let rest = long.strip_prefix(name).unwrap_or_else(|| panic!("{long}"));
    let lines = rest.lines().map(|line| line.split_once("  ").unwrap());
    for (key, value) in lines {
        let is_hex = |c: char| c.is_ascii_hexdigit();
        let is_right = match key {
            "commit" => value.trim().len() == 12 && value.trim().chars().all(is_hex),
            "protocol" => value.contains("2026-07-28") && value.contains("2025-06-18"),
            "features" => value == "none" || value == "otlp",
            _ => false,
        };
        assert!(is_right, "{long}");
    }
}

#[tokio::test]
async fn completions_of_every_shell_know_every_tool_and_its_fields() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, err) = check(&["completions", shell], &[]).await;
        assert_eq!(code, 0, "{shell}: {err}");
        for tool in TOOLS {
            assert!(
                script.contains(tool.contract.name),
                "{shell}: {}",
                tool.contract.name
            );
        }
        for field in ["page-size", "card-id", "dry-run"] {
            assert!(script.contains(field), "{shell}: {field}");
        }
    }
    let (code, _, err) = check(&["completions", "tcsh"], &[]).await;
    assert!(
        code == 2 && err.contains("[possible values: bash, "),
        "{err}"
    );
}

/// What bash offers after this line.
async fn offered(line: &str) -> Vec<String> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sevendigital-mcp"));
    let folder = program.parent().unwrap().display();
    let asked = format!(
        r#"PATH={folder}:$PATH; source <(sevendigital-mcp completions bash)
           COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
           function=$(complete -p sevendigital-mcp | sed 's/.*-F \([^ ]*\) .*/\1/')
           "$function" sevendigital-mcp "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
           printf '%s\n' "${{COMPREPLY[@]}}""#
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &asked]).stdin(Stdio::null());
    let output = within("bash", bash.output()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_offers_tools_fields_and_no_flag_that_help_hides() {
    let rows = [
        ("sevendigital-mcp call get-user-lo", "get-user-locker"),
        (
            "sevendigital-mcp call get-user-locker --page-s",
            "--page-size",
        ),
        ("sevendigital-mcp logo", "logout"),
        ("sevendigital-mcp logout --", "--help"),
        ("sevendigital-mcp completions fi", "fish"),
    ];
    for (line, expected) in rows {
        assert_eq!(offered(line).await, [expected], "{line}");
    }
}

#[tokio::test]
async fn there_is_a_manual_page_for_each_command_and_tool() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("man1");
    let (code, out, err) = check(&["man", folder.to_str().unwrap()], &[]).await;
    assert_eq!((code, &*out), (0, ""), "{err}");
    let tools = TOOLS
        .iter()
        .map(|tool| format!("-call-{}", tool.contract.name));
    let commands = ["", "-serve", "-ledger-forget"].map(str::to_owned);
    for command in tools.chain(commands) {
        let path = folder.join(format!("sevendigital-mcp{command}.1"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path:?}"));
        assert!(page.contains(".SH SYNOPSIS"), "{path:?}");
    }
}
