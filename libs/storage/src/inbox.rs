//! Events that arrive: each takes effect once, and in the order of its aggregate.

use std::collections::BTreeSet;

use types::{EventId, Tenant};

use crate::error::DbError;
use crate::outbox::Envelope;
use crate::overlay::Overlay;
use crate::record;
use crate::statement::Statement;
use crate::table::Table;
use crate::tx::Tx;
use crate::value::Rows;
use crate::values;

/// Insert first, then lock: see the saga fences.
static LOCK_POSITIONS: Statement = Statement::new(
    "storage.lock_inbox_positions",
    "INSERT INTO inbox_position rows($1: tenant_id text, source text, aggregate_type text, aggregate_id text,
       last_seq = 0)
     WHERE true ORDER BY tenant_id, source, aggregate_type, aggregate_id
     ON CONFLICT (tenant_id, source, aggregate_type, aggregate_id) DO UPDATE SET last_seq =
       inbox_position.last_seq
     RETURNING tenant_id, source, aggregate_type, aggregate_id, last_seq",
);

static SEEN: Statement = Statement::new(
    "storage.load_inbox",
    "SELECT i.tenant_id, i.event_id FROM inbox AS i
       JOIN rows($1: tenant_id text, event_id text) AS r
         ON i.tenant_id = r.tenant_id AND i.event_id = r.event_id",
);

static ACCEPT: Statement = Statement::new(
    "storage.accept_events",
    "INSERT INTO inbox rows($2: tenant_id text, event_id text, source text, aggregate_type text,
       aggregate_id text, aggregate_seq bigint, received_at = CAST($1 AS BIGINT))",
);

static ADVANCE: Statement = Statement::new(
    "storage.advance_inbox_positions",
    "UPDATE inbox_position SET rows($1: tenant_id text, source text, aggregate_type text, aggregate_id text |
       last_seq bigint)",
);

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intake {
    /// The next of its aggregate: take effect and accept it.
    New,
    Duplicate,
    /// An earlier one is missing.
    Later,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stream {
    tenant: Tenant,
    source: String,
    aggregate_type: String,
    aggregate_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrival {
    stream: Stream,
    seq: i64,
}

/// The positions of the aggregates that a batch of events is about.
#[derive(Debug, Default)]
pub struct Inbox {
    positions: Table<Stream, i64>,
    /// What is known of the events at hand; one read as seen carries no arrival.
    events: Table<(Tenant, EventId), Option<Arrival>>,
}

impl Overlay for Inbox {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { positions, events } = self;
        vec![positions, events]
    }
}

impl Inbox {
    /// Locks the positions of all aggregates concerned.
    pub async fn load(tx: &mut Tx, envelopes: &[Envelope]) -> Result<Self, DbError> {
        let mut inbox = Self::default();
        if envelopes.is_empty() {
            return Ok(inbox);
        }
        let streams: BTreeSet<Stream> = envelopes.iter().map(Stream::of).collect();
        let expected = streams.len() as u64;
        let rows: Rows = streams
            .iter()
            .map(|s| {
                record! {
                    tenant_id: &s.tenant,
                    source: &s.source,
                    aggregate_type: &s.aggregate_type,
                    aggregate_id: &s.aggregate_id,
                }
            })
            .collect();
        for row in tx.fetch_all(&LOCK_POSITIONS, values![rows]).await? {
            let stream = Stream {
                tenant: row.tenant()?,
                source: row.text("source")?,
                aggregate_type: row.text("aggregate_type")?,
                aggregate_id: row.text("aggregate_id")?,
            };
            inbox.positions.load(stream, row.int("last_seq")?);
        }
        let actual = inbox.positions.len() as u64;
        if actual != expected {
            return Err(DbError::RowCount { statement: LOCK_POSITIONS.name(), expected, actual });
        }
        let names: BTreeSet<(&Tenant, &EventId)> =
            envelopes.iter().map(|envelope| (&envelope.tenant, &envelope.event_id)).collect();
        let rows: Rows = names.into_iter().map(|(tenant, id)| values![tenant, id.as_str()]).collect();
        for row in tx.fetch_all(&SEEN, values![rows]).await? {
            inbox.events.load((row.tenant()?, row.parsed("event_id", EventId::parse)?), None);
        }
        Ok(inbox)
    }

    pub fn admit(&self, envelope: &Envelope) -> Intake {
        let known = self.events.contains(&(envelope.tenant.clone(), envelope.event_id.clone()));
        let last = self.last_seq(&Stream::of(envelope));
        if known || envelope.aggregate_seq <= last {
            if !known {
                tracing::warn!(event_id = %envelope.event_id, "another event had this event's place in its aggregate");
            }
            return Intake::Duplicate;
        }
        if envelope.aggregate_seq == last + 1 { Intake::New } else { Intake::Later }
    }

    /// Notes that an event which was [`Intake::New`] has taken effect.
    ///
    /// # Panics
    /// If the event is not the next one.
    pub fn accept(&mut self, envelope: &Envelope) {
        let stream = Stream::of(envelope);
        let seq = envelope.aggregate_seq;
        assert_eq!(self.last_seq(&stream) + 1, seq, "only the next event of an aggregate is accepted");
        self.positions
            .update(&stream, |last| *last = seq)
            .expect("load has locked every position of the batch");
        let name = (envelope.tenant.clone(), envelope.event_id.clone());
        self.events.insert(name, Some(Arrival { stream, seq }));
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        let mut rows = Vec::new();
        for ((tenant, event_id), arrival) in self.events.inserted() {
            let Arrival { stream, seq } = arrival.as_ref().expect("accept gives every new event its arrival");
            rows.push(record! {
                tenant_id: tenant,
                event_id: event_id.as_str(),
                source: &stream.source,
                aggregate_type: &stream.aggregate_type,
                aggregate_id: &stream.aggregate_id,
                aggregate_seq: *seq,
            });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let (now, expected) = (tx.db_now().await?, rows.len() as u64);
        tx.execute_exactly(&ACCEPT, values![now, rows], expected).await?;
        self.positions
            .flush_updates(tx, &ADVANCE, |s, last| {
                record! {
                    tenant_id: &s.tenant,
                    source: &s.source,
                    aggregate_type: &s.aggregate_type,
                    aggregate_id: &s.aggregate_id,
                    last_seq: *last,
                }
            })
            .await
    }

    fn last_seq(&self, stream: &Stream) -> i64 {
        *self.positions.get(stream).expect("load has locked every position of the batch")
    }
}

impl Stream {
    fn of(envelope: &Envelope) -> Self {
        Self {
            tenant: envelope.tenant.clone(),
            source: envelope.source.clone(),
            aggregate_type: envelope.aggregate_type.clone(),
            aggregate_id: envelope.aggregate_id.clone(),
        }
    }
}
