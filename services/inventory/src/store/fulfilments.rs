//! Which order a fulfilment belongs to: requests name the fulfilment alone. The answer never changes, so it is read
//! before the order is locked.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Rows, Statement, Tx, values};
use types::{FulfilmentId, OrderId, Tenant};

static ORDERS: Statement = Statement::new(
    "inventory.orders_of_fulfilments",
    "SELECT f.tenant_id, f.fulfilment_id, f.order_id
       FROM rows($1: tenant_id text, fulfilment_id text) AS r
       JOIN fulfilment AS f ON f.tenant_id = r.tenant_id AND f.fulfilment_id = r.fulfilment_id",
);

pub type FulfilmentKey = (Tenant, FulfilmentId);

pub async fn orders(
    tx: &mut Tx,
    fulfilments: &BTreeSet<FulfilmentKey>,
) -> Result<BTreeMap<FulfilmentKey, OrderId>, DbError> {
    let mut orders = BTreeMap::new();
    if fulfilments.is_empty() {
        return Ok(orders);
    }
    let rows: Rows = fulfilments.iter().map(|(tenant, id)| values![tenant, id]).collect();
    for row in tx.fetch_all(&ORDERS, values![rows]).await? {
        let key = (row.tenant()?, row.parsed("fulfilment_id", FulfilmentId::parse)?);
        orders.insert(key, row.parsed("order_id", OrderId::parse)?);
    }
    Ok(orders)
}
