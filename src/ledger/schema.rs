//! The tables, and how those of earlier versions become today's.

use super::sql::{Sql, SqlResult};

/// The version of [`tables`].
pub(super) const VERSION: i64 = 3;

/// What the two databases write otherwise.
pub(super) struct Dialect {
    /// The type of a row's own number.
    pub(super) serial: &'static str,
    /// The type of whole numbers.
    pub(super) int: &'static str,
    /// The type of bytes.
    pub(super) bytes: &'static str,
    /// What stands behind a table.
    pub(super) strict: &'static str,
}

/// Today's tables and indexes, as far as they are not there: an index for every question that is asked.
///
/// Times are milliseconds since 1970: `started` and `ended` by the wall clock, for people; all others by the ledger's own, which never goes back.
pub(super) fn tables(dialect: &Dialect) -> String {
    let Dialect {
        serial,
        int,
        bytes,
        strict,
    } = dialect;
    format!(
        "
        CREATE TABLE IF NOT EXISTS charge (
            id {serial}, attempt TEXT NOT NULL, key TEXT NOT NULL, identity TEXT NOT NULL, account TEXT NOT NULL,
            tool TEXT NOT NULL, arguments TEXT NOT NULL, item TEXT NOT NULL, title TEXT, price {int}, currency TEXT,
            state TEXT NOT NULL, started {int} NOT NULL, begun {int} NOT NULL, upstream_time {int}, ended {int},
            owner TEXT NOT NULL, purchase_id TEXT, document TEXT, code {int}
        ){strict};
        CREATE UNIQUE INDEX IF NOT EXISTS charge_by_attempt ON charge (attempt);
        CREATE INDEX IF NOT EXISTS charge_by_key ON charge (key);
        CREATE INDEX IF NOT EXISTS charge_by_identity ON charge (identity);
        CREATE INDEX IF NOT EXISTS charge_by_account ON charge (account, begun);
        CREATE INDEX IF NOT EXISTS charge_by_item ON charge (account, item);
        CREATE INDEX IF NOT EXISTS charge_by_purchase ON charge (account, purchase_id) WHERE purchase_id IS NOT NULL;
        CREATE INDEX IF NOT EXISTS charge_by_owner ON charge (owner) WHERE state = 'sending';
        CREATE INDEX IF NOT EXISTS charge_settled ON charge (begun) WHERE state IN ('done', 'refused', 'not_sent');
        CREATE UNIQUE INDEX IF NOT EXISTS charge_in_flight ON charge (identity) WHERE state = 'sending';
        CREATE TABLE IF NOT EXISTS confirmation (nonce TEXT PRIMARY KEY, used {int} NOT NULL){strict};
        CREATE INDEX IF NOT EXISTS confirmation_by_use ON confirmation (used);
        CREATE TABLE IF NOT EXISTS question (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL UNIQUE, content TEXT NOT NULL, expires {int} NOT NULL, answer {int}
        ){strict};
        CREATE TABLE IF NOT EXISTS idempotency_key (
            caller TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, given {int} NOT NULL, PRIMARY KEY (caller, name)
        ){strict};
        CREATE INDEX IF NOT EXISTS idempotency_key_by_time ON idempotency_key (given);
        CREATE TABLE IF NOT EXISTS signing_key (id {int} PRIMARY KEY CHECK (id = 1), key {bytes} NOT NULL){strict};
        CREATE TABLE IF NOT EXISTS clock (id {int} PRIMARY KEY CHECK (id = 1), highest {int} NOT NULL, ahead {int} NOT NULL){strict};
        INSERT INTO clock (id, highest, ahead) VALUES (1, 0, 0) ON CONFLICT DO NOTHING;
        "
    )
}

/// The columns that came with each version; up to version 2 in SQLite, since there was no other database before it.
const MIGRATIONS: [&[&str]; 3] = [
    &[
        "ALTER TABLE charge ADD COLUMN identity TEXT NOT NULL DEFAULT ''",
        "UPDATE charge SET identity =
            account || CASE tool WHEN 'deliver-user-item' THEN ' partner ' ELSE ' card ' END || item || ' '",
    ],
    &[
        "ALTER TABLE charge ADD COLUMN attempt TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE charge ADD COLUMN currency TEXT",
        "ALTER TABLE charge ADD COLUMN begun INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE charge ADD COLUMN upstream_time INTEGER",
        "UPDATE charge SET attempt = 'charge ' || id, begun = started",
        "DROP INDEX charge_by_account",
        "DROP INDEX charge_open",
    ],
    &["ALTER TABLE charge ADD COLUMN title TEXT"],
];

/// Brings the table of charges of an earlier version to today's columns.
pub(super) fn migrate(sql: &dyn Sql, version: i64) -> SqlResult<()> {
    let done = usize::try_from(version).unwrap_or_default();
    for statement in MIGRATIONS.iter().skip(done).copied().flatten() {
        sql.execute(statement, &[])?;
    }
    Ok(())
}
