//! Orders that wait for their payment, for the clock that warns of their end.

use storage::{DbError, Statement, Tx, values};
use types::OrderId;

use super::keys::OrderKey;

static FIND: Statement = Statement::new(
    "order.find_unpaid_orders",
    "SELECT tenant_id, order_id FROM order_head
      WHERE missing_minor > 0 AND order_id > $1 ORDER BY order_id LIMIT $2",
);

/// Unpaid orders of any tenant behind an id.
pub async fn find(tx: &mut Tx, after: Option<&OrderId>, most: i64) -> Result<Vec<OrderKey>, DbError> {
    let rows = tx.fetch_all(&FIND, values![after.map_or("", OrderId::as_str), most]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, row.parsed("order_id", OrderId::parse)?))).collect()
}
