//! Lists, and finding an order by its number. Pages go by id, which is by age.

use std::collections::BTreeSet;

use storage::{DbError, Rows, Statement, Tx, Value, values};
use types::{FolderId, OrderId, Tenant, Timestamp};

use super::changes::{self, change_columns};
use super::heads::{self, columns};
use super::keys::OrderKey;
use super::orders;
use crate::domain::change::ChangeOrder;
use crate::domain::listing::{ChangeFilter, Concern, OrderFilter, Page};
use crate::domain::order::Order;

/// What an order must be to be listed; `$1` is the tenant, `$2` the last id seen. The rows of states come last.
macro_rules! conditions {
    ($states:literal) => {
        concat!("h.tenant_id = $1 AND h.order_id > $2
           AND ($3 = '' OR h.customer_id = $3)
           AND ($4 = '' OR EXISTS (SELECT 1 FROM external_reference AS e
                                    WHERE e.tenant_id = h.tenant_id AND e.order_id = h.order_id AND e.system = $4))
           AND ($5 = '' OR EXISTS (SELECT 1 FROM order_folder AS p
                                    WHERE p.tenant_id = h.tenant_id AND p.order_id = h.order_id AND p.folder_id = $5))
           AND ($6 = '' OR $6 IN (h.buyer, h.supplier, h.source_router, h.created_by_org))
           AND ($7 = '' OR h.number = $7)
           AND h.created_at >= $8 AND ($9 = '' OR h.created_at < $9)
           AND ($10 = '' OR $10 IN (h.buyer, h.supplier, h.source_router, h.created_by_org))
           AND ($11 = '' OR h.customer_id = $11)
           AND ($12 = 0 OR h.state IN (SELECT state FROM rows(",
            $states,
            ": state text)))"
        )
    };
}

static ORDERS: Statement = Statement::new(
    "order.list_orders",
    concat!(
        "SELECT ",
        columns!(),
        " FROM order_head AS h WHERE ",
        conditions!("$14"),
        " ORDER BY h.order_id LIMIT $13"
    ),
);

/// A name in another system belongs to one order, so this finds one at most.
static ORDERS_BY_REFERENCE: Statement = Statement::new(
    "order.list_orders_by_reference",
    concat!(
        "SELECT ",
        columns!(),
        " FROM external_reference AS n
          JOIN order_head AS h ON h.tenant_id = n.tenant_id AND h.order_id = n.order_id
         WHERE n.tenant_id = $1 AND n.system = $14 AND n.reference = $15 AND ",
        conditions!("$16"),
        " LIMIT $13"
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
    let states = names(filter.states.iter().map(|state| state.as_str()));
    let rows = match &filter.reference {
        None => {
            let mut values = conditions(tenant, filter, page);
            values.extend(values![states]);
            tx.fetch_all(&ORDERS, values).await?
        }
        Some(name) => {
            let mut values = conditions(tenant, filter, page);
            values.extend(values![&name.system, &name.reference, states]);
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

/// The values of the conditions, without the states; an empty text asks for nothing.
fn conditions(tenant: &Tenant, filter: &OrderFilter, page: &Page) -> Vec<Value> {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    // Nobody acts for an organisation without a name, and a blank stands in no name.
    let own = |name: &String| if name.is_empty() { " ".to_owned() } else { name.clone() };
    let (organisation, customer) = match &filter.concerning {
        None => (String::new(), String::new()),
        Some(Concern::Organisation(name)) => (own(name), String::new()),
        Some(Concern::Customer(name)) => (String::new(), own(name)),
    };
    values![
        tenant,
        page.after.as_deref().unwrap_or_default(),
        given(&filter.customer_id),
        given(&filter.external_system),
        filter.folder_id.as_ref().map_or("", FolderId::as_str),
        given(&filter.organisation),
        given(&filter.number),
        instant(filter.created_from),
        instant(filter.created_before),
        organisation,
        customer,
        i64::from(!filter.states.is_empty()),
        page.size + 1,
    ]
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Rows {
    names.map(|name| values![name]).collect()
}
