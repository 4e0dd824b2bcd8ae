//! Where the clients' files are, on systems other than this one too.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use sevendigital_mcp::config::{FOLDER_VARIABLES, System, UserFolders};
use sevendigital_mcp::connect::{CLIENTS, file, files, find, is_installed};

/// On Linux, macOS and Windows, below the home.
#[rustfmt::skip]
const ROWS: [(&str, [&str; 3]); 12] = [
    ("claude-desktop", [".config/Claude/claude_desktop_config.json", "Library/Application Support/Claude/claude_desktop_config.json", "AppData/Roaming/Claude/claude_desktop_config.json"]),
    ("claude-code", [".claude.json"; 3]),
    ("vscode", [".config/Code/User/mcp.json", "Library/Application Support/Code/User/mcp.json", "AppData/Roaming/Code/User/mcp.json"]),
    ("cursor", [".cursor/mcp.json"; 3]),
    ("windsurf", [".codeium/windsurf/mcp_config.json"; 3]),
    ("zed", [".config/zed/settings.json", ".config/zed/settings.json", "AppData/Roaming/Zed/settings.json"]),
    ("codex", [".codex/config.toml"; 3]),
    ("gemini", [".gemini/settings.json"; 3]),
    ("goose", [".config/goose/config.yaml", ".config/goose/config.yaml", "AppData/Roaming/Block/goose/config/config.yaml"]),
    ("lm-studio", [".lmstudio/mcp.json"; 3]),
    ("cline", [".cline/data/settings/cline_mcp_settings.json"; 3]),
    ("inspector", [".mcp-inspector/mcp.json"; 3]),
];

fn folders(system: System, home: &Path, variables: &[(&str, &str)]) -> UserFolders {
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    UserFolders {
        system,
        home: home.to_owned(),
        variables: variables.collect(),
    }
}

#[test]
fn every_client_has_a_file_on_every_system() {
    let home = tempfile::tempdir().unwrap();
    for client in &CLIENTS {
        let mut rows = ROWS.iter();
        let row = rows.find(|(name, _)| *name == client.name);
        let (_, paths) = row.unwrap_or_else(|| panic!("no row for {}", client.name));
        let systems = [System::Linux, System::MacOs, System::Windows];
        for (system, path) in systems.into_iter().zip(paths) {
            let found = file(client, &folders(system, home.path(), &[]));
            assert_eq!(found, Some(home.path().join(path)), "{system:?}");
        }
    }
}

#[test]
fn variables_move_files_and_empty_ones_do_not() {
    #[rustfmt::skip]
    let rows = [
        ("claude-code", "CLAUDE_CONFIG_DIR", "/x/.claude.json"),
        ("codex", "CODEX_HOME", "/x/config.toml"),
        ("cline", "CLINE_MCP_SETTINGS_PATH", "/x"),
        ("inspector", "MCP_CATALOG_PATH", "/x"),
        ("vscode", "XDG_CONFIG_HOME", "/x/Code/User/mcp.json"),
        ("zed", "XDG_CONFIG_HOME", "/x/zed/settings.json"),
        ("zed", "FLATPAK_XDG_CONFIG_HOME", "/x/zed/settings.json"),
    ];
    let home = tempfile::tempdir().unwrap();
    for (name, variable, path) in rows {
        assert!(
            FOLDER_VARIABLES.contains(&variable),
            "{variable} is not read"
        );
        let client = find(name).unwrap();
        let path = Some(PathBuf::from(path));
        let moved = folders(System::Linux, home.path(), &[(variable, "/x")]);
        assert_eq!(file(client, &moved), path, "{variable}");
        let stays = folders(System::Linux, home.path(), &[(variable, "")]);
        assert_ne!(file(client, &stays), path, "{variable}");
    }
    let windows = [("APPDATA", "/r")];
    let windows = folders(System::Windows, home.path(), &windows);
    let vscode = file(find("vscode").unwrap(), &windows);
    assert_eq!(vscode, Some("/r/Code/User/mcp.json".into()));
}

#[test]
fn a_packaged_claude_desktop_has_its_file_where_the_app_sees_it() {
    let home = tempfile::tempdir().unwrap();
    let local = home.path().join("local");
    let roaming = local.join("Packages/Claude_abc/LocalCache/Roaming");
    fs::create_dir_all(&roaming).unwrap();
    fs::create_dir_all(local.join("Packages/Other_abc/LocalCache/Roaming")).unwrap();
    let variables = [("LOCALAPPDATA", local.to_str().unwrap())];
    let windows = folders(System::Windows, home.path(), &variables);
    let client = find("claude-desktop").unwrap();
    let packaged = roaming.join("Claude/claude_desktop_config.json");
    let plain = home
        .path()
        .join("AppData/Roaming/Claude/claude_desktop_config.json");
    assert_eq!(files(client, &windows), [packaged.clone(), plain]);
    assert_eq!(file(client, &windows), Some(packaged));
}

#[test]
fn a_client_is_installed_where_it_has_left_its_folder() {
    for client in &CLIENTS {
        let home = tempfile::tempdir().unwrap();
        let folders = folders(System::Linux, home.path(), &[]);
        assert!(!is_installed(client, &folders), "{}", client.name);
        let file = file(client, &folders).unwrap();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let is_own_folder = file.parent() != Some(home.path());
        assert_eq!(is_installed(client, &folders), is_own_folder);
        fs::write(&file, "").unwrap();
        assert!(is_installed(client, &folders), "{}", client.name);
    }
}

#[test]
fn an_older_file_that_exists_is_the_one_to_write() {
    let home = tempfile::tempdir().unwrap();
    let folders = folders(System::Linux, home.path(), &[]);
    let cline = find("cline").unwrap();
    let older = files(cline, &folders).pop().unwrap();
    assert_ne!(file(cline, &folders).as_ref(), Some(&older));
    fs::create_dir_all(older.parent().unwrap()).unwrap();
    fs::write(&older, "").unwrap();
    assert_eq!(file(cline, &folders), Some(older));
}
