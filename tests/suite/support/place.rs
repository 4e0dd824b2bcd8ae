//! Where a ledger is: in a folder, or in PostgreSQL where `tests/postgres` has started it.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

use super::ledger_file;
use super::wait::within;
use super::world::Setting;

/// A ledger that no other test has.
pub(crate) struct Place {
    folder: TempDir,
    url: Option<String>,
}

impl Place {
    /// One in a folder, and one in PostgreSQL.
    pub(crate) async fn all() -> Vec<Self> {
        let folder = Self {
            folder: ledger_file::folder(),
            url: None,
        };
        [folder].into_iter().chain(Self::shared().await).collect()
    }

    /// One in PostgreSQL, where there is one.
    pub(crate) async fn shared() -> Option<Self> {
        let Ok(server) = std::env::var("TEST_POSTGRES") else {
            println!("left out: run with `tests/postgres` to try PostgreSQL too");
            return None;
        };
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {name}");
        let client = connect(&server).await;
        client.batch_execute(&create).await.unwrap();
        // Whatever the operator's default is.
        let isolation =
            format!("ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'");
        client.batch_execute(&isolation).await.unwrap();
        let (start, _) = server.rsplit_once('/').unwrap();
        Some(Self {
            folder: ledger_file::folder(),
            url: Some(format!("{start}/{name}")),
        })
    }

    /// The settings that lead to it.
    pub(crate) fn settings(&self) -> Vec<Setting<'_>> {
        let folder = (
            "SEVENDIGITAL_MCP_STATE_DIR",
            self.folder.path().to_str().unwrap(),
        );
        let url = self.url.as_deref();
        let url = url.map(|url| ("SEVENDIGITAL_MCP_LEDGER_URL", url));
        [folder].into_iter().chain(url).collect()
    }

    /// The settings that lead to it, and these.
    pub(crate) fn with<'a>(&'a self, more: &[Setting<'a>]) -> Vec<Setting<'a>> {
        [&self.settings()[..], more].concat()
    }

    /// Runs a statement that writes many rows.
    pub(crate) async fn fill(&self, statement: &str) {
        let Some(url) = &self.url else {
            let ledger = ledger_file::open(self.folder.path());
            return ledger.execute_batch(statement).unwrap();
        };
        let client = connect(url).await;
        for statement in [statement, "VACUUM ANALYZE charge", "CHECKPOINT"] {
            client.batch_execute(statement).await.unwrap();
        }
    }

    /// The states of its charges, oldest first.
    pub(crate) async fn states(&self) -> Vec<String> {
        let Some(url) = &self.url else {
            return ledger_file::states(self.folder.path());
        };
        let client = connect(url).await;
        let rows = client.query("SELECT state FROM charge ORDER BY id", &[]);
        rows.await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A PostgreSQL of a test's own, which it may stop.
pub(crate) struct OwnPostgres {
    _server: Child,
    pub(crate) url: String,
    control: String,
}

impl OwnPostgres {
    /// One, where the tests run with `tests/postgres`.
    pub(crate) async fn start() -> Option<Self> {
        std::env::var("TEST_POSTGRES").ok()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres");
        let say = "echo $TEST_POSTGRES; echo $TEST_POSTGRES_CTL; cat";
        let mut server = Command::new(script)
            .args(["bash", "-c", say])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut line = async || {
            within("PostgreSQL", said.next_line())
                .await
                .unwrap()
                .unwrap()
        };
        let (url, control) = (line().await, line().await);
        Some(Self {
            _server: server,
            url,
            control,
        })
    }

    /// `start`, `stop` or `restart`, with options of `pg_ctl`.
    pub(crate) async fn control(&self, arguments: &[&str]) {
        let mut command = Command::new(&self.control);
        let ended = within("pg_ctl", command.args(arguments).status()).await;
        assert!(ended.unwrap().success(), "{arguments:?}");
    }
}
