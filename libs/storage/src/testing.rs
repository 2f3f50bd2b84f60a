//! Databases for tests, one of its own for each test and engine. SQLite in a temporary directory is the fake.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use types::Tenant;

use crate::book::{Book, Cell};
use crate::database::Database;
use crate::settings::DatabaseConfig;

/// Names a PostgreSQL server, as a user who may create databases. Without it tests run on SQLite alone.
pub const POSTGRES: &str = "COUNTERMAND_TEST_POSTGRES";

/// An empty SQLite database and, if [`POSTGRES`] is set, an empty PostgreSQL one.
///
/// # Panics
/// If one can't be made: then the test can't run.
pub async fn databases(name: &str) -> Vec<Database> {
    let mut databases = vec![open(&DatabaseConfig::at("sqlite::memory:")).await];
    if let Some(config) = postgres(name).await {
        databases.push(open(&config).await);
    }
    databases
}

/// A new PostgreSQL database; None without [`POSTGRES`].
///
/// # Panics
/// If the server is named but can't be used.
pub async fn postgres(name: &str) -> Option<DatabaseConfig> {
    let server = std::env::var(POSTGRES).ok()?;
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(30).collect();
    let name = format!("test_{}_{:08x}", name.to_lowercase(), rand::random::<u32>());
    let mut connection = PgConnection::connect(&server).await.expect("the test server must be reachable");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("the test server must let us create databases");
    let options: PgConnectOptions = server.parse().expect("it was parsed to connect");
    let url = options.database(&name).to_url_lossy().to_string();
    // A test server may well be set up to be fast instead of durable.
    Some(DatabaseConfig { accept_data_loss: true, ..DatabaseConfig::at(url) })
}

/// Moves the database's clock, as `Tx::db_now` tells it, so that leases and pauses run out without waiting.
pub fn advance_clock(database: &Database, by: Duration) {
    database.shift_clock(by);
}

/// Every row of a book, however many pages it has.
///
/// # Panics
/// If it can't be read.
pub async fn rows_of(database: &Database, book: &Book, tenant: &Tenant) -> Vec<Vec<Cell>> {
    let mut tx = database.read().await.expect("a test needs its database");
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    loop {
        let page = book.page(&mut tx, tenant, rows.last().map(Vec::as_slice)).await;
        let page = page.expect("a book names columns that exist");
        rows.extend(page.rows);
        if page.is_last {
            return rows;
        }
    }
}

async fn open(config: &DatabaseConfig) -> Database {
    Database::open(config).await.expect("a test needs its database")
}
