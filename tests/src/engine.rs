//! Which database a suite runs on, and where each of its services keeps its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Names a PostgreSQL server, as a user who may create databases; `tests/run` starts one and sets it.
pub const POSTGRES: &str = "COUNTERMAND_TEST_POSTGRES";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// SQLite always; PostgreSQL when a server is named.
    pub fn available() -> Vec<Self> {
        let mut engines = vec![Self::Sqlite];
        if std::env::var_os(POSTGRES).is_some() {
            engines.push(Self::Postgres);
        }
        engines
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// A url for `database` of the suite `label`; on PostgreSQL the database is created.
    pub fn url(self, directory: &Path, label: &str, database: &str) -> Result<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite:{}", directory.join(format!("{database}.db")).display())),
            Self::Postgres => create_database(&format!("{label}_{database}")),
        }
    }
}

fn create_database(name: &str) -> Result<String> {
    let server = std::env::var(POSTGRES).context("COUNTERMAND_TEST_POSTGRES must name a server")?;
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--dbname",
            &server,
            "--command",
            &format!("CREATE DATABASE {name}"),
        ])
        .output()
        .context("running psql")?;
    ensure!(output.status.success(), "creating {name}: {}", String::from_utf8_lossy(&output.stderr));
    let (base, _) = server.rsplit_once('/').context("the server's url ends with a database name")?;
    Ok(format!("{base}/{name}"))
}
