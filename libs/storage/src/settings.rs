//! How a database is opened, and the self-check that refuses one which may lose what it has committed.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use crate::error::DbError;

/// More than a service has statements, so that each is prepared once per connection; SQLite's have a text for each size of
/// a batch.
const STATEMENT_CACHE: usize = 2_048;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:path`, `sqlite::memory:` (a private database that ends with the process) or `postgres://…`.
    pub url: String,
    /// Connections to PostgreSQL, or readers beside the one writer of SQLite.
    pub max_connections: u32,
    /// Start even though the database may lose committed transactions when the machine loses power.
    pub accept_data_loss: bool,
    /// Create a PostgreSQL database that is not there yet; the user must be allowed to. An embedded one always is made.
    pub create_if_missing: bool,
    /// Bring a PostgreSQL schema up to date at the start. An embedded one always is: nobody else could.
    pub migrate_on_start: bool,
    /// SQLite's `synchronous`: `full`, or `normal` together with `accept_data_loss`.
    pub sqlite_synchronous: Synchronous,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    Normal,
    Full,
    Extra,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:countermand.db".to_owned(),
            max_connections: 8,
            accept_data_loss: false,
            create_if_missing: false,
            migrate_on_start: false,
            sqlite_synchronous: Synchronous::Full,
        }
    }
}

impl DatabaseConfig {
    /// The defaults for a database at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    SqliteFile(PathBuf),
    SqlitePrivate,
    Postgres,
}

pub(crate) fn place(url: &str) -> Result<Place, DbError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Postgres);
    }
    match url.strip_prefix("sqlite:") {
        Some(":memory:") => Ok(Place::SqlitePrivate),
        Some(path) if !path.trim_start_matches('/').is_empty() => {
            Ok(Place::SqliteFile(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
        }
        _ => Err(DbError::malformed("open", "a database url starts with sqlite: or postgres://")),
    }
}

pub(crate) fn sqlite_options(path: &Path, config: &DatabaseConfig) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match config.sqlite_synchronous {
            Synchronous::Normal => SqliteSynchronous::Normal,
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Extra => SqliteSynchronous::Extra,
        })
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(STATEMENT_CACHE)
        // Rows cross from SQLite's thread in one go instead of one wake-up each.
        .row_buffer_size(1024)
}

pub(crate) fn postgres_options(config: &DatabaseConfig) -> Result<PgConnectOptions, DbError> {
    let options =
        PgConnectOptions::from_str(&config.url).map_err(|problem| DbError::malformed("open", problem))?;
    Ok(options.statement_cache_capacity(STATEMENT_CACHE).options([
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("client_connection_check_interval", "1s"),
        ("tcp_user_timeout", "10s"),
        ("default_transaction_isolation", "read committed"),
    ]))
}

/// One setting as the database reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub name: &'static str,
    pub value: String,
    pub safe: &'static [&'static str],
}

impl Setting {
    fn is_safe(&self) -> bool {
        self.safe.contains(&self.value.as_str())
    }
}

/// Fails closed: an unsafe setting is refused unless the operator has accepted it in writing.
pub(crate) fn judge(settings: &[Setting], accept_data_loss: bool) -> Result<(), DbError> {
    let bad: Vec<String> = settings
        .iter()
        .filter(|setting| !setting.is_safe())
        .map(|setting| {
            format!("{} is {} instead of {}", setting.name, setting.value, setting.safe.join(" or "))
        })
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    if accept_data_loss {
        tracing::warn!(settings = bad.join(", "), "this database may lose committed transactions");
        return Ok(());
    }
    let detail = format!(
        "the database may lose committed transactions: {}; correct it or set accept_data_loss",
        bad.join(", ")
    );
    Err(DbError::UnsafeSettings { statement: "self-check", detail })
}

pub(crate) async fn sqlite_settings(connection: &mut SqliteConnection) -> Result<Vec<Setting>, DbError> {
    let failed = |problem| DbError::from_sqlx("self-check", problem);
    let synchronous: i64 =
        sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
    let journal: String =
        sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
    let foreign_keys: i64 =
        sqlx::query("PRAGMA foreign_keys").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
    Ok(vec![
        Setting { name: "synchronous", value: synchronous.to_string(), safe: &["2", "3"] },
        Setting { name: "journal_mode", value: journal, safe: &["wal"] },
        Setting { name: "foreign_keys", value: foreign_keys.to_string(), safe: &["1"] },
    ])
}

pub(crate) async fn postgres_settings(connection: &mut PgConnection) -> Result<Vec<Setting>, DbError> {
    let row = sqlx::query(
        "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
                current_setting('synchronous_commit') AS synchronous_commit,
                CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS server",
    )
    .fetch_one(connection)
    .await
    .map_err(|problem| DbError::from_sqlx("self-check", problem))?;
    let setting = |name, safe| Setting { name, value: row.get(name), safe };
    Ok(vec![
        setting("fsync", &["on"]),
        setting("full_page_writes", &["on"]),
        setting("synchronous_commit", &["on", "remote_apply"]),
        setting("server", &["primary"]),
    ])
}

#[cfg(test)]
mod tests;
