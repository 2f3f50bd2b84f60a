//! Tables `owed` and `digest`: what events said last of money that is owed, and the days it was told of.

use storage::{DbError, Rows, Statement, Tx, record, values};
use types::{Currency, EventId, Money, OrderId, Tenant, Timestamp};

static PUT: Statement = Statement::new(
    "notification.put_owed",
    "INSERT INTO owed rows($1: tenant_id text, order_id text, currency text, owed_minor bigint,
       changed_at text)
     WHERE true
     ON CONFLICT (tenant_id, order_id) DO UPDATE SET owed_minor = excluded.owed_minor, changed_at =
       excluded.changed_at",
);

/// Tenants with money owed and somebody to tell, whose day was not made yet.
static WAITING: Statement = Statement::new(
    "notification.tenants_without_digest",
    "SELECT DISTINCT e.tenant_id FROM recipient AS e
      WHERE e.scope = 'everything' AND e.audience = 'staff' AND e.state = 'active'
        AND EXISTS (SELECT 1 FROM owed AS o WHERE o.tenant_id = e.tenant_id AND o.owed_minor > 0)
        AND NOT EXISTS (SELECT 1 FROM digest AS d WHERE d.tenant_id = e.tenant_id AND d.day = $1)
      ORDER BY e.tenant_id LIMIT $2",
);

static MAKE: Statement = Statement::new(
    "notification.make_digest",
    "INSERT INTO digest (tenant_id, day, event_id, made_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, day) DO NOTHING",
);

static OPEN: Statement = Statement::new(
    "notification.list_owed",
    "SELECT order_id, currency, owed_minor, changed_at FROM owed
      WHERE tenant_id = $1 AND owed_minor > 0 ORDER BY order_id LIMIT $2",
);

static COUNT: Statement = Statement::new(
    "notification.count_owed",
    "SELECT COUNT(*) AS orders FROM owed WHERE tenant_id = $1 AND owed_minor > 0",
);

/// What is owed for an order, as its last event had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedOrder {
    pub order_id: OrderId,
    pub amount: Money,
    pub changed_at: Timestamp,
}

/// Writes what is owed now; each order once.
pub async fn put(tx: &mut Tx, owed: &[(Tenant, OwedOrder)]) -> Result<(), DbError> {
    if owed.is_empty() {
        return Ok(());
    }
    let rows: Rows = owed
        .iter()
        .map(|(tenant, order)| {
            let amount = order.amount;
            record! {
                tenant_id: tenant,
                order_id: &order.order_id,
                currency: amount.currency().code(),
                owed_minor: amount.minor(),
                changed_at: order.changed_at,
            }
        })
        .collect();
    let expected = owed.len() as u64;
    tx.execute_exactly(&PUT, values![rows], expected).await
}

pub async fn tenants_without_digest(tx: &mut Tx, day: &str, limit: i64) -> Result<Vec<Tenant>, DbError> {
    tx.fetch_all(&WAITING, values![day, limit]).await?.iter().map(storage::Row::tenant).collect()
}

/// Takes a day for a tenant; false when it was taken before.
pub async fn make(
    tx: &mut Tx,
    tenant: &Tenant,
    day: &str,
    event_id: &EventId,
    at: Timestamp,
) -> Result<bool, DbError> {
    Ok(tx.execute(&MAKE, values![tenant, day, event_id, at]).await? == 1)
}

/// The first orders that are owed money, and how many there are.
pub async fn open(tx: &mut Tx, tenant: &Tenant, limit: i64) -> Result<(Vec<OwedOrder>, i64), DbError> {
    let rows = tx.fetch_all(&OPEN, values![tenant, limit]).await?;
    let orders: Vec<OwedOrder> = rows
        .iter()
        .map(|row| {
            let currency = row.parsed("currency", Currency::parse)?;
            let minor = row.int("owed_minor")?;
            let amount =
                Money::new(currency, minor).map_err(|problem| DbError::malformed(OPEN.name(), problem))?;
            Ok(OwedOrder {
                order_id: row.parsed("order_id", OrderId::parse)?,
                amount,
                changed_at: row.timestamp("changed_at")?,
            })
        })
        .collect::<Result<_, DbError>>()?;
    let count = tx.fetch_one(&COUNT, values![tenant]).await?.int("orders")?;
    Ok((orders, count))
}
