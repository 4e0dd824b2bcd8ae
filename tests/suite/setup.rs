//! The command `setup` and the secret from a command, run as a person does, in a home of their own.

mod asked;
mod command;
mod flags;
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{program, within};

/// What must never be shown.
const SECRET: &str = "canary-s3cr3t";

/// Stores a secret that comes on stdin.
const WITH_SECRET_ON_STDIN: [&str; 4] = [
    "setup",
    "--yes",
    "--consumer-key=k",
    "--consumer-secret-file=-",
];

/// What a run left: exit code, stdout, stderr.
type Ran = (i32, String, String);

/// Somebody's home, with what the environment has besides.
struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    /// An empty one, where 7digital is nowhere.
    fn new() -> Self {
        Self::before("http://127.0.0.1:1/1.2")
    }

    /// An empty one before this 7digital.
    fn before(base_uri: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("HOME", folder.path().to_str().unwrap()),
            ("SEVENDIGITAL_BASE_URI", base_uri),
            ("SEVENDIGITAL_MCP_BIND", "127.0.0.1:0"),
            ("BROWSER", "/bin/true"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            variables: variables.to_vec(),
            folder,
        }
    }

    /// The same with another environment variable.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with Cursor installed.
    fn with_cursor(self) -> Self {
        self.put(".cursor/mcp.json", "{}\n");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Our own file.
    fn file(&self) -> PathBuf {
        self.path(".config/sevendigital-mcp/sevendigital-mcp.toml")
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn configure(&self, text: &str) {
        self.put(".config/sevendigital-mcp/sevendigital-mcp.toml", text);
    }

    fn program(&self, arguments: &[&str]) -> Command {
        program(arguments, &self.variables)
    }

    /// Runs the program without a terminal, with this on its stdin.
    async fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut program = self.program(arguments);
        let mut child = program.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // Who does not read it has closed it.
        let _ = pipe.write_all(stdin.as_bytes()).await;
        drop(pipe);
        let output = within("the program", child.wait_with_output()).await;
        let output = output.unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "").await
    }

    /// That our own file is its owner's alone, and nothing else was left beside it.
    fn check_file(&self) {
        let mode = self.file().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let beside = fs::read_dir(self.file().parent().unwrap()).unwrap();
        let names: Vec<_> = beside.map(|file| file.unwrap().file_name()).collect();
        let is_known = |name: &std::ffi::OsString| {
            ["sevendigital-mcp.toml", "credentials.toml"].contains(&name.to_str().unwrap())
        };
        assert!(names.iter().all(is_known), "{names:?}");
    }

    /// That Cursor starts this server.
    fn check_cursor(&self) {
        let entries = self.cursor();
        let command = &entries["sevendigital"]["command"];
        assert_eq!(
            *command,
            env!("CARGO_BIN_EXE_sevendigital-mcp"),
            "{entries}"
        );
        assert!(!entries.to_string().contains(SECRET), "{entries}");
    }

    /// The entries that Cursor has.
    fn cursor(&self) -> Value {
        let text = fs::read_to_string(self.path(".cursor/mcp.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["mcpServers"].clone()
    }
}
