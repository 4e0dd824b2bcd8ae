//! README.md and mcp.json, held to the code.

use clap::Parser as _;
use sevendigital_mcp::cli::args::Cli;
use sevendigital_mcp::config::{Limits, SETTINGS};
use sevendigital_tools::TOOLS;

use crate::support::root;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md"))
        .unwrap_or_else(|error| panic!("README.md: {error}"))
}

/// The README's table rows whose first cell is that name in backticks; fails unless there is one that holds all of `parts`.
fn check(readme: &str, name: &str, parts: &[String]) {
    let start = format!("| `{name}`");
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with(&start))
        .collect();
    assert!(
        !rows.is_empty(),
        "README.md: no table row begins with \"{start}\""
    );
    let lacks = |row: &&str| parts.iter().find(|part| !row.contains(*part)).cloned();
    let lacking: Vec<String> = rows.iter().filter_map(lacks).collect();
    assert!(
        lacking.len() < rows.len(),
        "README.md: the row of `{name}` lacks {lacking:?}: {rows:?}"
    );
}

/// The names in the first cells of the table under a line that begins so.
fn names_in_table(readme: &str, heading: &str) -> Vec<String> {
    let mut lines = readme.lines();
    assert!(
        lines.any(|line| line.starts_with(heading)),
        "README.md: no table begins with \"{heading}\""
    );
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cell = line.trim_start_matches('|').split('|').next().unwrap();
            cell.trim().trim_matches('`').to_owned()
        })
        .collect()
}

/// The heading of the table that has a row of that name.
fn heading_of<'a>(readme: &'a str, name: &str) -> &'a str {
    let start = format!("| `{name}`");
    let lines: Vec<&str> = readme.lines().collect();
    let row = lines.iter().position(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("README.md: no table row begins with \"{start}\""));
    let before = lines[..row]
        .iter()
        .rposition(|line| !line.starts_with('|'))
        .map_or(0, |blank| blank + 1);
    lines[before]
}

#[test]
fn the_tool_table_has_every_tool_in_order_with_its_effect() {
    let readme = readme();
    for tool in TOOLS {
        let effect = format!("{:?}", tool.contract.upstream.effect).to_lowercase();
        check(&readme, tool.contract.name, &[effect]);
    }
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.contract.name).collect();
    let heading = heading_of(&readme, names[0]);
    assert_eq!(
        names_in_table(&readme, heading),
        names,
        "README.md: the tool table"
    );
}

#[test]
fn the_settings_table_has_every_setting_with_its_variable_and_flag() {
    let readme = readme();
    for setting in SETTINGS {
        let flag = setting
            .flag
            .map_or("–".to_owned(), |flag| format!("`{flag}"));
        let variable = format!("`{}`", setting.variable);
        check(&readme, setting.key, &[variable, flag]);
    }
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    let heading = heading_of(&readme, known[0]);
    for key in names_in_table(&readme, heading) {
        assert!(
            known.contains(&key.as_str()),
            "README.md: the settings table has `{key}`, which is no setting"
        );
    }
}

#[test]
fn the_limit_sheet_has_every_limit_with_its_default() {
    let readme = readme();
    let limits = Limits::defaults();
    for (key, default) in &limits {
        check(&readme, key, &[format!("| {default} |")]);
    }
    let names = names_in_table(&readme, "| limit | default |");
    assert_eq!(names.len(), limits.len(), "README.md: the limit sheet");
}

#[test]
fn every_variable_and_flag_that_the_readme_names_exists() {
    let readme = readme();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    for text in readme.split(|c| !word(c)) {
        let secret = text.strip_suffix("_FILE").unwrap_or(text);
        let limit = text.starts_with("SEVENDIGITAL_MCP_LIMIT_");
        if text.starts_with("SEVENDIGITAL_") && !limit && text.len() > "SEVENDIGITAL_MCP_".len() {
            assert!(
                SETTINGS.iter().any(|setting| setting.variable == secret),
                "README.md names `{text}`, which is no variable"
            );
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
