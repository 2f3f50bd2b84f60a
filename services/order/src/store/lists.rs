//! Lists, and finding an order by its number. Pages go by id, which is by age.

use std::collections::BTreeSet;

use storage::{DbError, Rows, Statement, Tx, Value, values};
use types::{FolderId, OrderId, Relation, Tenant, Timestamp};

use super::changes::{self, change_columns};
use super::heads::{self, columns};
use super::keys::{ChangeKey, OrderKey};
use super::orders;
use super::returns::ReturnKey;
use crate::domain::change::ChangeOrder;
use crate::domain::listing::{ChangeFilter, Concern, OrderFilter, Page};
use crate::domain::order::Order;

/// That an order is there for a caller, by any of the relations that count; without a first value all are there.
macro_rules! concerning {
    ($restricted:literal, $buyer:literal, $supplier:literal, $router:literal, $customer:literal, $user:literal,
     $organisation:literal) => {
        concat!(
            "(",
            $restricted,
            " = 0 OR h.buyer = ",
            $buyer,
            " OR h.supplier = ",
            $supplier,
            " OR h.source_router = ",
            $router,
            " OR h.customer_id = ",
            $customer,
            " OR (h.created_by_user = ",
            $user,
            " AND h.created_by_org = ",
            $organisation,
            "))"
        )
    };
}
pub(super) use concerning;

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
           AND ", concerning!("$10", "$11", "$12", "$13", "$14", "$15", "$16"), "
           AND ($17 = 0 OR h.state IN (SELECT state FROM rows(",
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
        conditions!("$19"),
        " ORDER BY h.order_id LIMIT $18"
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
         WHERE n.tenant_id = $1 AND n.system = $19 AND n.reference = $20 AND ",
        conditions!("$21"),
        " LIMIT $18"
    ),
);

static CHANGES: Statement = Statement::new(
    "order.list_changes",
    concat!(
        "SELECT ",
        change_columns!(),
        " FROM change_order AS c
          JOIN order_head AS h ON h.tenant_id = c.tenant_id AND h.order_id = c.order_id
         WHERE c.tenant_id = $1 AND c.change_order_id > $2
           AND ($3 = '' OR c.order_id = $3)
           AND ($4 = '' OR EXISTS (SELECT 1 FROM external_reference AS e
                                    WHERE e.tenant_id = c.tenant_id AND e.order_id = c.order_id AND e.system = $4))
           AND ($5 = 0 OR c.state IN (SELECT state FROM rows($14: state text)))
           AND ",
        concerning!("$7", "$8", "$9", "$10", "$11", "$12", "$13"),
        " ORDER BY c.change_order_id LIMIT $6"
    ),
);

static BY_NUMBER: Statement = Statement::new(
    "order.find_by_number",
    concat!("SELECT ", columns!(), " FROM order_head AS h WHERE h.tenant_id = $1 AND h.number = $2"),
);

static OF_CHANGE: Statement = Statement::new(
    "order.find_head_of_change",
    concat!(
        "SELECT ",
        columns!(),
        " FROM change_order AS c JOIN order_head AS h ON h.tenant_id = c.tenant_id AND h.order_id = c.order_id
         WHERE c.tenant_id = $1 AND c.change_order_id = $2"
    ),
);

static OF_RETURN: Statement = Statement::new(
    "order.find_head_of_return",
    concat!(
        "SELECT ",
        columns!(),
        " FROM order_return AS r JOIN order_head AS h ON h.tenant_id = r.tenant_id AND h.order_id = r.order_id
         WHERE r.tenant_id = $1 AND r.return_id = $2"
    ),
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
    let mut values: Vec<Value> = values![
        tenant,
        page.after.as_deref().unwrap_or_default(),
        filter.order_id.as_ref().map_or("", OrderId::as_str),
        filter.external_system.as_deref().unwrap_or_default(),
        i64::from(!states.is_empty()),
        page.size + 1,
    ];
    values.extend(concerned(filter.concerning.as_ref()));
    values.extend(values![states]);
    let rows = tx.fetch_all(&CHANGES, values).await?;
    let found = rows.iter().map(changes::read).collect::<Result<Vec<_>, _>>()?;
    let keys = found.iter().map(changes::key).collect::<BTreeSet<_>>();
    if keys.is_empty() {
        return Ok(found);
    }
    changes::hang_on(tx, &keys, found).await
}

/// The head of the order of a number.
pub async fn find_by_number(tx: &mut Tx, tenant: &Tenant, number: &str) -> Result<Option<Order>, DbError> {
    tx.fetch_optional(&BY_NUMBER, values![tenant, number]).await?.as_ref().map(heads::read).transpose()
}

/// The head of the order that a change is of.
pub async fn head_of_change(tx: &mut Tx, (tenant, id): &ChangeKey) -> Result<Option<Order>, DbError> {
    tx.fetch_optional(&OF_CHANGE, values![tenant, id.as_str()]).await?.as_ref().map(heads::read).transpose()
}

/// The head of the order that a return is of.
pub async fn head_of_return(tx: &mut Tx, (tenant, id): &ReturnKey) -> Result<Option<Order>, DbError> {
    tx.fetch_optional(&OF_RETURN, values![tenant, id.as_str()]).await?.as_ref().map(heads::read).transpose()
}

/// The values of [`concerning`]. A relation that does not count asks for a blank, which stands in no name.
pub(super) fn concerned(concern: Option<&Concern>) -> Vec<Value> {
    let Some(Concern { reach, user, organisation }) = concern else {
        return values![0_i64, "", "", "", "", "", ""];
    };
    let by = |relation: Relation, name: &str| {
        let counts = reach.includes(relation) && !name.is_empty();
        if counts { name.to_owned() } else { " ".to_owned() }
    };
    // Who placed an order may act for no organisation at all.
    let creator = reach.includes(Relation::Creator);
    values![
        1_i64,
        by(Relation::Buyer, organisation),
        by(Relation::Supplier, organisation),
        by(Relation::SourceRouter, organisation),
        by(Relation::Customer, user),
        by(Relation::Creator, user),
        if creator { organisation.clone() } else { " ".to_owned() },
    ]
}

/// The values of the conditions, without the states; an empty text asks for nothing.
fn conditions(tenant: &Tenant, filter: &OrderFilter, page: &Page) -> Vec<Value> {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    let mut values: Vec<Value> = values![
        tenant,
        page.after.as_deref().unwrap_or_default(),
        given(&filter.customer_id),
        given(&filter.external_system),
        filter.folder_id.as_ref().map_or("", FolderId::as_str),
        given(&filter.organisation),
        given(&filter.number),
        instant(filter.created_from),
        instant(filter.created_before),
    ];
    values.extend(concerned(filter.concerning.as_ref()));
    values.extend(values![i64::from(!filter.states.is_empty()), page.size + 1]);
    values
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Rows {
    names.map(|name| values![name]).collect()
}
