//! Table `gateway_event`: what gateways told by webhook. An event is written before its gateway is
//! answered, once however often it is sent, and worked on afterwards.

use storage::{DbError, Row, Rows, Statement, Tx, record, values};
use types::{OrderId, PaymentId, Tenant, Timestamp};

use crate::domain::gateway::{EventKind, GatewayEvent};

/// Events claimed at once.
pub const LIMIT: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Committed; its payment is fetched from the gateway next.
    Received,
    Done,
    /// It is about no payment of ours.
    Unmatched,
    /// The gateway could not be asked; a person is told.
    Failed,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Received, Self::Done, Self::Unmatched, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Done => "done",
            Self::Unmatched => "unmatched",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub tenant: Tenant,
    pub event: GatewayEvent,
    pub state: State,
    pub detail: String,
    pub received_at: Timestamp,
    pub tries: i64,
}

/// How the work on an event went: ended, or to be tried again at `next_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub state: State,
    pub detail: String,
    pub tries: i64,
    pub next_at: i64,
}

static INSERT: Statement = Statement::new(
    "payment.insert_gateway_event",
    "INSERT INTO gateway_event rows($1: tenant_id text, gateway text, event_id text, kind text,
       gateway_reference text, payment_reference text, our_reference text, happened_at text,
       received_at text, state = 'received', detail = '', tries = 0, next_at bigint, claimed_until = 0)
     WHERE true
     ON CONFLICT (tenant_id, gateway, event_id) DO NOTHING",
);

static DUE: Statement = Statement::new(
    "payment.gateway_events_due",
    "SELECT CAST(COUNT(*) AS BIGINT) AS due FROM gateway_event
      WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1",
);

static CLAIM: Statement = Statement::new(
    "payment.claim_gateway_events",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, gateway, event_id FROM gateway_event
         WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
         ORDER BY next_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE gateway_event SET claimed_until = $2 FROM due
      WHERE gateway_event.tenant_id = due.tenant_id AND gateway_event.gateway = due.gateway
        AND gateway_event.event_id = due.event_id
     RETURNING gateway_event.tenant_id AS tenant_id, gateway_event.gateway AS gateway,
               gateway_event.event_id AS event_id, kind, gateway_reference, payment_reference, our_reference,
               happened_at, received_at, state, detail, tries",
);

static PROGRESS: Statement = Statement::new(
    "payment.progress_gateway_event",
    "UPDATE gateway_event SET state = $4, detail = $5, tries = $6, next_at = $7, claimed_until = 0
      WHERE tenant_id = $1 AND gateway = $2 AND event_id = $3 AND state = 'received'",
);

static FREE: Statement = Statement::new(
    "payment.free_gateway_events",
    "UPDATE gateway_event SET claimed_until = 0 WHERE next_at <> 0 AND claimed_until <> 0",
);

static PAGE: Statement = Statement::new(
    "payment.list_gateway_events",
    "SELECT tenant_id, gateway, event_id, kind, gateway_reference, payment_reference, our_reference, happened_at,
            received_at, state, detail, tries
       FROM gateway_event
      WHERE tenant_id = $1 AND ($2 = '' OR state = $2) AND (gateway, event_id) > ($3, $4)
      ORDER BY gateway, event_id LIMIT $5",
);

/// The payment itself, or the one that the refund in question belongs to; of parts of a shared one, that which our own id
/// names. Only payments of the gateway that told are
/// looked at, so that no gateway can speak for another.
static PAYMENT_OF: Statement = Statement::new(
    "payment.payment_of_gateway_event",
    "SELECT p.order_id, p.payment_id FROM payment AS p
      WHERE p.tenant_id = $1 AND p.gateway = $2
        AND (p.payment_id = $3
             OR (p.gateway_reference <> '' AND p.gateway_reference IN ($4, $5))
             OR EXISTS (SELECT 1 FROM refund AS f
                         WHERE f.tenant_id = p.tenant_id AND f.order_id = p.order_id AND f.payment_id = p.payment_id
                           AND (f.refund_id = $3 OR (f.gateway_reference <> '' AND f.gateway_reference = $5))))
      ORDER BY CASE WHEN p.payment_id = $3
                      OR EXISTS (SELECT 1 FROM refund AS f
                                  WHERE f.tenant_id = p.tenant_id AND f.order_id = p.order_id
                                    AND f.payment_id = p.payment_id AND f.refund_id = $3)
                    THEN 0 ELSE 1 END, p.payment_id LIMIT 1",
);

/// Writes an event down; false if it was there already.
pub async fn receive(
    tx: &mut Tx,
    tenant: &Tenant,
    event: &GatewayEvent,
    now: Timestamp,
) -> Result<bool, DbError> {
    let db_now = tx.db_now().await?;
    let rows: Rows = [record! {
        tenant_id: tenant,
        gateway: &event.gateway,
        event_id: &event.event_id,
        kind: event.kind.as_str(),
        gateway_reference: &event.gateway_reference,
        payment_reference: &event.payment_reference,
        our_reference: event.our_reference.as_deref().unwrap_or_default(),
        happened_at: event.happened_at,
        received_at: now,
        next_at: db_now,
    }]
    .into_iter()
    .collect();
    Ok(tx.execute(&INSERT, values![rows]).await? == 1)
}

pub async fn anything_due(tx: &mut Tx) -> Result<bool, DbError> {
    let now = tx.db_now().await?;
    Ok(tx.fetch_one(&DUE, values![now]).await?.int("due")? > 0)
}

/// Claims what is due for `claim_micros`, at most [`LIMIT`].
pub async fn claim(tx: &mut Tx, claim_micros: i64) -> Result<Vec<Received>, DbError> {
    let now = tx.db_now().await?;
    tx.fetch_all(&CLAIM, values![now, now + claim_micros]).await?.iter().map(received).collect()
}

/// Any number of rows: another process may have ended it after our claim ran out.
pub async fn progress(tx: &mut Tx, received: &Received, progress: &Progress) -> Result<u64, DbError> {
    let event = &received.event;
    let key = (&received.tenant, &event.gateway, &event.event_id);
    let values = values![
        key.0,
        key.1,
        key.2,
        progress.state.as_str(),
        &progress.detail,
        progress.tries,
        progress.next_at,
    ];
    tx.execute(&PROGRESS, values).await
}

/// Ends all claims; for a process that is alone with its database, at its start.
pub async fn free_all(tx: &mut Tx) -> Result<u64, DbError> {
    tx.execute(&FREE, values![]).await
}

/// The payment that an event is about, by our id or the gateway's.
pub async fn payment_of(
    tx: &mut Tx,
    tenant: &Tenant,
    event: &GatewayEvent,
) -> Result<Option<(OrderId, PaymentId)>, DbError> {
    let ours = event.our_reference.as_deref().unwrap_or_default();
    let theirs = (&event.payment_reference, &event.gateway_reference);
    let found =
        tx.fetch_optional(&PAYMENT_OF, values![tenant, &event.gateway, ours, theirs.0, theirs.1]).await?;
    found
        .map(|row| Ok((row.parsed("order_id", OrderId::parse)?, row.parsed("payment_id", PaymentId::parse)?)))
        .transpose()
}

/// Events above `after`, of one state or of any when it is empty.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    state: &str,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Received>, DbError> {
    let rows = tx.fetch_all(&PAGE, values![tenant, state, after.0, after.1, limit]).await?;
    rows.iter().map(received).collect()
}

fn received(row: &Row) -> Result<Received, DbError> {
    let ours = row.text("our_reference")?;
    Ok(Received {
        tenant: row.tenant()?,
        event: GatewayEvent {
            gateway: row.text("gateway")?,
            event_id: row.text("event_id")?,
            kind: row.named("kind", EventKind::parse)?,
            gateway_reference: row.text("gateway_reference")?,
            payment_reference: row.text("payment_reference")?,
            our_reference: (!ours.is_empty()).then_some(ours),
            happened_at: row.timestamp("happened_at")?,
        },
        state: row.named("state", State::parse)?,
        detail: row.text("detail")?,
        received_at: row.timestamp("received_at")?,
        tries: row.int("tries")?,
    })
}
