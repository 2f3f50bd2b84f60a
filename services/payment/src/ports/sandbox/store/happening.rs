//! What the simulator's webhooks tell: one row for each change.

use storage::{DbError, Row, Statement, Tx, values};
use types::{Tenant, Timestamp};

static INSERT: Statement = Statement::new(
    "sandbox.insert_event",
    "INSERT INTO gateway_event (tenant_id, event_id, type, gateway_reference, payment_id, key, sent, at)
     VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING",
);

static UNSENT: Statement = Statement::new(
    "sandbox.unsent_events",
    "SELECT event_id, type, gateway_reference, payment_id, key, at FROM gateway_event
      WHERE tenant_id = $1 AND sent = 0 ORDER BY at, event_id LIMIT 1000",
);

static SENT: Statement = Statement::new(
    "sandbox.event_sent",
    "UPDATE gateway_event SET sent = 1 WHERE tenant_id = $1 AND event_id = $2",
);

/// A change, as a webhook tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Says the change, so that none is told twice as two.
    pub event_id: String,
    pub kind: String,
    pub gateway_reference: String,
    pub payment_id: String,
    /// The key it was asked for with; empty for what was not asked for by us.
    pub key: String,
    pub at: Timestamp,
}

/// A repeat of the same change is not written again.
pub async fn insert(tx: &mut Tx, tenant: &Tenant, happening: &Happening) -> Result<(), DbError> {
    let Happening { event_id, kind, gateway_reference, payment_id, key, at } = happening;
    tx.execute(&INSERT, values![tenant, event_id, kind, gateway_reference, payment_id, key, *at]).await?;
    Ok(())
}

/// What no webhook has brought yet, in the order in which it happened.
pub async fn unsent(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<Happening>, DbError> {
    tx.fetch_all(&UNSENT, values![tenant]).await?.iter().map(happening).collect()
}

pub async fn sent(tx: &mut Tx, tenant: &Tenant, event_id: &str) -> Result<(), DbError> {
    tx.execute_exactly(&SENT, values![tenant, event_id], 1).await
}

fn happening(row: &Row) -> Result<Happening, DbError> {
    Ok(Happening {
        event_id: row.text("event_id")?,
        kind: row.text("type")?,
        gateway_reference: row.text("gateway_reference")?,
        payment_id: row.text("payment_id")?,
        key: row.text("key")?,
        at: row.timestamp("at")?,
    })
}
