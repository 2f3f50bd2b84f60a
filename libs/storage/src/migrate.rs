//! Forward-only, numbered migrations, one transaction each. A program refuses a schema it does not know.

use std::collections::BTreeMap;

use types::Fingerprint;

use crate::database::{Database, Engine};
use crate::error::DbError;
use crate::settings::DatabaseConfig;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::values;

/// One step of a schema. Storage's own have the numbers 1 to 9; a service's start at 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    /// What both engines run, first.
    pub sql: &'static str,
    /// What only SQLite runs, such as triggers.
    pub sqlite: &'static str,
    /// What only PostgreSQL runs.
    pub postgres: &'static str,
}

impl Migration {
    /// A step that both engines run alike.
    pub const fn shared(number: u32, name: &'static str, sql: &'static str) -> Self {
        Self { number, name, sql, sqlite: "", postgres: "" }
    }

    /// The same step with what each engine runs beside it.
    #[must_use]
    pub const fn and(self, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres, ..self }
    }
}

/// Table `request_key`: see [`crate::RequestKeys`].
pub const REQUESTS: Migration =
    Migration::shared(1, "requests", include_str!("../migrations/0001_requests.sql")).and(
        include_str!("../migrations/0001_requests.sqlite.sql"),
        include_str!("../migrations/0001_requests.postgres.sql"),
    );

/// Tables `saga_fence` and `step_ledger`: see [`crate::StepLedger`].
pub const STEP_LEDGER: Migration =
    Migration::shared(2, "step_ledger", include_str!("../migrations/0002_step_ledger.sql")).and(
        include_str!("../migrations/0002_step_ledger.sqlite.sql"),
        include_str!("../migrations/0002_step_ledger.postgres.sql"),
    );

/// Table `outbox`: see [`crate::outbox`].
pub const OUTBOX: Migration = Migration::shared(3, "outbox", include_str!("../migrations/0003_outbox.sql"))
    .and(
        include_str!("../migrations/0003_outbox.sqlite.sql"),
        include_str!("../migrations/0003_outbox.postgres.sql"),
    );

/// Tables `inbox` and `inbox_position`: see [`crate::Inbox`].
pub const INBOX: Migration = Migration::shared(4, "inbox", include_str!("../migrations/0004_inbox.sql")).and(
    include_str!("../migrations/0004_inbox.sqlite.sql"),
    include_str!("../migrations/0004_inbox.postgres.sql"),
);

/// Table `role_map`: see [`crate::role_map`].
pub const ROLE_MAP: Migration =
    Migration::shared(8, "role_map", include_str!("../migrations/0008_role_map.sql")).and(
        include_str!("../migrations/0008_role_map.sqlite.sql"),
        include_str!("../migrations/0008_role_map.postgres.sql"),
    );

/// Table `sealing_key`: see [`Database::sealing_key`].
pub const SEALING_KEY: Migration =
    Migration::shared(7, "sealing_key", include_str!("../migrations/0007_sealing_key.sql"));

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number     BIGINT PRIMARY KEY,
    service    TEXT NOT NULL,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";

/// Two replicas that start together migrate one after the other. The limits of ordinary statements are lifted: building
/// an index may take its time.
const TAKE_TURNS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
    SELECT pg_advisory_xact_lock(7309453001)";

static APPLIED: Statement = Statement::new(
    "storage.applied_migrations",
    "SELECT number, service, name, checksum FROM schema_migration",
);

static NOTE: Statement = Statement::new(
    "storage.note_migration",
    "INSERT INTO schema_migration (number, service, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)",
);

impl Migration {
    fn checksum(&self) -> Fingerprint {
        Fingerprint::of(&[self.sql.as_bytes(), self.sqlite.as_bytes(), self.postgres.as_bytes()])
    }
}

impl Database {
    /// Opens the database of `service` to be worked on: with its schema brought up to date where the configuration
    /// says so or the database is embedded, and refused when its schema is another one.
    pub async fn ready(
        service: &str,
        migrations: &[Migration],
        config: &DatabaseConfig,
    ) -> Result<Self, DbError> {
        let database = Self::open(config).await?;
        if database.engine() == Engine::Sqlite || config.migrate_on_start {
            database.migrate(service, migrations).await?;
        } else {
            database.check_schema(migrations).await?;
        }
        if database.engine() == Engine::Sqlite && migrations.contains(&OUTBOX) {
            crate::relay::free_claims(&database).await?;
        }
        Ok(database)
    }

    /// Brings the schema up to date and leaves the database: all that the command `migrate` does.
    pub async fn migrate_only(
        service: &str,
        migrations: &[Migration],
        config: &DatabaseConfig,
    ) -> Result<(), DbError> {
        let database = Self::open(config).await?;
        let applied = database.migrate(service, migrations).await?;
        database.close().await;
        tracing::info!(service, ?applied, "the schema is up to date");
        Ok(())
    }

    /// Applies what is missing, in the order of the numbers, and returns the numbers applied now.
    pub async fn migrate(&self, service: &str, migrations: &[Migration]) -> Result<Vec<u32>, DbError> {
        check_numbers(migrations)?;
        let mut tx = self.begin_migration().await?;
        tx.script("migrate", CREATE).await?;
        check(service, migrations, &applied(&mut tx).await?)?;
        tx.commit().await?;
        let mut done = Vec::new();
        for migration in migrations {
            if self.apply(service, migration).await? {
                tracing::info!(service, number = migration.number, name = migration.name, "migrated");
                done.push(migration.number);
            }
        }
        Ok(done)
    }

    /// Refuses a schema that is older or newer than the program.
    pub async fn check_schema(&self, migrations: &[Migration]) -> Result<(), DbError> {
        check_numbers(migrations)?;
        let mut tx = self.read().await?;
        let applied = applied(&mut tx).await.map_err(|problem| match problem {
            // Without the table the engines give an error of no kind in particular.
            DbError::Other { detail, .. } => behind(&format!("no migration was ever applied ({detail})")),
            other => other,
        })?;
        tx.rollback().await;
        for migration in migrations {
            if !applied.contains_key(&i64::from(migration.number)) {
                return Err(behind(&format!("migration {} {} is missing", migration.number, migration.name)));
            }
        }
        let service = applied.values().next().map(|row| row.service.clone()).unwrap_or_default();
        check(&service, migrations, &applied)
    }

    async fn begin_migration(&self) -> Result<Tx, DbError> {
        let mut tx = self.begin().await?;
        if self.engine() == Engine::Postgres {
            tx.script("migrate", TAKE_TURNS).await?;
        }
        Ok(tx)
    }

    async fn apply(&self, service: &str, migration: &Migration) -> Result<bool, DbError> {
        let mut tx = self.begin_migration().await?;
        let number = i64::from(migration.number);
        // Looked up again under the lock: another replica may have been faster.
        if applied(&mut tx).await?.contains_key(&number) {
            tx.rollback().await;
            return Ok(false);
        }
        let own = match self.engine() {
            Engine::Sqlite => migration.sqlite,
            Engine::Postgres => migration.postgres,
        };
        for text in [migration.sql, own] {
            if !text.trim().is_empty() {
                tx.script(migration.name, text).await?;
            }
        }
        let now = tx.db_now().await?;
        let row = values![number, service, migration.name, &migration.checksum(), now];
        tx.execute_exactly(&NOTE, row, 1).await?;
        tx.commit().await?;
        Ok(true)
    }
}

struct Applied {
    service: String,
    name: String,
    checksum: String,
}

async fn applied(tx: &mut Tx) -> Result<BTreeMap<i64, Applied>, DbError> {
    let rows = tx.fetch_all(&APPLIED, values![]).await?;
    rows.iter()
        .map(|row| {
            let applied = Applied {
                service: row.text("service")?,
                name: row.text("name")?,
                checksum: row.text("checksum")?,
            };
            Ok((row.int("number")?, applied))
        })
        .collect()
}

fn check_numbers(migrations: &[Migration]) -> Result<(), DbError> {
    if migrations.is_sorted_by(|one, next| one.number < next.number) {
        return Ok(());
    }
    Err(DbError::malformed("migrate", "the numbers of the migrations must rise"))
}

fn check(service: &str, migrations: &[Migration], applied: &BTreeMap<i64, Applied>) -> Result<(), DbError> {
    for (number, row) in applied {
        let known = migrations.iter().find(|migration| i64::from(migration.number) == *number);
        let problem = match known {
            None => {
                format!("migration {number} {} is unknown: the schema is newer than this program", row.name)
            }
            Some(known) if known.checksum().as_str() != row.checksum => {
                format!("migration {number} {} was applied with another text", row.name)
            }
            Some(_) if row.service != service => {
                format!("this database belongs to {}, not to {service}", row.service)
            }
            Some(_) => continue,
        };
        return Err(DbError::SchemaTooNew { statement: "migrate", detail: problem });
    }
    Ok(())
}

fn behind(detail: &str) -> DbError {
    DbError::Other {
        statement: "migrate",
        detail: format!("the schema is not up to date: {detail}; run migrate"),
    }
}
