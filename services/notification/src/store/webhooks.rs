//! Tables `webhook_endpoint` and `webhook_attempt`.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Tx, Value, values};
use types::{DeliveryId, EventId, Tenant, Timestamp, WebhookId};

use crate::domain::webhook::{DisabledCause, Endpoint, EndpointState, OldSecret, Secret};

macro_rules! columns {
    () => {
        "webhook_id, url, description, event_types, state, disabled_cause, secret, old_secret, old_secret_until,
         failing_since, created_at, changed_at"
    };
}

static PUT: Statement = Statement::new(
    "notification.put_endpoint",
    "INSERT INTO webhook_endpoint (tenant_id, webhook_id, url, description, event_types, state, disabled_cause, secret,
                                   old_secret, old_secret_until, failing_since, created_at, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (tenant_id, webhook_id) DO UPDATE SET url = excluded.url, description = excluded.description,
       event_types = excluded.event_types, state = excluded.state, disabled_cause = excluded.disabled_cause,
       secret = excluded.secret, old_secret = excluded.old_secret, old_secret_until = excluded.old_secret_until,
       failing_since = excluded.failing_since, changed_at = excluded.changed_at",
);

static GET: Statement = Statement::new(
    "notification.get_endpoint",
    concat!("SELECT ", columns!(), " FROM webhook_endpoint WHERE tenant_id = $1 AND webhook_id = $2"),
);

static HOLD: Statement = Statement::new(
    "notification.hold_endpoint",
    concat!(
        "SELECT ",
        columns!(),
        " FROM webhook_endpoint WHERE tenant_id = $1 AND webhook_id = $2 FOR UPDATE"
    ),
);

static LIST: Statement = Statement::new(
    "notification.list_endpoints",
    concat!(
        "SELECT ",
        columns!(),
        " FROM webhook_endpoint WHERE tenant_id = $1 AND webhook_id > $2 ORDER BY webhook_id LIMIT $3"
    ),
);

static ACTIVE: Statement = Statement::new(
    "notification.active_endpoints",
    "SELECT e.tenant_id, e.webhook_id, e.url, e.description, e.event_types, e.state, e.disabled_cause, e.secret,
            e.old_secret, e.old_secret_until, e.failing_since, e.created_at, e.changed_at
       FROM rows($1: tenant_id text) AS r
       JOIN webhook_endpoint AS e ON e.tenant_id = r.tenant_id AND e.state = 'active'",
);

/// Numbered here, because the tries of a delivery start from one again when it is sent once more.
static NOTE: Statement = Statement::new(
    "notification.note_webhook_attempt",
    "INSERT INTO webhook_attempt (tenant_id, delivery_id, attempt, at, status, latency_ms, error)
     SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COUNT(*) + 1, CAST($3 AS TEXT), CAST($4 AS BIGINT),
            CAST($5 AS BIGINT), CAST($6 AS TEXT)
       FROM webhook_attempt WHERE tenant_id = $1 AND delivery_id = $2",
);

static ATTEMPTS: Statement = Statement::new(
    "notification.webhook_attempts",
    "SELECT a.delivery_id, a.attempt, a.at, a.status, a.latency_ms, a.error
       FROM rows($2: delivery_id text) AS r
       JOIN webhook_attempt AS a ON a.tenant_id = $1 AND a.delivery_id = r.delivery_id
      ORDER BY a.delivery_id, a.attempt",
);

/// Sends it again from the first try on. What arrived stays as it is and is sent again as a delivery of its own.
static AGAIN: Statement = Statement::new(
    "notification.redeliver_webhook",
    "UPDATE delivery SET state = 'queued', tries = 0, in_doubt = 0, next_at = 0, claim_token = '', ended_at = NULL
      WHERE tenant_id = $1 AND delivery_id = $2 AND channel = 'webhook' AND state IN ('failed', 'dead')",
);

static COUNT: Statement = Statement::new(
    "notification.count_webhook_deliveries",
    "SELECT COUNT(*) AS deliveries FROM delivery
      WHERE tenant_id = $1 AND event_id = $2 AND channel = 'webhook' AND (recipient = $3 OR recipient LIKE $3 || '#%')",
);

/// What is noted of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub delivery_id: DeliveryId,
    /// 1, 2, 3 …
    pub number: i64,
    pub at: Timestamp,
    /// The HTTP status; 0 without an answer.
    pub status: i64,
    pub latency_ms: i64,
    pub error: String,
}

pub async fn put(tx: &mut Tx, tenant: &Tenant, endpoint: &Endpoint) -> Result<(), DbError> {
    let old = endpoint.old_secret.as_ref();
    let values = values![
        tenant,
        &endpoint.webhook_id,
        endpoint.url.as_str(),
        endpoint.description.as_str(),
        &endpoint.event_types.join(" "),
        endpoint.state.as_str(),
        endpoint.state.cause().map(DisabledCause::as_str),
        &endpoint.secret.to_text(),
        old.map(|old| old.secret.to_text()),
        old.map(|old| old.until),
        endpoint.failing_since,
        endpoint.created_at,
        endpoint.changed_at,
    ];
    tx.execute_exactly(&PUT, values, 1).await
}

/// Reads an endpoint, and holds it until the transaction ends.
pub async fn hold(tx: &mut Tx, tenant: &Tenant, id: &WebhookId) -> Result<Option<Endpoint>, DbError> {
    tx.fetch_optional(&HOLD, values![tenant, id]).await?.as_ref().map(read).transpose()
}

pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &WebhookId) -> Result<Option<Endpoint>, DbError> {
    tx.fetch_optional(&GET, values![tenant, id]).await?.as_ref().map(read).transpose()
}

pub async fn list(tx: &mut Tx, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<Endpoint>, DbError> {
    tx.fetch_all(&LIST, values![tenant, after, limit]).await?.iter().map(read).collect()
}

/// The endpoints that events of these tenants may be posted to.
pub async fn active(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Vec<(Tenant, Endpoint)>, DbError> {
    let keys: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    let rows = tx.fetch_all(&ACTIVE, values![keys]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, read(row)?))).collect()
}

pub async fn note(tx: &mut Tx, tenant: &Tenant, attempt: &Attempt) -> Result<(), DbError> {
    let values: Vec<Value> = values![
        tenant,
        &attempt.delivery_id,
        attempt.at,
        attempt.status,
        attempt.latency_ms,
        attempt.error.as_str(),
    ];
    tx.execute_exactly(&NOTE, values, 1).await
}

/// By delivery, in the order they were made.
pub async fn attempts(
    tx: &mut Tx,
    tenant: &Tenant,
    deliveries: &[&DeliveryId],
) -> Result<Vec<Attempt>, DbError> {
    let keys: Rows = deliveries.iter().map(|id| values![*id]).collect();
    let rows = tx.fetch_all(&ATTEMPTS, values![tenant, keys]).await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                delivery_id: row.parsed("delivery_id", DeliveryId::parse)?,
                number: row.int("attempt")?,
                at: row.timestamp("at")?,
                status: row.int("status")?,
                latency_ms: row.int("latency_ms")?,
                error: row.text("error")?,
            })
        })
        .collect()
}

pub async fn send_again(tx: &mut Tx, tenant: &Tenant, id: &DeliveryId) -> Result<(), DbError> {
    tx.execute_exactly(&AGAIN, values![tenant, id], 1).await
}

/// How many deliveries of an event to an endpoint there are.
pub async fn deliveries_of(
    tx: &mut Tx,
    tenant: &Tenant,
    event_id: &EventId,
    webhook_id: &WebhookId,
) -> Result<i64, DbError> {
    tx.fetch_one(&COUNT, values![tenant, event_id, webhook_id]).await?.int("deliveries")
}

fn read(row: &Row) -> Result<Endpoint, DbError> {
    let cause = row.opt_parsed("disabled_cause", |text| {
        DisabledCause::parse(text).ok_or_else(|| format!("{text:?} is no cause"))
    })?;
    let secret = |text: &str| Secret::parse(text).ok_or("a stored secret is no secret");
    let old_secret = match (row.opt_parsed("old_secret", secret)?, row.opt_timestamp("old_secret_until")?) {
        (Some(secret), Some(until)) => Some(OldSecret { secret, until }),
        (None, None) => None,
        _ => return Err(DbError::malformed("notification.get_endpoint", "half an old secret")),
    };
    Ok(Endpoint {
        webhook_id: row.parsed("webhook_id", WebhookId::parse)?,
        url: row.text("url")?,
        description: row.text("description")?,
        event_types: row.text("event_types")?.split_whitespace().map(str::to_owned).collect(),
        state: cause.map_or(EndpointState::Active, EndpointState::Disabled),
        secret: row.parsed("secret", secret)?,
        old_secret,
        failing_since: row.opt_timestamp("failing_since")?,
        created_at: row.timestamp("created_at")?,
        changed_at: row.timestamp("changed_at")?,
    })
}
