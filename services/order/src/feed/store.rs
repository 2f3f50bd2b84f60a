//! `publication`: how far each tenant's events are known to stand in a broker's stream.

use std::time::Duration;

use storage::{DbError, Rows, Statement, Tx, record, values};
use types::Tenant;

/// Whoever was served longest ago comes first, so that no tenant waits for another.
static BEHIND: Statement = Statement::new(
    "order.tenants_to_publish",
    "SELECT h.tenant_id, COALESCE(p.position, CAST(0 AS BIGINT)) AS position FROM event_log_head AS h
       LEFT JOIN publication AS p ON p.tenant_id = h.tenant_id AND p.stream = $1
      WHERE h.last_position > COALESCE(p.position, CAST(0 AS BIGINT))
      ORDER BY COALESCE(p.acknowledged_at, CAST(0 AS BIGINT)), h.tenant_id LIMIT $2",
);

static ADVANCE: Statement = Statement::new(
    "order.advance_publication",
    "INSERT INTO publication rows($1: tenant_id text, stream text, position bigint, acknowledged_at bigint)
     WHERE true
     ON CONFLICT (tenant_id, stream) DO UPDATE SET position = excluded.position, acknowledged_at =
       excluded.acknowledged_at WHERE publication.position < excluded.position",
);

static EVENT_AT: Statement = Statement::new(
    "order.event_at_position",
    "SELECT event_id FROM event_log WHERE tenant_id = $1 AND position = $2",
);

static OLDEST: Statement = Statement::new(
    "order.oldest_unpublished_events",
    "SELECT h.tenant_id, o.queued_at FROM event_log_head AS h
       LEFT JOIN publication AS p ON p.tenant_id = h.tenant_id AND p.stream = $1
       JOIN event_log AS l ON l.tenant_id = h.tenant_id
        AND l.position = COALESCE(p.position, CAST(0 AS BIGINT)) + 1
       JOIN outbox AS o ON o.tenant_id = l.tenant_id AND o.event_id = l.event_id",
);

/// Tenants with events that the stream is not known to have, with the last position that it is known to have.
pub async fn behind(tx: &mut Tx, stream: &str, limit: i64) -> Result<Vec<(Tenant, i64)>, DbError> {
    let rows = tx.fetch_all(&BEHIND, values![stream, limit]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, row.int("position")?))).collect()
}

/// The stream has everything up to a position. False when it was known to have that.
pub async fn advance(tx: &mut Tx, stream: &str, tenant: &Tenant, position: i64) -> Result<bool, DbError> {
    let now = tx.db_now().await?;
    let row: Rows = std::iter::once(record! {
        tenant_id: tenant,
        stream: stream,
        position: position,
        acknowledged_at: now,
    })
    .collect();
    Ok(tx.execute(&ADVANCE, values![row]).await? == 1)
}

/// The event at a position of the tenant's one order.
pub async fn event_at(tx: &mut Tx, tenant: &Tenant, position: i64) -> Result<Option<String>, DbError> {
    tx.fetch_optional(&EVENT_AT, values![tenant, position]).await?.map(|row| row.text("event_id")).transpose()
}

/// The age of each tenant's oldest event that the stream is not known to have.
pub async fn oldest(tx: &mut Tx, stream: &str) -> Result<Vec<(Tenant, Duration)>, DbError> {
    let now = tx.db_now().await?;
    let rows = tx.fetch_all(&OLDEST, values![stream]).await?;
    rows.iter()
        .map(|row| {
            let age = u64::try_from(now - row.int("queued_at")?).unwrap_or(0);
            Ok((row.tenant()?, Duration::from_micros(age)))
        })
        .collect()
}
