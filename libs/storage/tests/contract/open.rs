use storage::{Database, DatabaseConfig, DbError, Synchronous, testing};

#[tokio::test]
async fn sqlite_below_full_is_refused_unless_the_loss_is_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("a.db").display());
    let careless = DatabaseConfig { sqlite_synchronous: Synchronous::Normal, ..DatabaseConfig::at(url) };

    let refused = Database::open(&careless).await.err();
    let accepted = Database::open(&DatabaseConfig { accept_data_loss: true, ..careless }).await;

    assert!(matches!(refused, Some(DbError::UnsafeSettings { .. })), "{refused:?}");
    assert!(accepted.is_ok());
}

#[tokio::test]
async fn postgres_that_does_not_wait_for_its_log_is_refused_unless_the_loss_is_accepted() {
    let Some(config) = testing::postgres("careless").await else { return };
    let (server, options) = config.url.split_once('?').unwrap_or((&config.url, ""));
    let careless = format!("{server}?options=-c%20synchronous_commit%3Doff&{options}");
    let strict = DatabaseConfig::at(careless);

    let refused = Database::open(&strict).await.err();
    let accepted = Database::open(&DatabaseConfig { accept_data_loss: true, ..strict }).await;

    assert!(matches!(refused, Some(DbError::UnsafeSettings { .. })), "{refused:?}");
    assert!(accepted.is_ok());
}

#[tokio::test]
async fn one_process_owns_a_sqlite_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::at(format!("sqlite:{}", directory.path().join("a.db").display()));

    let first = Database::open(&config).await.unwrap();
    let second = Database::open(&config).await.err();
    first.close().await;
    drop(first);
    let third = Database::open(&config).await;

    assert!(matches!(second, Some(DbError::Unavailable { .. })), "{second:?}");
    assert!(third.is_ok());
}

#[tokio::test]
async fn an_url_of_no_engine_is_refused() {
    for url in ["", "mysql://localhost/a", "sqlite:", "countermand.db"] {
        let refused = Database::open(&DatabaseConfig::at(url)).await.err();

        assert!(matches!(refused, Some(DbError::Malformed { .. })), "{url}: {refused:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_is_its_own_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let config = DatabaseConfig::at(format!("sqlite:{}", data.join("a.db").display()));
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let rights = || {
        let files = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let modes = files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), mode(&path)));
        (mode(&data), modes.collect::<std::collections::BTreeMap<_, _>>())
    };

    // The log and its index are there while somebody has the database open.
    let database = Database::open(&config).await.unwrap();
    database.migrate("contract", &[]).await.unwrap();
    let (of_directory, files) = rights();
    database.close().await;
    drop(database);
    open(&data.join("a.db"), 0o644);
    let again = Database::open(&config).await.unwrap();
    again.migrate("contract", &[]).await.unwrap();

    assert_eq!(of_directory, 0o700);
    assert!(["a.db", "a.db-wal", "a.db-shm"].iter().all(|name| files.contains_key(*name)), "{files:?}");
    assert!(files.values().all(|mode| *mode == 0o600), "{files:?}");
    assert!(rights().1.values().all(|mode| *mode == 0o600), "what was open before is closed: {:?}", rights());
}
