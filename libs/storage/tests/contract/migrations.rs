use storage::{Database, DatabaseConfig, DbError, Migration, Statement, testing, values};

use crate::world::SHOP;

const FIRST: Migration = Migration {
    number: 10,
    name: "first",
    sql: "CREATE TABLE first (tenant_id TEXT NOT NULL PRIMARY KEY); CREATE INDEX first_again ON first (tenant_id);",
    sqlite: "",
    postgres: "",
};
const SECOND: Migration = Migration {
    number: 11,
    name: "second",
    sql: "CREATE TABLE second (tenant_id TEXT NOT NULL PRIMARY KEY);",
    sqlite: "CREATE VIEW only_sqlite AS SELECT tenant_id FROM second;",
    postgres: "CREATE VIEW only_postgres AS SELECT tenant_id FROM second;",
};

#[tokio::test]
async fn migrations_apply_once_and_in_order() {
    for database in testing::databases("migrate").await {
        assert_eq!(database.migrate("shop", &[FIRST]).await, Ok(vec![10]));
        assert_eq!(database.migrate("shop", &[FIRST, SECOND]).await, Ok(vec![11]));
        assert_eq!(database.migrate("shop", &[FIRST, SECOND]).await, Ok(vec![]));
        assert_eq!(database.migrate("shop", &[storage::OUTBOX, FIRST, SECOND]).await, Ok(vec![3]));
        assert_eq!(database.check_schema(&[storage::OUTBOX, FIRST, SECOND]).await, Ok(()));
        assert!(matches!(database.migrate("shop", &[SECOND, FIRST]).await, Err(DbError::Malformed { .. })));
    }
}

#[tokio::test]
async fn a_schema_the_program_does_not_know_is_refused() {
    for database in testing::databases("unknown_schema").await {
        let behind = database.check_schema(&[FIRST]).await;
        database.migrate("shop", &[FIRST, SECOND]).await.unwrap();
        let rewritten = Migration { sql: "CREATE TABLE first (tenant_id TEXT);", ..FIRST };
        let further = Migration { number: 12, ..SECOND };

        assert!(matches!(behind, Err(DbError::Other { .. })), "{behind:?}");
        let newer = database.migrate("shop", &[FIRST]).await;
        assert!(matches!(newer, Err(DbError::SchemaTooNew { .. })), "{newer:?}");
        let newer = database.check_schema(&[FIRST]).await;
        assert!(matches!(newer, Err(DbError::SchemaTooNew { .. })), "{newer:?}");
        let changed = database.migrate("shop", &[rewritten, SECOND]).await;
        assert!(matches!(changed, Err(DbError::SchemaTooNew { .. })), "{changed:?}");
        let other = database.migrate("warehouse", &[FIRST, SECOND]).await;
        assert!(matches!(other, Err(DbError::SchemaTooNew { .. })), "{other:?}");
        let missing = database.check_schema(&[FIRST, SECOND, further]).await;
        assert!(matches!(missing, Err(DbError::Other { .. })), "{missing:?}");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    static HALF: Statement = Statement::new("test.half", "SELECT 1 AS one FROM half");
    let broken = Migration { sql: "CREATE TABLE half (id TEXT); CREATE TABLE nonsense (;", ..SECOND };
    for database in testing::databases("broken_migration").await {
        let failed = database.migrate("shop", &[FIRST, broken]).await;
        let mut tx = database.begin().await.unwrap();
        let half = tx.fetch_all(&HALF, values![]).await;
        drop(tx);

        assert!(failed.is_err());
        assert!(half.is_err(), "the first half of the failed migration is gone");
        assert_eq!(database.migrate("shop", &[FIRST, SECOND]).await, Ok(vec![11]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_migrate_once() {
    for database in testing::databases("migrate_together").await {
        let all = [storage::REQUESTS, storage::STEP_LEDGER, storage::OUTBOX, storage::INBOX, SHOP];

        let (one, other, third) = tokio::join!(
            database.migrate("shop", &all),
            database.migrate("shop", &all),
            database.migrate("shop", &all)
        );

        let mut applied: Vec<u32> = [one, other, third].into_iter().flat_map(Result::unwrap).collect();
        applied.sort_unstable();
        assert_eq!(applied, [1, 2, 3, 4, 10]);
    }
}

#[tokio::test]
async fn a_postgres_schema_is_brought_up_to_date_at_the_start_only_where_asked() {
    let Some(config) = testing::postgres("ready").await else { return };
    let asked = DatabaseConfig { migrate_on_start: true, ..config.clone() };

    let behind = Database::ready("shop", &[FIRST], &config).await.err();
    let migrated = Database::ready("shop", &[FIRST], &asked).await;
    let up_to_date = Database::ready("shop", &[FIRST], &config).await;

    assert!(matches!(behind, Some(DbError::Other { .. })), "{behind:?}");
    assert!(migrated.is_ok());
    assert!(up_to_date.is_ok());
}

#[tokio::test]
async fn an_embedded_schema_is_always_brought_up_to_date_and_its_directory_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not").join("yet").join("a.db");
    let config = DatabaseConfig::at(format!("sqlite:{}", path.display()));

    Database::migrate_only("shop", &[FIRST], &config).await.unwrap();
    let database = Database::ready("shop", &[FIRST, SECOND], &config).await.unwrap();

    assert_eq!(database.check_schema(&[FIRST, SECOND]).await, Ok(()));
}
