//! Events that leave with the change they tell of: written in its transaction, sent by the [`crate::Relay`].

use std::time::Duration;

use types::{EventId, Tenant, Timestamp};

use crate::error::DbError;
use crate::record;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::value::Rows;
use crate::values;

static APPEND: Statement = Statement::new(
    "storage.append_events",
    "INSERT INTO outbox rows($2: tenant_id text, event_id text, aggregate_type text, aggregate_id text,
       aggregate_seq bigint, type text, payload bytea, traceparent text, created_at text,
       queued_at = CAST($1 AS BIGINT))",
);

static OLDEST: Statement = Statement::new(
    "storage.oldest_unsent_event",
    "SELECT MIN(queued_at) AS queued_at FROM outbox WHERE state = 'queued'",
);

/// An event to send. `aggregate_seq` is gap-free from 1 per aggregate: the service counts it in the aggregate's own row,
/// under that row's lock, so that the order of the numbers is the order of the commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub tenant: Tenant,
    pub event_id: EventId,
    pub aggregate_type: &'static str,
    pub aggregate_id: String,
    pub aggregate_seq: i64,
    /// Full name of the payload's message.
    pub kind: &'static str,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
    pub occurred_at: Timestamp,
}

/// An event on its way, as the receiver sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The service that sends it.
    pub source: String,
    pub tenant: Tenant,
    pub event_id: EventId,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub aggregate_seq: i64,
    pub kind: String,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
    pub occurred_at: Timestamp,
}

/// Writes events in the transaction of the change they tell of. Wake the relay after the commit.
pub async fn append(tx: &mut Tx, events: &[NewEvent]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let now = tx.db_now().await?;
    let rows: Rows = events
        .iter()
        .map(|event| {
            record! {
                tenant_id: &event.tenant,
                event_id: event.event_id.as_str(),
                aggregate_type: event.aggregate_type,
                aggregate_id: &event.aggregate_id,
                aggregate_seq: event.aggregate_seq,
                type: event.kind,
                payload: event.payload.clone(),
                traceparent: event.traceparent.as_deref(),
                created_at: event.occurred_at,
            }
        })
        .collect();
    tx.execute_exactly(&APPEND, values![now, rows], events.len() as u64).await
}

/// How long the oldest unsent event has been waiting. Events are never given up, so somebody must watch this.
pub async fn oldest_unsent_age(tx: &mut Tx) -> Result<Option<Duration>, DbError> {
    let now = tx.db_now().await?;
    let oldest = tx.fetch_one(&OLDEST, values![]).await?.opt_int("queued_at")?;
    Ok(oldest.map(|queued| Duration::from_micros(u64::try_from(now - queued).unwrap_or(0))))
}
