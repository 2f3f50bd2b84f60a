//! Reads for operators and for owners that look a saga up by its subject.

use std::time::Instant;

use storage::{DbError, Statement, Tx, values};
use types::{SagaId, Tenant};

use super::record;
use crate::books::{Record, SagaImage};
use crate::row::{SagaKey, State};

static GET: Statement = Statement::new(
    "saga.get",
    "SELECT tenant_id, id, definition, version, subject_type, subject_id, state, params, traceparent, epoch,
            lease_owner, lease_until, next_at, attempts, panics, woken, silent_since, unwind_cause,
            attention_cause, decided_at, started_at, finished_at
       FROM saga WHERE tenant_id = $1 AND id = $2",
);

static LIST: Statement = Statement::new(
    "saga.list",
    "SELECT tenant_id, id, definition, version, subject_type, subject_id, state, params, traceparent, epoch,
            lease_owner, lease_until, next_at, attempts, panics, woken, silent_since, unwind_cause,
            attention_cause, decided_at, started_at, finished_at
       FROM saga WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR state = $3)
      ORDER BY id LIMIT $4",
);

static BY_SUBJECT: Statement = Statement::new(
    "saga.by_subject",
    "SELECT id FROM saga WHERE tenant_id = $1 AND definition = $2 AND subject_id = $3",
);

/// One saga with its log; an unreadable log shows as an empty one.
pub async fn get(tx: &mut Tx, key: &SagaKey) -> Result<Option<SagaImage>, DbError> {
    let began = Instant::now();
    let Some(row) = tx.fetch_optional(&GET, values![&key.tenant, &key.id]).await? else { return Ok(None) };
    let mut logs = record::logs(tx, std::slice::from_ref(key)).await?;
    let record = record::record(record::row_of(&row)?, &mut logs);
    Ok(Some(image(record, tx.db_now().await?, began)))
}

/// Sagas of a tenant by id, after `after`, of one state or of all.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    state: Option<State>,
    after: Option<&SagaId>,
    limit: i64,
) -> Result<Vec<SagaImage>, DbError> {
    let began = Instant::now();
    let state = state.map_or("", State::as_str);
    let after = after.map_or("", SagaId::as_str);
    let rows = tx.fetch_all(&LIST, values![tenant, after, state, limit]).await?;
    let rows = rows.iter().map(record::row_of).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<SagaKey> = rows.iter().map(|row| row.key.clone()).collect();
    let mut logs = record::logs(tx, &keys).await?;
    let now = tx.db_now().await?;
    Ok(rows.into_iter().map(|row| image(record::record(row, &mut logs), now, began)).collect())
}

fn image(record: Record, now: i64, began: Instant) -> SagaImage {
    SagaImage { row: record.row, log: record.log.unwrap_or_default(), now, began }
}

/// The saga of a subject; there is at most one of each definition.
pub async fn by_subject(
    tx: &mut Tx,
    tenant: &Tenant,
    definition: &str,
    subject_id: &str,
) -> Result<Option<SagaKey>, DbError> {
    let row = tx.fetch_optional(&BY_SUBJECT, values![tenant, definition, subject_id]).await?;
    row.map(|row| Ok(SagaKey::new(tenant.clone(), row.parsed("id", SagaId::parse)?))).transpose()
}
