//! Table `notification`.

use storage::{DbError, Record, Row, Rows, Statement, Tx, Value, record, values};
use types::{ChangeOrderId, EventId, NotificationId, OrderId, Tenant, Timestamp};

use crate::domain::{Audience, Channel, GoesBy, Notification, State};

/// Rows of one claim.
pub const CLAIM_MAX: i64 = 200;
/// A claim that is not settled by then is free for another courier; writing its lines takes milliseconds.
const CLAIM_MICROS: i64 = 30_000_000;

static INSERT: Statement = Statement::new(
    "notification.insert",
    "INSERT INTO notification rows($3: tenant_id text, notification_id text, event_id text, order_id text,
       change_order_id text, template text, audience text, channel text, state text, subject text,
       body text, traceparent text, created_at text, sent_at text, owed_minor bigint,
       position_seq bigint, claim_token = $1, claimed_until = CAST($2 AS BIGINT))",
);

static GET: Statement = Statement::new(
    "notification.get",
    "SELECT notification_id, event_id, order_id, change_order_id, template, audience, channel, state, subject, body,
            traceparent, created_at, sent_at, owed_minor, position_seq
       FROM notification WHERE tenant_id = $1 AND notification_id = $2",
);

static LIST: Statement = Statement::new(
    "notification.list",
    "SELECT notification_id, event_id, order_id, change_order_id, template, audience, channel, state, subject, body,
            traceparent, created_at, sent_at, owed_minor, position_seq
       FROM notification
      WHERE tenant_id = $1 AND notification_id > $2 AND ($3 = '' OR audience = $3) AND ($4 = '' OR template = $4)
      ORDER BY notification_id LIMIT $5",
);

static LIST_OF_ORDER: Statement = Statement::new(
    "notification.list_of_order",
    "SELECT notification_id, event_id, order_id, change_order_id, template, audience, channel, state, subject, body,
            traceparent, created_at, sent_at, owed_minor, position_seq
       FROM notification
      WHERE tenant_id = $1 AND order_id = $6 AND notification_id > $2 AND ($3 = '' OR audience = $3)
        AND ($4 = '' OR template = $4)
      ORDER BY notification_id LIMIT $5",
);

/// The inner query is a materialised table, because one that is run again could claim more than its limit.
static CLAIM: Statement = Statement::new(
    "notification.claim",
    "WITH due AS MATERIALIZED (
        SELECT n.tenant_id, n.notification_id FROM notification AS n
         WHERE n.state = 'enqueued' AND n.claimed_until <= $1
         ORDER BY n.notification_id LIMIT $4 FOR UPDATE OF n SKIP LOCKED)
     UPDATE notification SET claim_token = $2, claimed_until = $3
       FROM due
      WHERE notification.tenant_id = due.tenant_id AND notification.notification_id = due.notification_id
     RETURNING notification.tenant_id AS tenant_id, notification.notification_id AS notification_id,
               notification.event_id AS event_id, notification.order_id AS order_id,
               notification.change_order_id AS change_order_id, notification.template AS template,
               notification.audience AS audience, notification.channel AS channel, notification.state AS state,
               notification.subject AS subject, notification.body AS body,
               notification.traceparent AS traceparent, notification.created_at AS created_at,
               notification.sent_at AS sent_at, notification.owed_minor AS owed_minor,
               notification.position_seq AS position_seq",
);

static MARK_SENT: Statement = Statement::new(
    "notification.mark_sent",
    "UPDATE notification SET rows($3: tenant_id text, notification_id text | state = 'sent', sent_at = $1)
      AND notification.claim_token = $2 AND notification.state = 'enqueued'",
);

/// A notification and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub tenant: Tenant,
    pub notification: Notification,
}

/// Which notifications a listing shows, oldest first. An empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub order_id: Option<OrderId>,
    pub audience: Option<Audience>,
    pub template: String,
}

/// Writes new notifications, claimed by the courier whose process takes their events in, so that nobody has to claim
/// them; should that process die, the claim runs out. Their event must stand in the inbox already.
pub async fn insert(tx: &mut Tx, token: &str, new: &[Owned]) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows: Rows = new.iter().map(|owned| row_of(&owned.tenant, &owned.notification)).collect();
    let (expected, until) = (rows.len() as u64, tx.db_now().await?.saturating_add(CLAIM_MICROS));
    tx.execute_exactly(&INSERT, values![token, until, rows], expected).await
}

pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &NotificationId) -> Result<Option<Notification>, DbError> {
    let row = tx.fetch_optional(&GET, values![tenant, id]).await?;
    row.map(|row| read(&row)).transpose()
}

/// At most `limit` notifications behind the one named `after`, which is empty at the beginning.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<Notification>, DbError> {
    let audience = filter.audience.map_or("", Audience::as_str);
    let mut values = values![tenant, after, audience, &filter.template, limit];
    let rows = match &filter.order_id {
        None => tx.fetch_all(&LIST, values).await?,
        Some(order_id) => {
            values.push(Value::from(order_id));
            tx.fetch_all(&LIST_OF_ORDER, values).await?
        }
    };
    rows.iter().map(read).collect()
}

/// Takes the oldest enqueued notifications nobody has, for as long as a claim lasts.
pub async fn claim(tx: &mut Tx, token: &str) -> Result<Vec<Owned>, DbError> {
    let now = tx.db_now().await?;
    let values = values![now, token, now.saturating_add(CLAIM_MICROS), CLAIM_MAX];
    let rows = tx.fetch_all(&CLAIM, values).await?;
    let mut claimed: Vec<Owned> = rows
        .iter()
        .map(|row| Ok(Owned { tenant: row.tenant()?, notification: read(row)? }))
        .collect::<Result<_, DbError>>()?;
    // RETURNING promises no order.
    claimed.sort_by(|a, b| a.notification.notification_id.cmp(&b.notification.notification_id));
    Ok(claimed)
}

/// Notes what was delivered under a claim, and tells how many still were its own.
pub async fn mark_sent(tx: &mut Tx, token: &str, at: Timestamp, sent: &[Owned]) -> Result<u64, DbError> {
    if sent.is_empty() {
        return Ok(0);
    }
    let rows: Rows = sent
        .iter()
        .map(|owned| {
            record! {
                tenant_id: &owned.tenant,
                notification_id: &owned.notification.notification_id,
            }
        })
        .collect();
    tx.execute(&MARK_SENT, values![at, token, rows]).await
}

fn row_of(tenant: &Tenant, notification: &Notification) -> Record {
    record! {
        tenant_id: tenant,
        notification_id: &notification.notification_id,
        event_id: &notification.event_id,
        order_id: notification.order_id.as_ref(),
        change_order_id: notification.change_order_id.as_ref(),
        template: &notification.template,
        audience: notification.audience.as_str(),
        channel: notification.channel.as_str(),
        state: notification.state.as_str(),
        subject: &notification.subject,
        body: &notification.body,
        traceparent: notification.traceparent.as_ref(),
        created_at: notification.created_at,
        sent_at: notification.state.sent_at(),
        owed_minor: notification.owed.map(|owed| owed.minor),
        position_seq: notification.owed.map(|owed| owed.sequence),
    }
}

fn read(row: &Row) -> Result<Notification, DbError> {
    // The schema ties the two columns to each other.
    let state = match row.opt_timestamp("sent_at")? {
        Some(at) => State::Sent { at },
        None => State::Enqueued,
    };
    Ok(Notification {
        notification_id: row.parsed("notification_id", NotificationId::parse)?,
        event_id: row.parsed("event_id", EventId::parse)?,
        order_id: row.opt_parsed("order_id", OrderId::parse)?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
        template: row.text("template")?,
        audience: row.named("audience", Audience::parse)?,
        channel: row.named("channel", Channel::parse)?,
        state,
        subject: row.text("subject")?,
        body: row.text("body")?,
        traceparent: row.opt_text("traceparent")?,
        created_at: row.timestamp("created_at")?,
        owed: match (row.opt_int("owed_minor")?, row.opt_int("position_seq")?) {
            (Some(minor), Some(sequence)) => Some(GoesBy { minor, sequence }),
            _ => None,
        },
    })
}
