//! Where an embedded suite keeps its data.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage of the embedded suite")]
pub struct Storage {
    /// Directory of the SQLite files.
    #[arg(long, env = "COUNTERMAND_DATA_DIR", default_value = "countermand-data")]
    pub data_dir: PathBuf,
    /// Use PostgreSQL instead: a server url without a database, such as postgres://user@host:5432; each service gets its
    /// own database (countermand_order, …), created when missing.
    #[arg(long, env = "COUNTERMAND_DATABASE_URL")]
    pub database_url: Option<String>,
}
