//! Table `delivery`: what leaves the house.

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{ChangeOrderId, DeliveryId, EventId, OrderId, Tenant};

use crate::domain::{Audience, Delivery, DeliveryState, Next, Outlet, Progress};

/// A claim outlives the longest try, so that nothing is claimed twice while it is still being sent.
const CLAIM_MICROS: i64 = 120_000_000;

/// Rows that stand already are left alone: an event that tells the same recipient twice tells once.
static INSERT: Statement = Statement::new(
    "notification.insert_deliveries",
    "INSERT INTO delivery rows($1: tenant_id text, delivery_id text, event_id text, channel text,
       recipient text, audience text, template text, locale text, order_id text, change_order_id text,
       stream text, payload text, traceparent text, state text, last_error text, created_at text,
       ended_at text)
     WHERE true
     ON CONFLICT (tenant_id, event_id, channel, recipient) DO NOTHING",
);

static GET: Statement = Statement::new(
    "notification.get_delivery",
    "SELECT delivery_id, event_id, channel, recipient, audience, template, locale, order_id, change_order_id, stream,
            payload, traceparent, state, tries, in_doubt, last_error, provider_id, created_at, ended_at
       FROM delivery WHERE tenant_id = $1 AND delivery_id = $2",
);

static LIST: Statement = Statement::new(
    "notification.list_deliveries",
    "SELECT delivery_id, event_id, channel, recipient, audience, template, locale, order_id, change_order_id, stream,
            payload, traceparent, state, tries, in_doubt, last_error, provider_id, created_at, ended_at
       FROM delivery
      WHERE tenant_id = $1 AND delivery_id > $2 AND ($3 = '' OR state = $3) AND ($4 = '' OR channel = $4)
        AND ($5 = '' OR recipient = $5 OR recipient LIKE $5 || '#%') AND ($6 = '' OR order_id = $6)
      ORDER BY delivery_id LIMIT $7",
);

/// Of a stream only the first open one is due. A row that another worker has claimed and not committed yet is still
/// open to us, so its followers wait too. The inner query is a materialised table, because one that is run again could
/// claim more than its limit.
static CLAIM: Statement = Statement::new(
    "notification.claim_deliveries",
    "WITH due AS MATERIALIZED (
        SELECT d.tenant_id, d.delivery_id, d.state AS before FROM delivery AS d
         WHERE d.channel = $1 AND d.state IN ('queued', 'sending', 'failed') AND d.next_at <= $2
           AND (d.stream = '' OR NOT EXISTS (
             SELECT 1 FROM delivery AS e
              WHERE e.tenant_id = d.tenant_id AND e.stream = d.stream AND e.delivery_id < d.delivery_id
                AND e.state IN ('queued', 'sending', 'failed')))
         ORDER BY d.next_at LIMIT $6 FOR UPDATE OF d SKIP LOCKED)
     UPDATE delivery SET state = 'sending', claim_token = $3, next_at = $4, tries = delivery.tries + 1,
            in_doubt = CASE WHEN due.before = 'sending' AND delivery.in_doubt < 2 THEN delivery.in_doubt + $5
                            ELSE delivery.in_doubt END
       FROM due
      WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
     RETURNING delivery.tenant_id AS tenant_id, delivery.delivery_id AS delivery_id, delivery.event_id AS event_id,
               delivery.channel AS channel, delivery.recipient AS recipient, delivery.audience AS audience,
               delivery.template AS template, delivery.locale AS locale, delivery.order_id AS order_id,
               delivery.change_order_id AS change_order_id, delivery.stream AS stream, delivery.payload AS payload,
               delivery.traceparent AS traceparent, delivery.state AS state, delivery.tries AS tries,
               delivery.in_doubt AS in_doubt, delivery.last_error AS last_error,
               delivery.provider_id AS provider_id, delivery.created_at AS created_at,
               delivery.ended_at AS ended_at",
);

/// A claim that has run out meanwhile settles nothing: whoever claimed the row next does.
static SETTLE: Statement = Statement::new(
    "notification.settle_deliveries",
    "UPDATE delivery SET rows($2: tenant_id text, delivery_id text | state text, in_doubt bigint,
       next_at bigint, last_error text, provider_id text, ended_at text)
      AND delivery.claim_token = $1 AND delivery.state = 'sending'",
);

/// What an operator decides of one that nobody is sending.
static STEER: Statement = Statement::new(
    "notification.steer_delivery",
    "UPDATE delivery SET state = $3, tries = $4, in_doubt = $5, next_at = 0, claim_token = '', last_error = $6,
            ended_at = $7
      WHERE tenant_id = $1 AND delivery_id = $2 AND state IN ('queued', 'failed', 'dead')",
);

/// A delivery and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub tenant: Tenant,
    pub delivery: Delivery,
}

/// Which deliveries a listing shows, oldest first. An empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    pub state: Option<DeliveryState>,
    pub outlet: Option<Outlet>,
    pub recipient: String,
    pub order_id: Option<OrderId>,
}

/// Who claims, for which channel, and how much at once.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    pub outlet: Outlet,
    pub token: &'a str,
    pub limit: i64,
}

/// Writes new deliveries, queued or suppressed.
pub async fn insert(tx: &mut Tx, new: &[Claimed]) -> Result<u64, DbError> {
    if new.is_empty() {
        return Ok(0);
    }
    let rows: Rows = new.iter().map(row_of).collect();
    tx.execute(&INSERT, values![rows]).await
}

pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &DeliveryId) -> Result<Option<Delivery>, DbError> {
    tx.fetch_optional(&GET, values![tenant, id]).await?.as_ref().map(read).transpose()
}

pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeliveryFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let values = values![
        tenant,
        after,
        filter.state.map_or("", DeliveryState::as_str),
        filter.outlet.map_or("", Outlet::as_str),
        filter.recipient.as_str(),
        filter.order_id.as_ref().map_or("", OrderId::as_str),
        limit,
    ];
    tx.fetch_all(&LIST, values).await?.iter().map(read).collect()
}

/// Takes what is due, oldest first; each row counts this as a try.
pub async fn claim(tx: &mut Tx, claim: Claim<'_>) -> Result<Vec<Claimed>, DbError> {
    let now = tx.db_now().await?;
    let doubt = i64::from(!claim.outlet.takes_a_key());
    let until = now.saturating_add(CLAIM_MICROS);
    let values = values![claim.outlet.as_str(), now, claim.token, until, doubt, claim.limit];
    let rows = tx.fetch_all(&CLAIM, values).await?;
    let mut claimed: Vec<Claimed> = rows
        .iter()
        .map(|row| Ok(Claimed { tenant: row.tenant()?, delivery: read(row)? }))
        .collect::<Result<_, DbError>>()?;
    // RETURNING promises no order.
    claimed.sort_by(|a, b| a.delivery.delivery_id.cmp(&b.delivery.delivery_id));
    Ok(claimed)
}

/// Notes how tries ended, and tells how many rows still were under the claim.
pub async fn settle(tx: &mut Tx, token: &str, settled: &[(Claimed, Next)]) -> Result<u64, DbError> {
    if settled.is_empty() {
        return Ok(0);
    }
    let now = tx.db_now().await?;
    let rows: Rows = settled
        .iter()
        .map(|(claimed, next)| {
            let pause = i64::try_from(next.pause.as_micros()).unwrap_or(i64::MAX);
            record! {
                tenant_id: &claimed.tenant,
                delivery_id: &claimed.delivery.delivery_id,
                state: next.progress.state.as_str(),
                in_doubt: next.progress.in_doubt,
                next_at: now.saturating_add(pause),
                last_error: next.progress.last_error.as_ref(),
                provider_id: next.progress.provider_id.as_ref(),
                ended_at: next.progress.ended_at,
            }
        })
        .collect();
    tx.execute(&SETTLE, values![token, rows]).await
}

/// Writes what an operator decided.
pub async fn steer(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &DeliveryId,
    progress: &Progress,
) -> Result<(), DbError> {
    let values = values![
        tenant,
        id,
        progress.state.as_str(),
        progress.tries,
        progress.in_doubt,
        progress.last_error.as_ref(),
        progress.ended_at,
    ];
    tx.execute_exactly(&STEER, values, 1).await
}

fn row_of(Claimed { tenant, delivery }: &Claimed) -> Record {
    record! {
        tenant_id: tenant,
        delivery_id: &delivery.delivery_id,
        event_id: &delivery.event_id,
        channel: delivery.outlet.as_str(),
        recipient: delivery.recipient.as_str(),
        audience: delivery.audience.as_str(),
        template: delivery.template.as_str(),
        locale: delivery.locale.as_str(),
        order_id: delivery.order_id.as_ref(),
        change_order_id: delivery.change_order_id.as_ref(),
        stream: delivery.stream.as_str(),
        payload: delivery.payload.as_str(),
        traceparent: delivery.traceparent.as_ref(),
        state: delivery.progress.state.as_str(),
        last_error: delivery.progress.last_error.as_ref(),
        created_at: delivery.created_at,
        ended_at: delivery.progress.ended_at,
    }
}

fn read(row: &Row) -> Result<Delivery, DbError> {
    Ok(Delivery {
        delivery_id: row.parsed("delivery_id", DeliveryId::parse)?,
        event_id: row.parsed("event_id", EventId::parse)?,
        outlet: row.named("channel", Outlet::parse)?,
        recipient: row.text("recipient")?,
        audience: row.named("audience", Audience::parse)?,
        template: row.text("template")?,
        locale: row.text("locale")?,
        order_id: row.opt_parsed("order_id", OrderId::parse)?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
        stream: row.text("stream")?,
        payload: row.text("payload")?,
        traceparent: row.opt_text("traceparent")?,
        progress: Progress {
            state: row.named("state", DeliveryState::parse)?,
            tries: row.int("tries")?,
            in_doubt: row.int("in_doubt")?,
            last_error: row.opt_text("last_error")?,
            provider_id: row.opt_text("provider_id")?,
            ended_at: row.opt_timestamp("ended_at")?,
        },
        created_at: row.timestamp("created_at")?,
    })
}
