//! `event_log`: which position every event has in the one order of its tenant.
//!
//! Events are numbered after their commit, not in it: a number that is given out before the commit may become visible
//! after a higher one, and whoever has read that far would never see it. An event is numbered at the latest when a relay
//! claims it, so what was sent has a position; what waits is numbered by whoever wants to read it.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Envelope, Row, Rows, Statement, Tx, record, values};
use types::{EventId, OrderId, Tenant};

use super::keys::OrderKey;
use crate::domain::history::Told;

/// Events that are numbered at once for a reader.
const NUMBERED_AT_ONCE: i64 = 500;

static LOCK: Statement = Statement::new(
    "order.lock_event_log",
    "INSERT INTO event_log_head rows($1: tenant_id text, last_position = CAST(0 AS BIGINT))
     WHERE true ORDER BY tenant_id
     ON CONFLICT (tenant_id) DO UPDATE SET last_position = event_log_head.last_position
     RETURNING tenant_id, last_position",
);

/// An order's events up to a number: those before it come first, whatever kept them from being numbered.
static UNNUMBERED: Statement = Statement::new(
    "order.unnumbered_events",
    "SELECT o.tenant_id, o.event_id, o.aggregate_id, o.aggregate_seq, o.queued_at
       FROM rows($1: tenant_id text, order_id text, seq bigint) AS r
       JOIN outbox AS o ON o.tenant_id = r.tenant_id AND o.aggregate_type = 'order' AND o.aggregate_id = r.order_id
        AND o.aggregate_seq <= r.seq
      WHERE NOT EXISTS (SELECT 1 FROM event_log AS l
                         WHERE l.tenant_id = o.tenant_id AND l.order_id = o.aggregate_id
                           AND l.order_seq = o.aggregate_seq)
      ORDER BY o.tenant_id, o.aggregate_id, o.aggregate_seq",
);

static WAITING: Statement = Statement::new(
    "order.waiting_events",
    "SELECT o.tenant_id, o.aggregate_id AS order_id, o.aggregate_seq AS seq FROM outbox AS o
      WHERE o.tenant_id = $1 AND o.aggregate_type = 'order' AND o.state = 'queued'
        AND NOT EXISTS (SELECT 1 FROM event_log AS l
                         WHERE l.tenant_id = o.tenant_id AND l.order_id = o.aggregate_id
                           AND l.order_seq = o.aggregate_seq)
      ORDER BY o.aggregate_id, o.aggregate_seq LIMIT $2",
);

static APPEND: Statement = Statement::new(
    "order.append_event_log",
    "INSERT INTO event_log rows($1: tenant_id text, position bigint, event_id text, order_id text,
       order_seq bigint)",
);

static MOVE_HEADS: Statement = Statement::new(
    "order.move_event_log_heads",
    "UPDATE event_log_head SET rows($1: tenant_id text | last_position bigint)",
);

static LAST: Statement =
    Statement::new("order.last_position", "SELECT last_position FROM event_log_head WHERE tenant_id = $1");

static BETWEEN: Statement = Statement::new(
    "order.events_between",
    "SELECT l.position, o.event_id, o.aggregate_id, o.aggregate_seq, o.type, o.payload, o.traceparent, o.created_at
       FROM event_log AS l JOIN outbox AS o ON o.tenant_id = l.tenant_id AND o.event_id = l.event_id
      WHERE l.tenant_id = $1 AND l.position > $2 AND l.position <= $3
        AND ($4 = 0 OR o.type IN (SELECT type FROM rows($6: type text)))
      ORDER BY l.position LIMIT $5",
);

static OF_ORDER: Statement = Statement::new(
    "order.events_of_order",
    "SELECT l.position, o.event_id, o.aggregate_id, o.aggregate_seq, o.type, o.payload, o.traceparent, o.created_at
       FROM event_log AS l JOIN outbox AS o ON o.tenant_id = l.tenant_id AND o.event_id = l.event_id
      WHERE l.tenant_id = $1 AND l.order_id = $2 AND l.position > $3 AND l.position <= $4
        AND ($5 = 0 OR o.type IN (SELECT type FROM rows($7: type text)))
      ORDER BY l.order_seq LIMIT $6",
);

/// Events behind one position, up to another.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub after: i64,
    pub up_to: i64,
    pub limit: i64,
}

/// The event log has the events of orders; what is told of anything else has no position in it.
const ORDERS: &str = "order";

/// Numbers what a relay has claimed.
pub async fn number_claimed(tx: &mut Tx, claimed: Vec<&Envelope>) -> Result<(), DbError> {
    let mut wanted = BTreeMap::new();
    for envelope in claimed.into_iter().filter(|envelope| envelope.aggregate_type == ORDERS) {
        let order_id = OrderId::parse(&envelope.aggregate_id);
        let order_id = order_id.map_err(|problem| DbError::malformed("order.number_events", problem))?;
        let seq = wanted.entry((envelope.tenant.clone(), order_id)).or_insert(0);
        *seq = envelope.aggregate_seq.max(*seq);
    }
    number(tx, &wanted).await
}

/// Numbers what waits for a relay; false when nothing did.
pub async fn number_waiting(tx: &mut Tx, tenant: &Tenant) -> Result<bool, DbError> {
    let waiting = waiting(tx, tenant, NUMBERED_AT_ONCE).await?;
    number(tx, &waiting).await?;
    Ok(!waiting.is_empty())
}

/// Whether there is something to number.
pub async fn is_anything_waiting(tx: &mut Tx, tenant: &Tenant) -> Result<bool, DbError> {
    Ok(!waiting(tx, tenant, 1).await?.is_empty())
}

pub async fn last_position(tx: &mut Tx, tenant: &Tenant) -> Result<i64, DbError> {
    let row = tx.fetch_optional(&LAST, values![tenant]).await?;
    row.map_or(Ok(0), |row| row.int("last_position"))
}

/// Events of these types, of every type if none is named, oldest first.
pub async fn between(
    tx: &mut Tx,
    tenant: &Tenant,
    span: Span,
    order_id: Option<&OrderId>,
    kinds: &[String],
) -> Result<Vec<Told>, DbError> {
    let some_kinds = i64::from(!kinds.is_empty());
    let kinds: Rows = kinds.iter().map(|kind| values![kind]).collect();
    let Span { after, up_to, limit } = span;
    let rows = match order_id {
        None => tx.fetch_all(&BETWEEN, values![tenant, after, up_to, some_kinds, limit, kinds]).await?,
        Some(order_id) => {
            tx.fetch_all(&OF_ORDER, values![tenant, order_id, after, up_to, some_kinds, limit, kinds]).await?
        }
    };
    rows.iter().map(read).collect()
}

async fn waiting(tx: &mut Tx, tenant: &Tenant, limit: i64) -> Result<BTreeMap<OrderKey, i64>, DbError> {
    let rows = tx.fetch_all(&WAITING, values![tenant, limit]).await?;
    let mut last = BTreeMap::new();
    for row in &rows {
        // By sequence within an order, so the last one seen is the highest.
        last.insert((row.tenant()?, row.parsed("order_id", OrderId::parse)?), row.int("seq")?);
    }
    Ok(last)
}

/// Gives positions to the events of these orders up to these numbers, as far as they have none.
async fn number(tx: &mut Tx, wanted: &BTreeMap<OrderKey, i64>) -> Result<(), DbError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let tenants: BTreeSet<&Tenant> = wanted.keys().map(|(tenant, _)| tenant).collect();
    let tenants: Rows = tenants.into_iter().map(|tenant| record! { tenant_id: tenant }).collect();
    let mut heads: BTreeMap<Tenant, i64> = BTreeMap::new();
    for row in tx.fetch_all(&LOCK, values![tenants]).await? {
        heads.insert(row.tenant()?, row.int("last_position")?);
    }
    let keys: Rows = wanted.iter().map(|((tenant, order_id), seq)| values![tenant, order_id, *seq]).collect();
    let rows = tx.fetch_all(&UNNUMBERED, values![keys]).await?;
    let mut events = rows.iter().map(Unnumbered::read).collect::<Result<Vec<_>, _>>()?;
    if events.is_empty() {
        return Ok(());
    }
    settle_order(&mut events);

    let mut numbered = Vec::with_capacity(events.len());
    let mut moved = BTreeSet::new();
    for event in &events {
        let position = heads.get_mut(&event.tenant).expect("the heads of all these tenants were locked");
        *position += 1;
        moved.insert(&event.tenant);
        numbered.push(record! {
            tenant_id: &event.tenant,
            position: *position,
            event_id: &event.event_id,
            order_id: &event.order_id,
            order_seq: event.seq,
        });
    }
    tx.execute_exactly(&APPEND, values![numbered], events.len() as u64).await?;
    let heads: Rows = moved
        .iter()
        .map(|tenant| {
            record! {
                tenant_id: *tenant,
                last_position: heads[*tenant],
            }
        })
        .collect();
    tx.execute_exactly(&MOVE_HEADS, values![heads], moved.len() as u64).await
}

struct Unnumbered {
    tenant: Tenant,
    event_id: String,
    order_id: String,
    seq: i64,
    queued_at: i64,
}

impl Unnumbered {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            tenant: row.tenant()?,
            event_id: row.text("event_id")?,
            order_id: row.text("aggregate_id")?,
            seq: row.int("aggregate_seq")?,
            queued_at: row.int("queued_at")?,
        })
    }
}

/// By age over all orders, by sequence within one: a clock may have stepped back, a sequence never does.
fn settle_order(events: &mut [Unnumbered]) {
    for at in 1..events.len() {
        let (before, after) = events.split_at_mut(at);
        let (one, next) = (&before[at - 1], &mut after[0]);
        if (&one.tenant, &one.order_id) == (&next.tenant, &next.order_id) {
            next.queued_at = next.queued_at.max(one.queued_at);
        }
    }
    events.sort_by(|one, other| {
        (one.queued_at, &one.order_id, one.seq).cmp(&(other.queued_at, &other.order_id, other.seq))
    });
}

fn read(row: &Row) -> Result<Told, DbError> {
    Ok(Told {
        position: row.int("position")?,
        event_id: row.parsed("event_id", EventId::parse)?,
        order_id: row.parsed("aggregate_id", OrderId::parse)?,
        sequence: row.int("aggregate_seq")?,
        kind: row.text("type")?,
        payload: row.bytes("payload")?,
        traceparent: row.opt_text("traceparent")?,
        occurred_at: row.timestamp("created_at")?,
    })
}
