//! Table `suppression`: who is told nothing more, and why.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Tx, record, values};
use types::{Tenant, Timestamp};

use crate::domain::{Outlet, SuppressionCause};

static ACTIVE: Statement = Statement::new(
    "notification.active_suppressions",
    "SELECT s.tenant_id, s.recipient, s.channel, s.cause, s.detail, s.state, s.changed_at FROM suppression AS s
       JOIN rows($1: tenant_id text, channel text, recipient text) AS r
         ON s.tenant_id = r.tenant_id AND s.channel = r.channel AND s.recipient = r.recipient
      WHERE s.state = 'active'",
);

static PUT: Statement = Statement::new(
    "notification.put_suppressions",
    "INSERT INTO suppression rows($1: tenant_id text, channel text, recipient text, cause text, detail text,
       state text, changed_at text)
     WHERE true
     ON CONFLICT (tenant_id, channel, recipient) DO UPDATE SET cause = excluded.cause, detail =
       excluded.detail, state = excluded.state, changed_at = excluded.changed_at",
);

static LIST: Statement = Statement::new(
    "notification.list_suppressions",
    "SELECT tenant_id, recipient, channel, cause, detail, state, changed_at FROM suppression
      WHERE tenant_id = $1 AND (channel, recipient) > ($2, $3) ORDER BY channel, recipient LIMIT $4",
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub outlet: Outlet,
    pub recipient: String,
    pub cause: SuppressionCause,
    pub detail: String,
    pub is_active: bool,
    pub changed_at: Timestamp,
}

/// Whom a suppression is about.
pub type Key = (Tenant, Outlet, String);

/// Those of the named who are suppressed.
pub async fn active(tx: &mut Tx, keys: &[Key]) -> Result<BTreeMap<Key, Suppression>, DbError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Rows = keys
        .iter()
        .map(|(tenant, outlet, recipient)| values![tenant, outlet.as_str(), recipient.as_str()])
        .collect();
    let rows = tx.fetch_all(&ACTIVE, values![rows]).await?;
    rows.iter()
        .map(|row| {
            let suppression = read(row)?;
            Ok(((row.tenant()?, suppression.outlet, suppression.recipient.clone()), suppression))
        })
        .collect()
}

/// Writes each as it now is. The keys are distinct.
pub async fn put(tx: &mut Tx, suppressions: &BTreeMap<Key, Suppression>) -> Result<(), DbError> {
    if suppressions.is_empty() {
        return Ok(());
    }
    let rows: Rows = suppressions
        .iter()
        .map(|((tenant, outlet, recipient), suppression)| {
            let state = if suppression.is_active { "active" } else { "lifted" };
            record! {
                tenant_id: tenant,
                channel: outlet.as_str(),
                recipient: recipient.as_str(),
                cause: suppression.cause.as_str(),
                detail: suppression.detail.as_str(),
                state: state,
                changed_at: suppression.changed_at,
            }
        })
        .collect();
    let expected = suppressions.len() as u64;
    tx.execute_exactly(&PUT, values![rows], expected).await
}

pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Suppression>, DbError> {
    tx.fetch_all(&LIST, values![tenant, after.0, after.1, limit]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Suppression, DbError> {
    Ok(Suppression {
        outlet: row.named("channel", Outlet::parse)?,
        recipient: row.text("recipient")?,
        cause: row.named("cause", SuppressionCause::parse)?,
        detail: row.text("detail")?,
        is_active: row.text("state")? == "active",
        changed_at: row.timestamp("changed_at")?,
    })
}
