//! README.md, docs/doctor.md and mcp.json, held to the code.

use clap::Parser as _;
use sevendigital::{Auth, Effect};
use sevendigital_mcp::cli::args::{Area, Cli};
use sevendigital_mcp::cli::doctor::checks;
use sevendigital_mcp::cli::doctor::finding::Check;
use sevendigital_mcp::config::{LIMITS, SETTINGS, Setting};
use sevendigital_tools::{AnyTool, TOOLS};

use crate::support::root;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md"))
        .unwrap_or_else(|error| panic!("README.md: {error}"))
}

/// The README's tables that are made from the code. Each stands between `<!-- NAME: generated -->` and `<!-- end -->`.
fn generated() -> [(&'static str, String); 3] {
    let tools = TOOLS.iter().map(tool_row).collect();
    let limits = LIMITS.iter().map(limit_row).collect();
    let settings = SETTINGS.iter().map(setting_row).collect();
    let tool = "| tool | what it does | effect | account | scope |";
    let limit = "| limit | default | what it bounds |";
    let setting = "| file key | environment | flag | default | meaning |";
    [
        ("tools", table(tool, tools)),
        ("limits", table(limit, limits)),
        ("settings", table(setting, settings)),
    ]
}

fn table(heading: &str, rows: Vec<String>) -> String {
    let columns = heading.matches('|').count() - 1;
    let line = format!("|{}", "---|".repeat(columns));
    [heading.to_owned(), line]
        .into_iter()
        .chain(rows)
        .map(|row| row + "\n")
        .collect()
}

fn tool_row(tool: &AnyTool) -> String {
    let contract = &tool.contract;
    let effect = match contract.upstream.effect {
        Effect::Reads => "reads",
        Effect::Writes => "writes",
        Effect::Charges => "**charges**",
    };
    let account = match contract.upstream.auth {
        Auth::User => "user",
        Auth::Consumer => "partner",
    };
    let (name, summary, scope) = (contract.name, contract.summary, contract.scope.as_str());
    format!("| `{name}` | {summary} | {effect} | {account} | `{scope}` |")
}

fn limit_row(limit: &Setting) -> String {
    let (key, default, summary) = (&limit.key, limit.default_text(), &limit.summary);
    format!("| `{key}` | {default} | {summary} |")
}

fn setting_row(setting: &Setting) -> String {
    let code = |text: &String| format!("`{text}`");
    let key = Some(&setting.key).filter(|_| setting.is_in_file());
    let key = key.map_or("–".to_owned(), code);
    let file = if setting.is_secret {
        ", `…_FILE`"
    } else {
        ""
    };
    let variable = &setting.variable;
    let flag = setting.flag.as_ref().map_or("–".to_owned(), code);
    let (default, summary) = (setting.default_text(), &setting.summary);
    format!("| {key} | `{variable}`{file} | {flag} | {default} | {summary} |")
}

/// `UPDATE_DOCS=1` rewrites what is out of date.
#[test]
fn the_generated_tables_are_what_the_code_says() {
    check_generated("README.md", &generated());
    check_generated("docs/doctor.md", &Area::ALL.map(findings));
}

/// The ids of an area, with what is looked at and why.
fn findings(area: Area) -> (&'static str, String) {
    let row = |check: &Check| {
        let Check { id, expected, why } = check;
        format!("| <a id=\"{id}\"></a>`{id}` | {expected} | {why} |")
    };
    let rows = checks(area).iter().map(row).collect();
    let name = checks(area)[0].area();
    (
        name,
        table("| id | what is so if all is well | why it matters |", rows),
    )
}

fn check_generated(name: &str, tables: &[(&str, String)]) {
    let path = root().join(name);
    let read = || std::fs::read_to_string(&path).unwrap();
    let mut current = read();
    for (table_name, table) in tables {
        let start = format!("<!-- {table_name}: generated -->\n");
        let from = current.find(&start);
        let from = from.unwrap_or_else(|| panic!("{name} has no {start}")) + start.len();
        let length = current[from..].find("<!-- end -->").unwrap();
        current.replace_range(from..from + length, table);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    for (found, expected) in read().lines().zip(current.lines()) {
        assert_eq!(
            found, expected,
            "{name} is out of date: run with UPDATE_DOCS=1"
        );
    }
    assert_eq!(read().len(), current.len());
}

#[test]
fn every_variable_and_flag_that_the_readme_names_exists() {
    let readme = readme();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    for text in readme.split(|c| !word(c)) {
        let secret = text.strip_suffix("_FILE").unwrap_or(text);
        let limit = text.starts_with("SEVENDIGITAL_MCP_LIMIT_");
        if text.starts_with("SEVENDIGITAL_") && !limit && text.len() > "SEVENDIGITAL_MCP_".len() {
            // It names the file, and is no setting of its own.
            let known = secret == "SEVENDIGITAL_MCP_CONFIG"
                || SETTINGS.iter().any(|setting| setting.variable == secret);
            assert!(known, "README.md names `{text}`, which is no variable");
        }
    }
}

#[test]
fn every_tool_that_a_document_names_exists() {
    // CONTRIBUTING.md has a recipe for a tool that does not exist yet.
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let path = root().join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let about = |word: &&str| {
            let parts: Vec<&str> = word.split('-').collect();
            parts.len() > 2 && parts[1] == "user" && parts[0].len() > 2
        };
        for word in text.split(|c| !word(c)).filter(about) {
            let known = TOOLS.iter().any(|tool| tool.contract.name == word);
            assert!(known, "{name} names `{word}`, which is no tool");
        }
    }
}

/// Words of a command line, with quotes understood and a comment left out.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) if words.last().is_some_and(String::is_empty) => break,
            (' ' | '\t', None) => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A command of the README must be one that works here.
fn check_command(line: &str) {
    let words = words(line.trim().trim_start_matches("$ "));
    let parse = |arguments: &[String]| {
        let name = ["sevendigital-mcp".to_owned()];
        if let Err(error) = Cli::try_parse_from(name.iter().chain(arguments)) {
            panic!("README.md: `{line}` is not understood: {error}");
        }
    };
    let words: Vec<String> = words
        .into_iter()
        .skip_while(|word| word.contains('=') && !word.starts_with('-'))
        .collect();
    let Some(command) = words.first() else { return };
    match (command.as_str(), words.get(1).map(String::as_str)) {
        ("cargo", Some("run")) => {
            let own = words.iter().position(|word| word == "--");
            parse(own.map_or(&[], |position| &words[position + 1..]));
        }
        ("cargo", Some("build" | "test" | "install" | "nextest")) | ("git" | "cd", Some(_)) => {}
        ("sevendigital-mcp", _) => parse(&words[1..]),
        (path, _) if path.ends_with("/sevendigital-mcp") => parse(&words[1..]),
        (path, _) if path.contains('/') => {
            assert!(
                root().join(path).is_file(),
                "README.md: `{path}` does not exist"
            );
        }
        _ => panic!("README.md: `{line}` is no command that this test knows"),
    }
}

#[test]
fn the_commands_of_the_quick_start_exist() {
    let readme = readme();
    let mut lines = readme.lines();
    assert!(
        lines.any(|line| line.starts_with('#') && line.to_lowercase().contains("quick start")),
        "README.md: no heading \"Quick start\""
    );
    let block: Vec<&str> = lines
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    assert!(
        !block.is_empty(),
        "README.md: no shell block under \"Quick start\""
    );
    for line in &block {
        check_command(line);
    }
    let text = block.join("\n");
    for command in ["cargo run --release -- --sandbox", "cargo "] {
        assert!(
            text.contains(command),
            "README.md: the quick start lacks `{command}`"
        );
    }
}
