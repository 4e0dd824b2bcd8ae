//! What both databases have in common: statements with `$1`, `$2` … for their values, rows, and a clock.

use std::collections::BTreeMap;

use super::entry::LedgerError;

/// A value of a statement or of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row of a result: its values by the names of their columns.
#[derive(Debug, Default)]
pub(super) struct Row(pub(super) BTreeMap<String, Cell>);

/// What a statement returns.
pub(super) type SqlResult<T> = Result<T, LedgerError>;

/// One connection, within a transaction where it writes.
pub(super) trait Sql {
    /// Runs a statement; gives the number of rows that it changed.
    fn execute(&self, statement: &str, values: &[Cell]) -> SqlResult<u64>;

    /// Runs a query.
    fn query(&self, statement: &str, values: &[Cell]) -> SqlResult<Vec<Row>>;

    /// Milliseconds since 1970 by the clock that all who share the database go by.
    fn wall_clock(&self) -> SqlResult<i64>;

    /// Waits until no other transaction works on this account.
    fn lock_account(&self, account: &str) -> SqlResult<()>;

    /// Whether a process, named by the owner of its charges, still lives.
    fn is_alive(&self, owner: &str) -> SqlResult<bool>;

    /// The first row of a query.
    fn first(&self, statement: &str, values: &[Cell]) -> SqlResult<Option<Row>> {
        Ok(self.query(statement, values)?.into_iter().next())
    }

    /// The number that a query gives in its column `n`; zero without a row.
    fn number(&self, statement: &str, values: &[Cell]) -> SqlResult<i64> {
        let row = self.first(statement, values)?;
        Ok(row.and_then(|mut row| row.int("n")).unwrap_or_default())
    }
}

impl Row {
    /// Takes a whole number out.
    pub(super) fn int(&mut self, column: &str) -> Option<i64> {
        match self.0.remove(column)? {
            Cell::Int(number) => Some(number),
            _ => None,
        }
    }

    /// Takes a text out.
    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        match self.0.remove(column)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes bytes out.
    pub(super) fn bytes(&mut self, column: &str) -> Option<Vec<u8>> {
        match self.0.remove(column)? {
            Cell::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl<T: AsRef<str> + ?Sized> From<&T> for Cell {
    fn from(text: &T) -> Self {
        Self::Text(text.as_ref().to_owned())
    }
}

impl<T> From<Option<T>> for Cell
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}
