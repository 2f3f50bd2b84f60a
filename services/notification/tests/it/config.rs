//! The configuration as a file gives it.

use std::fs;

use kit::config::{ConfigError, load_from};
use notification::config::Config;

fn load(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("notification.toml");
    fs::write(&file, text).expect("the directory is writable");
    load_from("notification", Some(&file))
}

#[test]
fn the_database_section_holds_the_connection_and_the_migration() {
    let text = "[database]\nurl = \"postgres://host/db\"\nmax_connections = 3\nmigrate_on_start = true\n";

    let config = load(text).unwrap();

    assert_eq!(config.database.url, "postgres://host/db");
    assert_eq!(config.database.max_connections, 3);
    assert!(config.database.migrate_on_start);
}

#[test]
fn a_misspelt_key_is_refused() {
    let error = load("[database]\nmax_conections = 3\n").unwrap_err();

    assert!(matches!(error, ConfigError::UnknownKeys { .. } | ConfigError::Invalid { .. }), "{error}");
}
