//! The command `config`, run as a person does, in a home of its own.

mod command;
mod files;
mod merges;
mod places;
mod shapes;

use std::path::{Path, PathBuf};

use sevendigital_mcp::config::{System, UserFolders};
use sevendigital_mcp::connect::{CLIENTS, Client, Syntax, file};
use tempfile::TempDir;

use crate::support::{program, within};

/// What a run left: exit code, stdout, stderr.
type Ran = (i32, String, String);

/// A home for one client, with nothing in it but what a test puts there.
struct Home {
    client: &'static Client,
    folder: TempDir,
    /// The client's file.
    file: PathBuf,
}

impl Home {
    fn of(client: &'static Client) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let file = file(client, &folders(&home)).unwrap();
        Self {
            client,
            folder,
            file,
        }
    }

    fn holding(client: &'static Client, text: &str) -> Self {
        let home = Self::of(client);
        std::fs::create_dir_all(home.file.parent().unwrap()).unwrap();
        std::fs::write(&home.file, text).unwrap();
        home
    }

    /// Runs `config` for the client.
    async fn config(&self, arguments: &[&str]) -> Ran {
        let all = [&["config", self.client.name], arguments].concat();
        run(self.folder.path(), &all, &[]).await
    }

    async fn write(&self) -> Ran {
        self.config(&["--write"]).await
    }

    fn text(&self) -> String {
        String::from_utf8(std::fs::read(&self.file).unwrap()).unwrap()
    }

    /// The copies that were left beside the file.
    fn copies(&self) -> Vec<PathBuf> {
        let beside = std::fs::read_dir(self.file.parent().unwrap()).unwrap();
        let beside = beside.map(|entry| entry.unwrap().path());
        beside.filter(|path| *path != self.file).collect()
    }
}

fn folders(home: &Path) -> UserFolders {
    UserFolders {
        system: System::Linux,
        home: home.to_owned(),
        variables: Vec::new(),
    }
}

/// The clients whose files are written.
fn written() -> impl Iterator<Item = &'static Client> {
    CLIENTS
        .iter()
        .filter(|client| client.syntax != Syntax::Yaml)
}

async fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let home = ("HOME", home.to_str().unwrap());
    let variables = variables.iter().chain([&home]);
    let variables: Vec<_> = variables
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut program = program(arguments, &variables);
    let output = within("the program", program.output()).await.unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}
