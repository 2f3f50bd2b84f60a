//! One transaction. It is steered with plain BEGIN, COMMIT and ROLLBACK instead of the driver's own transaction type:
//! so a future may be dropped at any await, because a connection whose statement was under way is closed, never reused.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row as _};
use tokio::sync::OwnedMutexGuard;

use crate::database::Engine;
use crate::error::DbError;
use crate::row::Row;
use crate::statement::{POSTGRES_NOW, Statement};
use crate::value::{Value, postgres_query, sqlite_query};

/// The server gives up on a statement after 5 s; silence for longer than this means a dead connection.
const SILENCE: Duration = Duration::from_secs(12);
/// BEGIN waits for nothing, so a connection that died while it was idle is found out sooner.
const SILENCE_AT_BEGIN: Duration = Duration::from_secs(3);

type Writer = OwnedMutexGuard<Option<SqliteConnection>>;

/// A transaction under way. Dropping it rolls it back.
#[derive(Debug)]
pub struct Tx {
    /// Empty only after `commit` and `rollback` have taken it.
    connection: Option<Connection>,
    engine: Engine,
    now_micros: Option<i64>,
    clock_shift: i64,
    state: State,
    /// No limit for migrations, which may take their time.
    patience: Option<Duration>,
}

#[derive(Debug)]
enum Connection {
    Writer(Writer),
    Reader(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

enum Driver<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two statements.
    Open,
    /// A statement is under way. Whoever finds a transaction so has dropped its future.
    Busy,
    /// A statement has failed. PostgreSQL would answer COMMIT with a quiet ROLLBACK, so commit refuses.
    Broken,
}

impl Tx {
    pub(crate) async fn begin_sqlite(
        mut writer: Writer,
        options: &SqliteConnectOptions,
        clock_shift: &Arc<AtomicI64>,
    ) -> Result<Self, DbError> {
        if writer.is_none() {
            let connection = options.connect().await;
            *writer = Some(connection.map_err(|problem| DbError::from_sqlx("begin", problem))?);
        }
        let mut tx = Self::new(Connection::Writer(writer), Engine::Sqlite, clock_shift);
        tx.command("BEGIN IMMEDIATE").await?;
        Ok(tx)
    }

    pub(crate) async fn begin_sqlite_read(
        reader: PoolConnection<Sqlite>,
        clock_shift: &Arc<AtomicI64>,
    ) -> Result<Self, DbError> {
        let mut tx = Self::new(Connection::Reader(reader), Engine::Sqlite, clock_shift);
        tx.command("BEGIN").await?;
        Ok(tx)
    }

    /// One round trip begins the transaction and brings the server's clock.
    pub(crate) async fn begin_postgres(
        connection: PoolConnection<Postgres>,
        begin: &'static str,
        clock_shift: &Arc<AtomicI64>,
    ) -> Result<Self, DbError> {
        let mut tx = Self::new(Connection::Postgres(connection), Engine::Postgres, clock_shift);
        tx.state = State::Busy;
        let Driver::Postgres(connection) = tx.driver() else {
            unreachable!("made from a PostgreSQL connection")
        };
        let text = sqlx::AssertSqlSafe(format!("{begin}; SELECT {POSTGRES_NOW} AS now"));
        let row = patiently(Some(SILENCE_AT_BEGIN), "begin", sqlx::raw_sql(text).fetch_all(connection))
            .await?
            .map_err(|problem| DbError::from_sqlx("begin", problem))?
            .pop()
            .ok_or_else(|| DbError::malformed("begin", "the server's clock gave no row"))?;
        tx.now_micros = Some(row.try_get("now").map_err(|problem| DbError::from_sqlx("begin", problem))?);
        tx.state = State::Open;
        Ok(tx)
    }

    fn new(connection: Connection, engine: Engine, clock_shift: &Arc<AtomicI64>) -> Self {
        Self {
            connection: Some(connection),
            engine,
            now_micros: None,
            clock_shift: clock_shift.load(Ordering::Relaxed),
            state: State::Open,
            patience: (engine == Engine::Postgres).then_some(SILENCE),
        }
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Runs a statement and tells how many rows it touched. A set-based write is checked with [`Tx::execute_exactly`].
    pub async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, DbError> {
        let outcome = self.try_execute(statement, values).await;
        self.settle(outcome)
    }

    /// Runs a statement that must touch `expected` rows.
    pub async fn execute_exactly(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
        expected: u64,
    ) -> Result<(), DbError> {
        let actual = self.execute(statement, values).await?;
        if actual == expected {
            return Ok(());
        }
        self.settle(Err(DbError::RowCount { statement: statement.name(), expected, actual }))
    }

    pub async fn fetch_all(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let outcome = self.try_fetch(statement, values).await;
        self.settle(outcome)
    }

    /// The only row, if there is one; two rows are an error.
    pub async fn fetch_optional(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        let mut rows = self.fetch_all(statement, values).await?;
        let actual = rows.len() as u64;
        if actual > 1 {
            return self.settle(Err(DbError::RowCount { statement: statement.name(), expected: 1, actual }));
        }
        Ok(rows.pop())
    }

    pub async fn fetch_one(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Row, DbError> {
        match self.fetch_optional(statement, values).await? {
            Some(row) => Ok(row),
            None => {
                self.settle(Err(DbError::RowCount { statement: statement.name(), expected: 1, actual: 0 }))
            }
        }
    }

    /// The database's clock in microseconds since 1970, read once per transaction. Leases and schedules are judged
    /// by it and by nothing else, so that the clocks of the service's replicas don't matter.
    pub async fn db_now(&mut self) -> Result<i64, DbError> {
        static NOW: Statement = Statement::new("storage.db_now", "SELECT db_now() AS now");
        let micros = match self.now_micros {
            Some(micros) => micros,
            None => self.fetch_one(&NOW, Vec::new()).await?.int("now")?,
        };
        self.now_micros = Some(micros);
        Ok(micros.saturating_add(self.clock_shift))
    }

    pub async fn commit(mut self) -> Result<(), DbError> {
        if self.state != State::Open {
            let detail = "a statement of this transaction has failed".to_owned();
            return Err(DbError::Other { statement: "commit", detail });
        }
        self.state = State::Busy;
        let patience = self.patience;
        let outcome = match patiently(patience, "commit", run(self.driver(), "COMMIT")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(problem)) => Err(DbError::from_commit(problem)),
            Err(silence) => Err(DbError::OutcomeUnknown { statement: "commit", detail: silence.to_string() }),
        };
        if outcome.is_ok() {
            // Back to the pool; after an error the drop below closes the connection instead.
            self.connection = None;
        }
        outcome
    }

    /// Gives up what was done. It can't fail for the caller: a connection that does not answer is closed.
    pub async fn rollback(mut self) {
        if self.state == State::Busy {
            return;
        }
        self.state = State::Busy;
        let patience = self.patience;
        if let Ok(Ok(())) = patiently(patience, "rollback", run(self.driver(), "ROLLBACK")).await {
            self.connection = None;
        }
    }

    /// Runs the text of a migration: several statements, no parameters, no hurry.
    pub(crate) async fn script(&mut self, name: &'static str, text: &'static str) -> Result<(), DbError> {
        self.patience = None;
        self.state = State::Busy;
        let outcome = match self.driver() {
            Driver::Sqlite(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
            Driver::Postgres(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
        };
        self.settle(outcome.map_err(|problem| DbError::from_sqlx(name, problem)))
    }

    async fn command(&mut self, text: &'static str) -> Result<(), DbError> {
        self.state = State::Busy;
        let outcome = run(self.driver(), text).await;
        self.settle(outcome.map_err(|problem| DbError::from_sqlx("begin", problem)))
    }

    async fn try_execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, DbError> {
        let name = statement.name();
        let patience = self.start(name)?;
        let outcome = match self.driver() {
            Driver::Sqlite(connection) => {
                let (sql, arguments) = sqlite_query(statement, values)?;
                let query = sqlx::query_with(sql, arguments);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Driver::Postgres(connection) => {
                let (sql, arguments) = postgres_query(statement, values)?;
                let query = sqlx::query_with(sql, arguments);
                let outcome = patiently(patience, name, query.execute(connection)).await?;
                outcome.map(|done| done.rows_affected())
            }
        };
        outcome.map_err(|problem| DbError::from_sqlx(name, problem))
    }

    async fn try_fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let name = statement.name();
        let patience = self.start(name)?;
        let outcome = match self.driver() {
            Driver::Sqlite(connection) => {
                let (sql, arguments) = sqlite_query(statement, values)?;
                let query = sqlx::query_with(sql, arguments);
                let rows = query.fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(|row| Row::sqlite(name, row)).collect())
            }
            Driver::Postgres(connection) => {
                let (sql, arguments) = postgres_query(statement, values)?;
                let query = sqlx::query_with(sql, arguments);
                let rows = patiently(patience, name, query.fetch_all(connection)).await?;
                rows.map(|rows| rows.into_iter().map(|row| Row::postgres(name, row)).collect())
            }
        };
        outcome.map_err(|problem| DbError::from_sqlx(name, problem))
    }

    fn start(&mut self, statement: &'static str) -> Result<Option<Duration>, DbError> {
        if self.state != State::Open {
            let detail = "an earlier statement of this transaction has failed".to_owned();
            return Err(DbError::Other { statement, detail });
        }
        self.state = State::Busy;
        Ok(self.patience)
    }

    fn settle<T>(&mut self, outcome: Result<T, DbError>) -> Result<T, DbError> {
        self.state = match &outcome {
            Ok(_) => State::Open,
            // Nobody knows what such a connection is doing; the drop closes it.
            Err(DbError::Unavailable { .. }) => State::Busy,
            Err(_) => State::Broken,
        };
        outcome
    }

    fn driver(&mut self) -> Driver<'_> {
        match self
            .connection
            .as_mut()
            .expect("only commit and rollback take it, and they consume the transaction")
        {
            Connection::Writer(writer) => {
                Driver::Sqlite(writer.as_mut().expect("begin has connected the writer"))
            }
            Connection::Reader(reader) => Driver::Sqlite(reader),
            Connection::Postgres(connection) => Driver::Postgres(connection),
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.state == State::Busy {
            connection.abandon();
            return;
        }
        // No statement is under way, so the connection is sound: roll back beside the caller and keep it.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(connection.roll_back(self.patience))),
            Err(_) => connection.abandon(),
        }
    }
}

impl Connection {
    /// Closes the connection, which ends its transaction at the database.
    fn abandon(self) {
        match self {
            Self::Writer(mut writer) => *writer = None,
            Self::Reader(mut reader) => reader.close_on_drop(),
            Self::Postgres(mut connection) => connection.close_on_drop(),
        }
    }

    async fn roll_back(mut self, patience: Option<Duration>) {
        let driver = match &mut self {
            Self::Writer(writer) => Driver::Sqlite(writer.as_mut().expect("begin has connected the writer")),
            Self::Reader(reader) => Driver::Sqlite(reader),
            Self::Postgres(connection) => Driver::Postgres(connection),
        };
        if !matches!(patiently(patience, "rollback", run(driver, "ROLLBACK")).await, Ok(Ok(()))) {
            self.abandon();
        }
    }
}

async fn run(driver: Driver<'_>, text: &'static str) -> Result<(), sqlx::Error> {
    match driver {
        Driver::Sqlite(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
        Driver::Postgres(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
    }
}

/// A server that is silent for too long is taken for dead. The statement's future is dropped in its middle, which is
/// safe here and only here: the transaction stays busy, so its connection is closed.
async fn patiently<T>(
    patience: Option<Duration>,
    statement: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, DbError> {
    match patience {
        None => Ok(work.await),
        Some(patience) => tokio::time::timeout(patience, work)
            .await
            .map_err(|_| DbError::unavailable(statement, "the server is silent")),
    }
}
