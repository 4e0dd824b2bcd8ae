//! What the command does besides: flags that go into an entry, the list of clients, clients that have a command of their own.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sevendigital_mcp::connect::{CLIENTS, find};

use super::{Home, run};

const BIN: &str = env!("CARGO_BIN_EXE_sevendigital-mcp");

#[tokio::test]
async fn flags_become_arguments_and_the_sandbox_a_name_of_its_own() {
    let home = Home::of(find("cursor").unwrap());
    let arguments = [
        "--read-only",
        "--tools",
        "get-user-locker",
        "--state-dir",
        "s",
    ];
    let (_, out, err) = home.config(&arguments).await;
    let printed: Value = serde_json::from_str(&out).expect(&err);
    let arguments = printed["mcpServers"]["sevendigital"]["args"].as_array();
    let arguments: Vec<_> = arguments
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let folder = arguments
        .iter()
        .find_map(|word| word.strip_prefix("--state-dir="));
    assert!(Path::new(folder.unwrap()).is_absolute(), "{arguments:?}");
    for word in ["stdio", "--read-only", "--tools=get-user-locker"] {
        assert!(arguments.contains(&word), "{arguments:?}");
    }

    let (_, out, _) = home.config(&["--sandbox"]).await;
    let printed: Value = serde_json::from_str(&out).unwrap();
    let entry = json!({"command": BIN, "args": ["stdio", "--sandbox"]});
    assert_eq!(
        printed,
        json!({"mcpServers": {"sevendigital-sandbox": entry}})
    );

    let (_, out, _) = home.config(&["--http", "--bind", "0.0.0.0:9191"]).await;
    assert!(out.contains("\"http://127.0.0.1:9191/mcp\""), "{out}");
    let (code, out, err) = home.config(&["--hints", "lies"]).await;
    assert!(
        code == 2 && out.is_empty() && err.contains("`hints`"),
        "{err}"
    );
}

#[tokio::test]
async fn both_entries_stand_side_by_side_and_go_one_by_one() {
    let home = Home::of(find("zed").unwrap());
    home.write().await;
    let live = home.text();
    home.config(&["--write", "--sandbox"]).await;
    let (_, out, _) = run(home.folder.path(), &["config", "--all"], &[]).await;
    for name in ["`sevendigital`", "`sevendigital-sandbox`"] {
        assert!(out.contains(&format!("has {name}: {BIN}\n")), "{out}");
    }
    home.config(&["--remove", "--sandbox"]).await;
    assert_eq!(home.text(), live);
}

#[tokio::test]
async fn the_list_says_who_is_installed_and_what_each_has() {
    let home = tempfile::tempdir().unwrap();
    let files = [
        (
            ".cursor/mcp.json",
            "{\"mcpServers\": {\"mine\": {\"command\": \"/old/sevendigital-mcp\"}, \"b\": {}}}",
        ),
        (
            ".codex/config.toml",
            "[mcp_servers.sevendigital]\nurl = 'http://localhost:1/mcp'\n",
        ),
        (".gemini/settings.json", "{\n  nothing\n}"),
    ];
    for (file, text) in files {
        let file = home.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let (code, out, err) = run(home.path(), &["config", "--all"], &[]).await;
    assert_eq!((code, &*err), (0, ""));
    let here = ["cursor", "codex", "gemini"];
    for client in &CLIENTS {
        let lines: Vec<_> = out
            .lines()
            .filter(|line| line.starts_with(client.name))
            .collect();
        assert_eq!(lines.len(), 1, "{out}");
        assert_eq!(
            lines[0].contains("installed"),
            here.contains(&client.name),
            "{out}"
        );
    }
    for text in [
        "has `mine`: /old/sevendigital-mcp",
        "has `sevendigital`: http://localhost:1/mcp",
        "is not valid JSON at line 2, column 3",
    ] {
        assert!(out.contains(text), "{out}");
    }
}

/// Puts a `claude` into a folder that writes down how it was called.
#[cfg(unix)]
fn claude(folder: &Path, code: i32) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let program = folder.join("claude");
    let script = format!(
        "#!/bin/sh\nfor word in \"$@\"; do echo \"$word\" >>'{}'; done\necho trouble >&2\nexit {code}\n",
        folder.join("words").display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[cfg(unix)]
#[tokio::test]
async fn claude_code_is_changed_by_its_own_command_where_there_is_one() {
    let tools = tempfile::tempdir().unwrap();
    let text = "{\"mcpServers\": {\"sevendigital\": {\"command\": \"old\"}}}";
    let home = Home::holding(find("claude-code").unwrap(), text);
    let path = [("PATH", &*claude(tools.path(), 0))];
    let write = ["config", "claude-code", "--write", "--force"];
    let (code, out, err) = run(home.folder.path(), &write, &path).await;
    assert_eq!(code, 0, "{out}{err}");
    let entry = format!("{{\"type\":\"stdio\",\"command\":\"{BIN}\",\"args\":[\"stdio\"]}}");
    let words = fs::read_to_string(tools.path().join("words")).unwrap();
    let expected = format!(
        "mcp remove sevendigital --scope user mcp add-json sevendigital {entry} --scope user"
    );
    assert_eq!(words.trim().replace('\n', " "), expected);
    assert_eq!(home.text(), text, "the file is Claude Code's own to write");

    let path = [("PATH", &*claude(tools.path(), 3))];
    let remove = ["config", "claude-code", "--remove"];
    let (code, _, err) = run(home.folder.path(), &remove, &path).await;
    assert_eq!(code, 1);
    assert!(
        err.contains("`claude mcp remove sevendigital --scope user` failed: trouble"),
        "{err}"
    );
}

#[tokio::test]
async fn who_rewrites_its_file_is_asked_to_be_quit() {
    for client in CLIENTS.iter().filter(|client| client.rewrites_file) {
        let (code, _, err) = Home::of(client).write().await;
        assert_eq!(code, 0, "{err}");
        let note = format!("{} writes its file anew while it runs", client.title);
        assert!(err.contains(&note), "{err}");
    }
}

#[tokio::test]
async fn flags_that_contradict_each_other_are_refused() {
    for arguments in [
        &["--write", "--remove"][..],
        &["--write", "--link"],
        &["--remove", "--link"],
        &["--force"],
        &["--all"],
    ] {
        let (code, out, err) = Home::of(find("cursor").unwrap()).config(arguments).await;
        assert_eq!((code, &*out), (2, ""), "{arguments:?}: {err}");
    }
}
