//! The ledger in PostgreSQL, shared by any number of processes on any number of machines.

use std::error::Error;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{
    ClientWrapper, GenericClient, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod,
};
use parking_lot::Mutex;
use sevendigital::platform_tls;
use tokio::runtime::Handle;
use tokio_postgres::config::Host;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, IsolationLevel};
use tokio_postgres_rustls::MakeRustlsConnect;
use uuid::Uuid;

use super::entry::LedgerError;
use super::schema::{Dialect, VERSION, migrate, tables};
use super::sql::{Cell, Row, Sql, SqlResult};

const DIALECT: Dialect = Dialect {
    serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    int: "BIGINT",
    bytes: "BYTEA",
    strict: "",
};

/// Connections at most. Transactions are short.
const CONNECTIONS: usize = 16;
/// How long a connection, and each statement on it, may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What processes lock while they set the tables up.
const SET_UP: i64 = 0x7d16_17a1;
/// For the session whose end says that this process is gone.
const KEEPALIVES: &str = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 20000";
/// What is committed must outlast the server, also where the database's default says otherwise.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// The database. Connections are opened when they are needed.
pub(super) struct Postgres {
    pool: Pool,
    config: Config,
    tls: MakeRustlsConnect,
    /// Whether the tables are there.
    is_set_up: Mutex<bool>,
    presence: Mutex<Presence>,
}

/// A session that lives as long as this process, and what it has locked: the owner of the charges that are made meanwhile.
#[derive(Default)]
struct Presence {
    session: Option<Client>,
    owners: Vec<String>,
}

impl Postgres {
    /// For a URL such as `postgres://user@host/database`. Nothing is connected yet.
    pub(super) fn new(url: &str) -> Result<Self, LedgerError> {
        // The parser's own words may quote the URL, which holds a password.
        let wrong = "`ledger_url` is not a URL such as postgres://user:password@host/database";
        let mut config: Config = url.parse().map_err(|_| LedgerError(wrong.into()))?;
        config.application_name("sevendigital-mcp");
        config.connect_timeout(TIMEOUT).tcp_user_timeout(TIMEOUT);
        config.keepalives_idle(TIMEOUT);
        let tls = platform_tls().map_err(|error| failed("opened", &error))?;
        let tls = MakeRustlsConnect::new(tls);
        let recycling_method = RecyclingMethod::Fast;
        let manager = ManagerConfig { recycling_method };
        let manager = Manager::from_config(config.clone(), tls.clone(), manager);
        let durable = Hook::async_fn(|connection: &mut ClientWrapper, _| {
            Box::pin(async move {
                let set = connection.batch_execute(DURABLE).await;
                set.map_err(HookError::Backend)
            })
        });
        let pool = Pool::builder(manager).max_size(CONNECTIONS);
        let pool = pool.post_create(durable).build();
        Ok(Self {
            pool: pool.map_err(|error| failed("opened", &error))?,
            config,
            tls,
            is_set_up: Mutex::default(),
            presence: Mutex::default(),
        })
    }

    /// Runs a transaction. Only on a thread that may block.
    pub(super) fn write<T>(&self, work: impl FnOnce(&dyn Sql) -> SqlResult<T>) -> SqlResult<T> {
        let mut connection = self.connection()?;
        let ended = self.transact(&mut connection, work);
        if ended.is_err() {
            // What failed may be half done: it is closed.
            drop(Object::take(connection));
        }
        ended
    }

    /// Runs queries. Only on a thread that may block.
    pub(super) fn read<T>(&self, work: impl FnOnce(&dyn Sql) -> SqlResult<T>) -> SqlResult<T> {
        let connection = self.connection()?;
        let ended = work(&Session(&connection, self));
        if ended.is_err() {
            drop(Object::take(connection));
        }
        ended
    }

    /// Runs queries on what is there: no tables are made. Only on a thread that may block.
    pub(super) fn look<T>(&self, work: impl FnOnce(&dyn Sql) -> SqlResult<T>) -> SqlResult<T> {
        work(&Session(&self.pooled()?, self))
    }

    /// The owner of the charges to come: while its session lives, others take them for alive. Only on a thread that may block.
    pub(super) fn announce(&self) -> SqlResult<String> {
        let mut presence = self.presence.lock();
        let session = presence.session.as_ref();
        let lives = session.is_some_and(|session| !session.is_closed());
        if let (true, Some(owner)) = (lives, presence.owners.last()) {
            return Ok(owner.clone());
        }
        let owner = Uuid::new_v4().to_string();
        let connect = async {
            let (session, connection) = self.config.connect(self.tls.clone()).await?;
            tokio::spawn(connection);
            // A machine that vanishes is missed within half a minute.
            session.batch_execute(KEEPALIVES).await?;
            session
                .execute("SELECT pg_advisory_lock($1)", &[&lock_of(&owner)])
                .await?;
            Ok(session)
        };
        presence.session = Some(timed(connect)?);
        presence.owners.push(owner.clone());
        Ok(owner)
    }

    /// All owners that this process has had.
    pub(super) fn owners(&self) -> Vec<String> {
        self.presence.lock().owners.clone()
    }

    /// Host and database, without user and password.
    pub(super) fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        let database = self.config.get_dbname().or(self.config.get_user());
        format!(
            "PostgreSQL at {}, database {}",
            hosts.join(", "),
            database.unwrap_or_default()
        )
    }

    /// A connection to tables of today's version.
    fn connection(&self) -> SqlResult<Object> {
        let mut connection = self.pooled()?;
        let mut is_set_up = self.is_set_up.lock();
        if !*is_set_up {
            self.set_up(&mut connection)?;
            *is_set_up = true;
        }
        Ok(connection)
    }

    fn pooled(&self) -> SqlResult<Object> {
        let get = tokio::time::timeout(TIMEOUT, self.pool.get());
        let got = Handle::current()
            .block_on(get)
            .map_err(|_| failed("reached", &"it took too long"))?;
        got.map_err(|error| match error {
            PoolError::Backend(error) => failed("reached", &described(&error)),
            other => failed("reached", &other),
        })
    }

    /// Makes the tables, unless they are there.
    fn set_up(&self, connection: &mut Object) -> SqlResult<()> {
        let version = self.transact(connection, |sql| {
            let encoding =
                sql.first("SELECT current_setting('server_encoding') AS encoding", &[])?;
            let encoding = encoding.and_then(|mut row| row.text("encoding"));
            if encoding.as_deref() != Some("UTF8") {
                let why = "its encoding is not UTF8, so not every answer could be written down";
                return Err(failed("used", &why));
            }
            sql.execute("SELECT pg_advisory_xact_lock($1)", &[SET_UP.into()])?;
            let versions = "CREATE TABLE IF NOT EXISTS ledger_version (version BIGINT NOT NULL)";
            sql.execute(versions, &[])?;
            let version = sql.number("SELECT MAX(version) AS n FROM ledger_version", &[])?;
            if version < VERSION {
                if version > 0 {
                    migrate(sql, version)?;
                }
                let tables = tables(&DIALECT);
                let statements = tables.trim().split_terminator(';');
                for statement in statements {
                    sql.execute(statement, &[])?;
                }
                sql.execute("INSERT INTO ledger_version VALUES ($1)", &[VERSION.into()])?;
            }
            Ok(version)
        })?;
        if version > VERSION {
            let later = "a later version of this program wrote it; use that one";
            return Err(failed("used", &later));
        }
        Ok(())
    }

    /// A transaction that sees what was committed while it waited for a lock, whatever the database's default is.
    fn transact<T>(
        &self,
        connection: &mut Object,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T>,
    ) -> SqlResult<T> {
        let builder = connection.build_transaction();
        let builder = builder.isolation_level(IsolationLevel::ReadCommitted);
        let transaction = timed(builder.start())?;
        let value = work(&Session(&transaction, self))?;
        timed(transaction.commit())?;
        Ok(value)
    }
}

/// The result of something that takes no longer than [`TIMEOUT`]. Only on a thread that may block.
fn timed<T>(work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> SqlResult<T> {
    match Handle::current().block_on(async { tokio::time::timeout(TIMEOUT, work).await }) {
        Ok(ended) => ended.map_err(|error| failed("used", &described(&error))),
        Err(_) => Err(failed("used", &"it took too long")),
    }
}

/// The words of the database, where it has any; else what is wrong with the connection.
fn described(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> LedgerError {
    LedgerError(format!("the ledger in PostgreSQL can't be {what}: {error}"))
}

/// The key of an owner's lock.
fn lock_of(owner: &str) -> i64 {
    let (high, _) = Uuid::parse_str(owner).unwrap_or_default().as_u64_pair();
    high.cast_signed()
}

/// A connection, or a transaction on one.
struct Session<'a, C>(&'a C, &'a Postgres);

impl<C: GenericClient + Sync> Sql for Session<'_, C> {
    fn execute(&self, statement: &str, values: &[Cell]) -> SqlResult<u64> {
        timed(async {
            let statement = self.0.prepare_cached(statement).await?;
            self.0.execute(&statement, &parameters(values)).await
        })
    }

    fn query(&self, statement: &str, values: &[Cell]) -> SqlResult<Vec<Row>> {
        let rows = timed(async {
            let statement = self.0.prepare_cached(statement).await?;
            self.0.query(&statement, &parameters(values)).await
        })?;
        Ok(rows.iter().map(row).collect())
    }

    fn wall_clock(&self) -> SqlResult<i64> {
        let now = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AS n";
        self.number(now, &[])
    }

    fn lock_account(&self, account: &str) -> SqlResult<()> {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        self.execute(lock, &[account.into()]).map(|_| ())
    }

    fn is_alive(&self, owner: &str) -> SqlResult<bool> {
        if self.1.owners().iter().any(|own| own == owner) {
            return Ok(true);
        }
        let free = "SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN 1 ELSE 0 END::BIGINT AS n";
        Ok(self.number(free, &[lock_of(owner).into()])? == 0)
    }
}

fn parameters(values: &[Cell]) -> Vec<&(dyn ToSql + Sync)> {
    let values = values.iter();
    values.map(|value| value as _).collect()
}

fn row(row: &tokio_postgres::Row) -> Row {
    let columns = row.columns().iter().enumerate();
    let cells = columns.map(|(place, column)| {
        let cell = match *column.type_() {
            Type::INT8 => row.get::<_, Option<i64>>(place).map(Cell::Int),
            Type::BYTEA => row.get::<_, Option<Vec<u8>>>(place).map(Cell::Bytes),
            _ => row.get::<_, Option<String>>(place).map(Cell::Text),
        };
        (column.name().to_owned(), cell.unwrap_or(Cell::Null))
    });
    Row(cells.collect())
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
