//! The newest orders and changes, for trying rules on what happened.

use std::collections::BTreeSet;

use storage::{DbError, Statement, Tx, values};
use types::Tenant;

use super::changes::{self, change_columns};
use super::heads::{self, columns};
use super::keys::OrderKey;
use super::orders;
use crate::domain::change::ChangeOrder;
use crate::domain::order::Order;

static ORDERS: Statement = Statement::new(
    "order.newest_orders",
    concat!(
        "SELECT ",
        columns!(),
        " FROM order_head AS h WHERE h.tenant_id = $1 ORDER BY h.order_id DESC LIMIT $2"
    ),
);

static CHANGES: Statement = Statement::new(
    "order.newest_changes",
    concat!(
        "SELECT ",
        change_columns!(),
        " FROM change_order AS c WHERE c.tenant_id = $1 ORDER BY c.change_order_id DESC LIMIT $2"
    ),
);

/// Newest first.
pub async fn orders(tx: &mut Tx, tenant: &Tenant, count: i64) -> Result<Vec<Order>, DbError> {
    let rows = tx.fetch_all(&ORDERS, values![tenant, count]).await?;
    let heads = rows.iter().map(heads::read).collect::<Result<Vec<_>, _>>()?;
    let keys: BTreeSet<OrderKey> = heads.iter().map(orders::key).collect();
    if keys.is_empty() {
        return Ok(heads);
    }
    orders::hang_on(tx, &keys, heads).await
}

/// Newest first.
pub async fn changes(tx: &mut Tx, tenant: &Tenant, count: i64) -> Result<Vec<ChangeOrder>, DbError> {
    let rows = tx.fetch_all(&CHANGES, values![tenant, count]).await?;
    let found = rows.iter().map(changes::read).collect::<Result<Vec<_>, _>>()?;
    let keys = found.iter().map(changes::key).collect::<BTreeSet<_>>();
    if keys.is_empty() {
        return Ok(found);
    }
    changes::hang_on(tx, &keys, found).await
}
