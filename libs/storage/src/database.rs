//! Opening a database and beginning transactions on it.

use std::fs::{self, File};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;

use crate::error::DbError;
use crate::private;
use crate::settings::{self, DatabaseConfig, Place};
use crate::tx::Tx;

/// How long a transaction waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How often a transaction that lost a race is run again.
pub(crate) const RETRIES: u32 = 3;
/// A pooled connection may have died while it was idle, so a failed BEGIN is tried on others.
const BEGIN_TRIES: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One service's database. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    driver: Driver,
    /// Added to the database's clock, so that a test can let leases run out.
    clock_shift: Arc<AtomicI64>,
}

#[derive(Debug)]
enum Driver {
    Sqlite(Box<Sqlite>),
    Postgres(PgPool),
}

#[derive(Debug)]
struct Sqlite {
    options: SqliteConnectOptions,
    /// SQLite has one writer at a time. Waiting for it here is fair, and cheaper than its busy handler.
    /// Empty after a transaction was abandoned in the middle of a statement; the next one reconnects.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: SqlitePool,
    /// Held for as long as the database is open: two processes on one file would not see each other's wake-ups.
    _lock: File,
    _private: Option<PrivateDirectory>,
}

impl Database {
    pub async fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        let driver = match settings::place(&config.url)? {
            Place::SqliteFile(path) => Driver::Sqlite(Box::new(Sqlite::open(&path, None, config).await?)),
            Place::SqlitePrivate => {
                let directory = PrivateDirectory::create()?;
                let path = directory.0.join("private.db");
                Driver::Sqlite(Box::new(Sqlite::open(&path, Some(directory), config).await?))
            }
            Place::Postgres => Driver::Postgres(open_postgres(config).await?),
        };
        Ok(Self { inner: Arc::new(Inner { driver, clock_shift: Arc::default() }) })
    }

    pub fn engine(&self) -> Engine {
        match &self.inner.driver {
            Driver::Sqlite(_) => Engine::Sqlite,
            Driver::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a write transaction. Dropping it rolls it back.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match &self.inner.driver {
            Driver::Sqlite(sqlite) => {
                let writer = tokio::time::timeout(ACQUIRE, Arc::clone(&sqlite.writer).lock_owned())
                    .await
                    .map_err(|_| DbError::unavailable("begin", "the writer was busy for too long"))?;
                Tx::begin_sqlite(writer, &sqlite.options, &self.inner.clock_shift).await
            }
            Driver::Postgres(pool) => {
                self.begin_postgres(pool, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await
            }
        }
    }

    /// Begins a read-only transaction: all its statements see one snapshot.
    pub async fn read(&self) -> Result<Tx, DbError> {
        match &self.inner.driver {
            Driver::Sqlite(sqlite) => {
                let reader = sqlite.readers.acquire().await;
                let reader = reader.map_err(|problem| DbError::from_sqlx("begin", problem))?;
                Tx::begin_sqlite_read(reader, &self.inner.clock_shift).await
            }
            Driver::Postgres(pool) => {
                self.begin_postgres(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
            }
        }
    }

    async fn begin_postgres(&self, pool: &PgPool, begin: &'static str) -> Result<Tx, DbError> {
        let mut tries = 1;
        loop {
            let connection = pool.acquire().await.map_err(|problem| DbError::from_sqlx("begin", problem))?;
            match Tx::begin_postgres(connection, begin, &self.inner.clock_shift).await {
                Err(DbError::Unavailable { .. }) if tries < BEGIN_TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// Begins, runs `body` and commits; runs it again when it lost a race. `body` takes the transaction and gives it
    /// back with its value: `|mut tx| async move { …; Ok((tx, value)) }`. It must bear being run again, and the whole
    /// future may be dropped at any await: what is not committed then is rolled back, and the connection is not used
    /// again when a statement was under way.
    ///
    /// The transaction goes by value because a future that borrows it can't be shown to be `Send` in general
    /// (an `AsyncFn(&mut Tx)` does not compile inside a spawned task on Rust 1.95).
    pub async fn write<T, F>(&self, name: &'static str, body: impl Fn(Tx) -> F) -> Result<T, DbError>
    where
        F: Future<Output = Result<(Tx, T), DbError>>,
    {
        let mut retries = 0;
        loop {
            let lost = match body(self.begin().await?).await {
                Ok((tx, value)) => match tx.commit().await {
                    Ok(()) => return Ok(value),
                    Err(problem) => problem,
                },
                Err(problem) => problem,
            };
            if !lost.is_retryable() || retries == RETRIES {
                return Err(lost);
            }
            retries += 1;
            tracing::debug!(name, retries, %lost, "running a transaction again");
            pause_after_race().await;
        }
    }

    /// Runs a read on one snapshot and gives the connection back.
    pub async fn reading<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut tx = self.read().await?;
        let outcome = read(&mut tx).await;
        tx.rollback().await;
        outcome
    }

    /// Closes the connections when the transactions under way have ended.
    pub async fn close(&self) {
        match &self.inner.driver {
            Driver::Sqlite(sqlite) => {
                sqlite.readers.close().await;
                if let Some(writer) = sqlite.writer.lock().await.take()
                    && let Err(problem) = writer.close().await
                {
                    tracing::warn!(%problem, "could not close the database cleanly");
                }
            }
            Driver::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) fn shift_clock(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.inner.clock_shift.fetch_add(micros, Ordering::Relaxed);
    }
}

/// A short random pause, so that two transactions that met once do not meet again.
pub(crate) async fn pause_after_race() {
    tokio::time::sleep(Duration::from_millis(rand::random_range(5..=50))).await;
}

impl Sqlite {
    async fn open(
        path: &Path,
        private: Option<PrivateDirectory>,
        config: &DatabaseConfig,
    ) -> Result<Self, DbError> {
        private::directory_of(path)?;
        let lock = lock_file(path)?;
        private::database(path)?;
        let options = settings::sqlite_options(path, config);
        let failed = |problem| DbError::from_sqlx("open", problem);
        let mut writer = options.connect().await.map_err(failed)?;
        settings::judge(&settings::sqlite_settings(&mut writer).await?, config.accept_data_loss)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().pragma("query_only", "on"));
        let writer = Arc::new(Mutex::new(Some(writer)));
        Ok(Self { options, writer, readers, _lock: lock, _private: private })
    }
}

fn lock_file(database: &Path) -> Result<File, DbError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let lock = private::file(&path)?;
    lock.try_lock().map_err(|problem| {
        DbError::unavailable(
            "open",
            format!("{} is in use by another process: {problem}", database.display()),
        )
    })?;
    Ok(lock)
}

async fn open_postgres(config: &DatabaseConfig) -> Result<PgPool, DbError> {
    let failed = |problem| DbError::from_sqlx("open", problem);
    if config.create_if_missing {
        create_postgres(config).await?;
    }
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE)
        // BEGIN finds out whether a connection is alive; a ping before it would be one round trip more.
        .test_before_acquire(false)
        .connect_with(settings::postgres_options(config)?)
        .await
        .map_err(failed)?;
    let mut connection = pool.acquire().await.map_err(failed)?;
    settings::judge(&settings::postgres_settings(&mut connection).await?, config.accept_data_loss)?;
    drop(connection);
    Ok(pool)
}

/// Creates the database that the url names, from the server's own `postgres` database, unless it is there.
async fn create_postgres(config: &DatabaseConfig) -> Result<(), DbError> {
    let failed = |problem| DbError::from_sqlx("create database", problem);
    let options = settings::postgres_options(config)?;
    let name = options.get_database().unwrap_or_default().to_owned();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        // The name becomes part of a statement, which takes no parameter there.
        return Err(DbError::malformed("create database", "its name may hold letters, digits and _ only"));
    }
    let mut connection = options.database("postgres").connect().await.map_err(failed)?;
    let there = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    if there == 0 {
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        sqlx::raw_sql(create).execute(&mut connection).await.map_err(failed)?;
    }
    connection.close().await.map_err(failed)
}

/// Where a private database lives; removed with it.
#[derive(Debug)]
struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    fn create() -> Result<Self, DbError> {
        let name = format!("countermand-{}-{:016x}", std::process::id(), rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        private::directory(&path)?;
        Ok(Self(path))
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if let Err(problem) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%problem, path = %self.0.display(), "could not remove a private database");
        }
    }
}
