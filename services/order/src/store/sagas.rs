//! Which saga belongs to what. The sagas themselves are read and written by their library.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Statement, Tx, values};
use types::{OrderId, SagaId};

use super::keys::{self, OrderKey};

/// Placing ends once and for all, so this may be read before anything is locked: a saga that is named in vain is
/// only locked in vain.
static FIND_PLACING: Statement = Statement::new(
    "order.find_placing_sagas",
    "SELECT h.tenant_id, h.order_id, s.id
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN order_head AS h ON h.tenant_id = r.tenant_id AND h.order_id = r.order_id AND h.placement = 'placing'
       JOIN saga AS s ON s.tenant_id = h.tenant_id AND s.definition = 'place' AND s.subject_id = h.order_id",
);

/// The place sagas of those orders that are still being placed.
pub async fn find_placing(
    tx: &mut Tx,
    orders: &BTreeSet<OrderKey>,
) -> Result<BTreeMap<OrderKey, SagaId>, DbError> {
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = tx.fetch_all(&FIND_PLACING, values![keys::rows(orders)]).await?;
    rows.iter()
        .map(|row| {
            let key = (row.tenant()?, row.parsed("order_id", OrderId::parse)?);
            Ok((key, row.parsed("id", SagaId::parse)?))
        })
        .collect()
}
