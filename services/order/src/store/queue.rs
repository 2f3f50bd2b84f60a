//! How long events wait to leave. The outbox itself is read and written by its library.

use std::time::Duration;

use storage::{DbError, Statement, Tx, values};
use types::Tenant;

static OLDEST: Statement = Statement::new(
    "order.oldest_queued_events",
    "SELECT tenant_id, MIN(queued_at) AS queued_at FROM outbox WHERE state = 'queued' GROUP BY tenant_id",
);

static ALARMED: Statement = Statement::new(
    "order.alarmed_tenants",
    "SELECT tenant_id FROM attention WHERE subject_type = $1 AND subject_id = $2 AND closed_at IS NULL",
);

/// The age of each tenant's oldest event that was not delivered.
pub async fn oldest(tx: &mut Tx) -> Result<Vec<(Tenant, Duration)>, DbError> {
    let now = tx.db_now().await?;
    let rows = tx.fetch_all(&OLDEST, values![]).await?;
    rows.iter()
        .map(|row| {
            let age = u64::try_from(now - row.int("queued_at")?).unwrap_or(0);
            Ok((row.tenant()?, Duration::from_micros(age)))
        })
        .collect()
}

/// The tenants for whom an item about this subject is open.
pub async fn alarmed(tx: &mut Tx, subject_type: &str, subject_id: &str) -> Result<Vec<Tenant>, DbError> {
    tx.fetch_all(&ALARMED, values![subject_type, subject_id])
        .await?
        .iter()
        .map(storage::Row::tenant)
        .collect()
}
