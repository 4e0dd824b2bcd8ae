//! The ledger, read and changed from outside: its file in a state folder, and the `ledger` command.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::process::program;

/// A state folder that is gone after the test.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs `ledger` on a folder: exit code, stdout, stderr.
pub(crate) async fn ledger(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let state = folder.to_str().unwrap();
    let arguments = [&["ledger", "--state-dir", state], arguments].concat();
    let output = program(&arguments, &[]).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// A charge as the ledger's file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) tool: String,
    pub(crate) item: String,
    pub(crate) state: String,
    pub(crate) purchase_id: Option<String>,
}

/// The charges in a folder's ledger, oldest first.
pub(crate) fn rows(folder: &Path) -> Vec<Row> {
    let ledger = open(folder);
    let mut statement = ledger
        .prepare("SELECT key, tool, item, state, purchase_id FROM charge ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Row {
            key: row.get(0)?,
            tool: row.get(1)?,
            item: row.get(2)?,
            state: row.get(3)?,
            purchase_id: row.get(4)?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The states in it, oldest first.
pub(crate) fn states(folder: &Path) -> Vec<String> {
    rows(folder).into_iter().map(|row| row.state).collect()
}

/// Makes everything in a folder's ledger older.
pub(crate) fn age(folder: &Path, milliseconds: i64) {
    let changed = open(folder).execute(
        "UPDATE charge SET started = started - ?1, begun = begun - ?1",
        [milliseconds],
    );
    assert!(changed.unwrap() > 0);
}

/// Takes all charges out of it.
pub(crate) fn empty(folder: &Path) {
    if file(folder).exists() {
        open(folder).execute("DELETE FROM charge", []).unwrap();
    }
}

pub(crate) fn open(folder: &Path) -> rusqlite::Connection {
    let ledger = rusqlite::Connection::open(file(folder)).unwrap();
    ledger
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    ledger
}

pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("ledger.sqlite")
}
