//! The command `doctor`: the real binary with a home of its own, before a sandbox.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;
use sevendigital_sandbox::Sandbox;
use tempfile::TempDir;

use crate::support::upstream::Upstream;
use crate::support::{by_nobody, folder, program, sandbox_settings, within};

mod clients;
mod examined;
mod faults;

/// Somebody's machine: a home, a state folder in it, the demo user's settings, and what else must live as long.
pub(crate) struct Patient {
    pub(crate) home: TempDir,
    pub(crate) sandbox: Sandbox,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    working_folder: Option<PathBuf>,
    /// Whether a user runs the program who is not root, where the test may choose.
    by_nobody: bool,
    ports: Vec<TcpListener>,
    upstreams: Vec<Upstream>,
}

/// What was found: exit code, findings, and all that was printed.
pub(crate) struct Examined {
    pub(crate) code: i32,
    pub(crate) findings: Vec<Value>,
    pub(crate) printed: String,
}

impl Patient {
    /// A healthy one.
    pub(crate) async fn new() -> Self {
        let (home, sandbox) = (folder(), Sandbox::start().await.unwrap());
        let mut patient = Self {
            variables: sandbox_settings(&sandbox.base_uri()),
            home,
            sandbox,
            arguments: Vec::new(),
            working_folder: None,
            by_nobody: false,
            ports: Vec::new(),
            upstreams: Vec::new(),
        };
        let (home, state) = (patient.path(""), patient.path("state"));
        patient.set("HOME", home.to_str().unwrap());
        patient.set("SEVENDIGITAL_MCP_STATE_DIR", state.to_str().unwrap());
        patient.set("SEVENDIGITAL_MCP_BIND", "127.0.0.1:0");
        patient
    }

    /// A path in the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Sets a variable, or takes it away where the value is empty.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(other, _)| other != name);
        if !value.is_empty() {
            self.variables.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Adds an argument.
    pub(crate) fn argue(&mut self, argument: &str) {
        self.arguments.push(argument.to_owned());
    }

    /// Writes a file below the home that everybody may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o644);
        path
    }

    /// Runs any command: exit code, and stdout and stderr together.
    pub(crate) async fn command(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = program(arguments, &self.variables);
        if let Some(folder) = &self.working_folder {
            command.current_dir(folder);
        }
        if self.by_nobody {
            command.current_dir("/");
            command = by_nobody(self.home.path(), &command).unwrap_or(command);
        }
        let output = within("the program", command.output()).await.unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), out + &err)
    }

    /// Buys a release.
    pub(crate) async fn buy(&self) {
        let arguments = r#"{"releaseId": "11700062"}"#;
        let buy = ["call", "purchase-user-item", "--args", arguments];
        self.command(&buy).await;
    }

    /// Examines these areas; all where there are none.
    pub(crate) async fn examine(&self, areas: &[&str]) -> Examined {
        let (code, printed) = self.run(&[&["--json"], areas].concat()).await;
        let report: Value = serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"));
        Examined {
            code,
            findings: report["findings"].as_array().unwrap().clone(),
            printed,
        }
    }

    /// Runs `doctor` with these arguments: exit code, and stdout and stderr together.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let own = self.arguments.iter().map(String::as_str);
        let arguments: Vec<&str> = ["doctor"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(own)
            .collect();
        self.command(&arguments).await
    }
}

impl Examined {
    /// The findings with that id.
    pub(crate) fn of(&self, id: &str) -> Vec<&Value> {
        let found = self.findings.iter();
        found.filter(|finding| finding["id"] == id).collect()
    }
}

pub(crate) fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
