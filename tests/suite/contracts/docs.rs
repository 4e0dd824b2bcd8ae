//! README.md and the pages in docs/, held to the code: their generated tables, and what they name.

use std::path::Path;

use clap::Parser as _;
use sevendigital::{Auth, Effect};
use sevendigital_mcp::cli::args::{Area, Cli};
use sevendigital_mcp::cli::doctor::checks;
use sevendigital_mcp::cli::doctor::finding::Check;
use sevendigital_mcp::config::{LIMITS, SETTINGS, Setting};
use sevendigital_tools::{AnyTool, TOOLS};

use crate::support::root;

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The README and the pages in docs/: path and text.
fn pages() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(root().join("docs")).expect("the folder docs");
    let files = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages = files.filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "md"));
    let names = pages.map(|name| format!("docs/{name}"));
    let names = std::iter::once("README.md".to_owned()).chain(names);
    names.map(|name| (name.clone(), page(&name))).collect()
}

/// The tables that are made from the code, with their page. Each stands between `<!-- NAME: generated -->` and `<!-- end -->`.
fn generated() -> [(&'static str, &'static str, String); 3] {
    let tools = TOOLS.iter().map(tool_row).collect();
    let limits = LIMITS.iter().map(limit_row).collect();
    let settings = SETTINGS.iter().map(setting_row).collect();
    let tool = "| tool | what it does | effect | account | scope |";
    let limit = "| limit | default | what it bounds |";
    let setting = "| file key | environment | flag | default | meaning |";
    [
        ("README.md", "tools", table(tool, tools)),
        ("docs/limits.md", "limits", table(limit, limits)),
        (
            "docs/configuration.md",
            "settings",
            table(setting, settings),
        ),
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
    for (page, name, table) in generated() {
        check_generated(page, &[(name, table)]);
    }
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
fn every_variable_that_a_page_names_exists() {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let pages = pages();
    let words = pages
        .iter()
        .flat_map(|(name, text)| text.split(move |c| !word(c)).map(move |text| (name, text)));
    for (name, text) in words {
        let secret = text.strip_suffix("_FILE").unwrap_or(text);
        let limit = text.starts_with("SEVENDIGITAL_MCP_LIMIT_");
        if text.starts_with("SEVENDIGITAL_") && !limit && text.len() > "SEVENDIGITAL_MCP_".len() {
            // It names the file, and is no setting of its own.
            let known = secret == "SEVENDIGITAL_MCP_CONFIG"
                || SETTINGS.iter().any(|setting| setting.variable == secret);
            assert!(known, "{name} names `{text}`, which is no variable");
        }
    }
}

#[test]
fn every_tool_that_a_document_names_exists() {
    // CONTRIBUTING.md has a recipe for a tool that does not exist yet.
    let others = ["ARCHITECTURE.md", "CHANGELOG.md"].map(|name| (name.to_owned(), page(name)));
    for (name, text) in pages().into_iter().chain(others) {
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

/// A command on a page must be one that works here; what is not ours is passed over.
fn check_command(page: &str, line: &str) {
    let words = words(line.trim());
    let parse = |arguments: &[String]| {
        let name = ["sevendigital-mcp".to_owned()];
        if let Err(error) = Cli::try_parse_from(name.iter().chain(arguments))
            && error.exit_code() != 0
        {
            panic!("{page}: `{line}` is not understood: {error}");
        }
    };
    let words: Vec<String> = words
        .into_iter()
        .skip_while(|word| word.contains('=') && !word.starts_with('-'))
        .take_while(|word| word != "&" && word != "|")
        .collect();
    let Some(command) = words.first() else { return };
    match (command.as_str(), words.get(1).map(String::as_str)) {
        ("cargo", Some("run")) => {
            let own = words.iter().position(|word| word == "--");
            parse(own.map_or(&[], |position| &words[position + 1..]));
        }
        ("cargo", Some("build" | "test" | "install" | "nextest"))
        | ("curl" | "docker" | "export" | "npx", Some(_)) => {}
        ("just", Some(recipe)) => {
            let recipes = std::fs::read_to_string(root().join("justfile")).unwrap();
            let known = recipes.lines().any(|line| {
                line.strip_prefix(recipe)
                    .is_some_and(|rest| rest.starts_with([' ', ':']))
            });
            assert!(known, "{page}: `just {recipe}` does not exist");
        }
        ("sevendigital-mcp", _) => parse(&words[1..]),
        (path, _) if path.contains('/') => {
            assert!(
                root().join(path).is_file(),
                "{page}: `{path}` does not exist"
            );
        }
        _ => panic!("{page}: `{line}` is no command that this test knows"),
    }
}

/// The lines of the blocks of this kind, lines that go on joined.
fn blocks(text: &str, kind: &str) -> Vec<Vec<String>> {
    let start = format!("```{kind}");
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while lines.any(|line| line == start) {
        let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let joined = inside.join("\n").replace("\\\n", " ");
        blocks.push(joined.lines().map(str::to_owned).collect());
    }
    blocks
}

#[test]
fn every_command_on_a_page_is_one_that_works_here() {
    for (name, text) in pages() {
        let commands = blocks(&text, "sh").into_iter().flatten();
        let shown = blocks(&text, "text").into_iter().flatten();
        let shown = shown.filter_map(|line| line.strip_prefix("$ ").map(str::to_owned));
        for line in commands.chain(shown) {
            check_command(&name, &line);
        }
    }
}

#[test]
fn the_quick_start_is_where_one_looks_for_it() {
    let readme = page("README.md");
    assert!(
        readme.lines().count() <= 150,
        "README.md is longer than 150 lines: move something to docs/"
    );
    let (_, start) = readme
        .split_once("\n## Quick start\n")
        .expect("README.md: no heading \"Quick start\"");
    let start = start.split("\n## ").next().unwrap_or_default();
    let commands: Vec<String> = blocks(start, "sh").into_iter().flatten().collect();
    for expected in ["cargo run --release -- --sandbox", "cargo nextest run"] {
        assert!(
            commands.iter().any(|line| line.starts_with(expected)),
            "README.md: the quick start lacks `{expected}`"
        );
    }
}
