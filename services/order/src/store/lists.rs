//! Lists, and finding an order by its number. Pages go by id, which is by age.

use std::collections::BTreeSet;

use storage::{DbError, Rows, Statement, Tx, Value, values};
use types::{OrderId, Tenant};

use super::changes::{self, change_columns};
use super::heads::{self, columns};
use super::keys::OrderKey;
use super::orders;
use crate::domain::change::ChangeOrder;
use crate::domain::listing::{ChangeFilter, OrderFilter, Page};
use crate::domain::order::Order;

static ORDERS: Statement = Statement::new(
    "order.list_orders",
    concat!(
        "SELECT ",
        columns!(),
        " FROM order_head AS h
         WHERE h.tenant_id = $1 AND h.order_id > $2
           AND ($3 = '' OR h.customer_id = $3)
           AND ($4 = '' OR EXISTS (SELECT 1 FROM external_reference AS e
                                    WHERE e.tenant_id = h.tenant_id AND e.order_id = h.order_id AND e.system = $4))
           AND ($5 = 0 OR h.state IN (SELECT state FROM rows($7: state text)))
         ORDER BY h.order_id LIMIT $6"
    ),
);

static ORDERS_BY_REFERENCE: Statement = Statement::new(
    "order.list_orders_by_reference",
    concat!(
        "SELECT ",
        columns!(),
        " FROM external_reference AS e
          JOIN order_head AS h ON h.tenant_id = e.tenant_id AND h.order_id = e.order_id
         WHERE e.tenant_id = $1 AND e.system = $2 AND e.reference = $3 AND h.order_id > $4
           AND ($5 = '' OR h.customer_id = $5)
           AND ($6 = '' OR e.system = $6)
           AND ($7 = 0 OR h.state IN (SELECT state FROM rows($8: state text)))"
    ),
);

static CHANGES: Statement = Statement::new(
    "order.list_changes",
    concat!(
        "SELECT ",
        change_columns!(),
        " FROM change_order AS c
         WHERE c.tenant_id = $1 AND c.change_order_id > $2
           AND ($3 = '' OR c.order_id = $3)
           AND ($4 = '' OR EXISTS (SELECT 1 FROM external_reference AS e
                                    WHERE e.tenant_id = c.tenant_id AND e.order_id = c.order_id AND e.system = $4))
           AND ($5 = 0 OR c.state IN (SELECT state FROM rows($7: state text)))
         ORDER BY c.change_order_id LIMIT $6"
    ),
);

static BY_NUMBER: Statement = Statement::new(
    "order.find_by_number",
    "SELECT order_id FROM order_head WHERE tenant_id = $1 AND number = $2",
);

/// At most one more order than the page has room for, so that the caller knows whether another follows.
pub async fn list_orders(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &OrderFilter,
    page: &Page,
) -> Result<Vec<Order>, DbError> {
    let after = page.after.as_deref().unwrap_or_default();
    let customer = filter.customer_id.as_deref().unwrap_or_default();
    let system = filter.external_system.as_deref().unwrap_or_default();
    let states = names(filter.states.iter().map(|state| state.as_str()));
    let any_state = i64::from(!states.is_empty());
    let rows = match &filter.reference {
        None => {
            let values = values![tenant, after, customer, system, any_state, page.size + 1, states];
            tx.fetch_all(&ORDERS, values).await?
        }
        Some(name) => {
            let values =
                values![tenant, &name.system, &name.reference, after, customer, system, any_state, states];
            tx.fetch_all(&ORDERS_BY_REFERENCE, values).await?
        }
    };
    let heads = rows.iter().map(heads::read).collect::<Result<Vec<_>, _>>()?;
    let keys: BTreeSet<OrderKey> = heads.iter().map(orders::key).collect();
    if keys.is_empty() {
        return Ok(heads);
    }
    orders::hang_on(tx, &keys, heads).await
}

/// At most one more change than the page has room for.
pub async fn list_changes(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &ChangeFilter,
    page: &Page,
) -> Result<Vec<ChangeOrder>, DbError> {
    let states = names(filter.states.iter().map(|state| state.as_str()));
    let values: Vec<Value> = values![
        tenant,
        page.after.as_deref().unwrap_or_default(),
        filter.order_id.as_ref().map_or("", OrderId::as_str),
        filter.external_system.as_deref().unwrap_or_default(),
        i64::from(!states.is_empty()),
        page.size + 1,
        states,
    ];
    let rows = tx.fetch_all(&CHANGES, values).await?;
    let found = rows.iter().map(changes::read).collect::<Result<Vec<_>, _>>()?;
    let keys = found.iter().map(changes::key).collect::<BTreeSet<_>>();
    if keys.is_empty() {
        return Ok(found);
    }
    changes::hang_on(tx, &keys, found).await
}

pub async fn find_by_number(tx: &mut Tx, tenant: &Tenant, number: &str) -> Result<Option<OrderId>, DbError> {
    let row = tx.fetch_optional(&BY_NUMBER, values![tenant, number]).await?;
    row.map(|row| row.parsed("order_id", OrderId::parse)).transpose()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Rows {
    names.map(|name| values![name]).collect()
}
