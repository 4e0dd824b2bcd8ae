//! Questions that wait for the user's answer in a browser or on a terminal: in the ledger, so that every process on it knows of them.

use std::time::Duration;

use super::clock::{read_time, tick};
use super::entry::{Repeat, Result};
use super::ledger::Ledger;
use super::queries::{find_blocking, withdraw_question};
use super::sql::{Row, Sql, SqlResult};

/// A question that waits for the user's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingQuestion {
    /// The nonce of the confirmation that it becomes.
    pub id: String,
    /// What is asked, as whoever asked wrote it.
    pub content: String,
    /// When it is no longer good, in milliseconds since 1970 by the ledger's clock.
    pub expires: i64,
    /// The user's answer, once there is one.
    pub answer: Option<bool>,
}

impl Ledger {
    /// The question about `subject` that is open or answered and has not expired.
    pub async fn find_question(&self, subject: &str) -> Result<Option<WaitingQuestion>> {
        let subject = subject.to_owned();
        self.0
            .read(move |sql| find(sql, read_time(sql)?, "subject = $2", &subject))
            .await
    }

    /// A question that has not expired and whose confirmation was not used.
    pub async fn question(&self, id: &str) -> Result<Option<WaitingQuestion>> {
        let id = id.to_owned();
        self.0
            .read(move |sql| find(sql, read_time(sql)?, "id = $2", &id))
            .await
    }

    /// Asks, unless the same is asked already: there is one question about a subject. None where a purchase by that key and identity stands against it: it was made, or is being made, since.
    pub async fn ask(
        &self,
        subject: String,
        id: String,
        content: String,
        ttl: Duration,
        purchase: Option<(String, String)>,
    ) -> Result<Option<WaitingQuestion>> {
        self.0
            .write(move |sql| {
                let now = tick(sql)?;
                if let Some((key, identity)) = &purchase
                    && find_blocking(sql, now, key, identity, Repeat::Asked)?.is_some()
                {
                    return Ok(None);
                }
                sql.execute("DELETE FROM question WHERE expires < $1", &[now.into()])?;
                let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
                let expires = now.saturating_add(ttl);
                let insert = "INSERT INTO question (id, subject, content, expires) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
                let values = [(&id).into(), (&subject).into(), (&content).into(), expires.into()];
                sql.execute(insert, &values)?;
                find(sql, now, "subject = $2", &subject)
            })
            .await
    }

    /// Writes the user's answer down; false where the question was answered before, has expired, or is gone. The first answer counts.
    pub async fn answer_question(&self, id: &str, answer: bool) -> Result<bool> {
        let id = id.to_owned();
        self.0
            .write(move |sql| {
                let update = "UPDATE question SET answer = $3 WHERE id = $2 AND expires >= $1 AND answer IS NULL";
                let values = [tick(sql)?.into(), (&id).into(), i64::from(answer).into()];
                Ok(sql.execute(update, &values)? > 0)
            })
            .await
    }

    /// The questions without an answer, oldest first.
    pub async fn open_questions(&self) -> Result<Vec<WaitingQuestion>> {
        self.0
            .read(|sql| {
                let query = format!(
                    "SELECT {COLUMNS} FROM question WHERE expires >= $1 AND answer IS NULL ORDER BY expires"
                );
                let rows = sql.query(&query, &[read_time(sql)?.into()])?.into_iter();
                Ok(rows.filter_map(question).collect())
            })
            .await
    }

    /// Takes a question back, whether it was answered or not.
    pub async fn withdraw_question(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.0.write(move |sql| withdraw_question(sql, &id)).await
    }
}

const COLUMNS: &str = "id, content, expires, answer";

fn find(
    sql: &dyn Sql,
    now: i64,
    condition: &str,
    value: &str,
) -> SqlResult<Option<WaitingQuestion>> {
    let query = format!("SELECT {COLUMNS} FROM question WHERE expires >= $1 AND {condition}");
    let row = sql.first(&query, &[now.into(), value.into()])?;
    Ok(row.and_then(question))
}

fn question(mut row: Row) -> Option<WaitingQuestion> {
    Some(WaitingQuestion {
        id: row.text("id")?,
        content: row.text("content")?,
        expires: row.int("expires")?,
        answer: row.int("answer").map(|answer| answer != 0),
    })
}
