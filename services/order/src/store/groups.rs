//! `delivery_group` and `external_reference`: the small rows that hang on an order.

use std::collections::BTreeSet;

use storage::{DbError, Record, Rows, Statement, Tx, record, values};
use types::{OrderId, Tenant};

use super::keys::{self, OrderKey};
use crate::domain::order::{ExternalReference, Group, Order, OrderState};

static LOAD_GROUPS: Statement = Statement::new(
    "order.load_groups",
    "SELECT g.tenant_id, g.order_id, g.delivery_group, g.shipping_minor, g.shipping_tax_minor,
       g.shipping_reversed_minor, g.shipping_tax_reversed_minor, g.ever_shipped
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN delivery_group AS g ON g.tenant_id = r.tenant_id AND g.order_id = r.order_id
      ORDER BY g.tenant_id, g.order_id, g.delivery_group",
);

static INSERT_GROUPS: Statement = Statement::new(
    "order.insert_groups",
    "INSERT INTO delivery_group rows($1: tenant_id text, order_id text, delivery_group text,
       shipping_reversed_minor bigint, shipping_tax_reversed_minor bigint, ever_shipped bigint,
       shipping_minor bigint, shipping_tax_minor bigint)",
);

static UPDATE_GROUPS: Statement = Statement::new(
    "order.update_groups",
    "UPDATE delivery_group SET rows($1: tenant_id text, order_id text, delivery_group text |
       shipping_reversed_minor bigint, shipping_tax_reversed_minor bigint, ever_shipped bigint)",
);

static LOAD_REFERENCES: Statement = Statement::new(
    "order.load_references",
    "SELECT e.tenant_id, e.order_id, e.system, e.reference
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN external_reference AS e ON e.tenant_id = r.tenant_id AND e.order_id = r.order_id
      ORDER BY e.tenant_id, e.order_id, e.system, e.reference",
);

static FIND_REFERENCES: Statement = Statement::new(
    "order.find_references",
    "SELECT e.tenant_id, e.order_id, e.system, e.reference, h.state
       FROM rows($1: tenant_id text, system text, reference text) AS r
       JOIN external_reference AS e
         ON e.tenant_id = r.tenant_id AND e.system = r.system AND e.reference = r.reference
       JOIN order_head AS h ON h.tenant_id = e.tenant_id AND h.order_id = e.order_id",
);

static INSERT_REFERENCES: Statement = Statement::new(
    "order.insert_references",
    "INSERT INTO external_reference rows($1: tenant_id text, order_id text, system text, reference text)",
);

static FIND_NUMBERS: Statement = Statement::new(
    "order.find_numbers",
    "SELECT h.tenant_id, h.order_id, h.number, h.state
       FROM rows($1: tenant_id text, number text) AS r
       JOIN order_head AS h ON h.tenant_id = r.tenant_id AND h.number = r.number",
);

pub(super) async fn load(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<(OrderKey, Group)>, DbError> {
    let rows = tx.fetch_all(&LOAD_GROUPS, values![keys::rows(keys)]).await?;
    rows.iter()
        .map(|row| {
            let group = Group {
                delivery_group: row.text("delivery_group")?,
                shipping_minor: row.int("shipping_minor")?,
                shipping_tax_minor: row.int("shipping_tax_minor")?,
                shipping_reversed_minor: row.int("shipping_reversed_minor")?,
                shipping_tax_reversed_minor: row.int("shipping_tax_reversed_minor")?,
                ever_shipped: row.int("ever_shipped")? == 1,
            };
            Ok(((row.tenant()?, row.parsed("order_id", OrderId::parse)?), group))
        })
        .collect()
}

pub(super) async fn insert(tx: &mut Tx, groups: &[(&Order, &Group)]) -> Result<(), DbError> {
    if groups.is_empty() {
        return Ok(());
    }
    let rows: Rows = groups
        .iter()
        .map(|(order, group)| {
            let shipping = record! {
                shipping_minor: group.shipping_minor,
                shipping_tax_minor: group.shipping_tax_minor,
            };
            changing(order, group).and(shipping)
        })
        .collect();
    tx.execute_exactly(&INSERT_GROUPS, values![rows], groups.len() as u64).await
}

pub(super) async fn update(tx: &mut Tx, groups: &[(&Order, &Group)]) -> Result<(), DbError> {
    if groups.is_empty() {
        return Ok(());
    }
    let rows: Rows = groups.iter().map(|(order, group)| changing(order, group)).collect();
    tx.execute_exactly(&UPDATE_GROUPS, values![rows], groups.len() as u64).await
}

fn changing(order: &Order, group: &Group) -> Record {
    record! {
        tenant_id: &order.tenant,
        order_id: &order.order_id,
        delivery_group: &group.delivery_group,
        shipping_reversed_minor: group.shipping_reversed_minor,
        shipping_tax_reversed_minor: group.shipping_tax_reversed_minor,
        ever_shipped: i64::from(group.ever_shipped),
    }
}

pub(super) async fn load_references(
    tx: &mut Tx,
    keys: &BTreeSet<OrderKey>,
) -> Result<Vec<(OrderKey, ExternalReference)>, DbError> {
    let rows = tx.fetch_all(&LOAD_REFERENCES, values![keys::rows(keys)]).await?;
    rows.iter().map(reference).collect()
}

/// The order that has a name already, and its state when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub order_id: OrderId,
    pub state: OrderState,
}

/// Which orders have these names already.
pub async fn find_references(
    tx: &mut Tx,
    wanted: &BTreeSet<(Tenant, ExternalReference)>,
) -> Result<Vec<((Tenant, ExternalReference), Bearer)>, DbError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let names: Rows =
        wanted.iter().map(|(tenant, name)| values![tenant, &name.system, &name.reference]).collect();
    let rows = tx.fetch_all(&FIND_REFERENCES, values![names]).await?;
    rows.iter()
        .map(|row| {
            let ((tenant, _), name) = reference(row)?;
            Ok(((tenant, name), bearer(row)?))
        })
        .collect()
}

pub(super) async fn insert_references(
    tx: &mut Tx,
    references: &[(&Order, &ExternalReference)],
) -> Result<(), DbError> {
    if references.is_empty() {
        return Ok(());
    }
    let rows: Rows = references
        .iter()
        .map(|(order, name)| {
            record! {
                tenant_id: &order.tenant,
                order_id: &order.order_id,
                system: &name.system,
                reference: &name.reference,
            }
        })
        .collect();
    tx.execute_exactly(&INSERT_REFERENCES, values![rows], references.len() as u64).await
}

/// Which orders have these human numbers already.
pub async fn find_numbers(
    tx: &mut Tx,
    wanted: &BTreeSet<(Tenant, String)>,
) -> Result<Vec<((Tenant, String), Bearer)>, DbError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&FIND_NUMBERS, values![keys::rows(wanted)]).await?;
    rows.iter().map(|row| Ok(((row.tenant()?, row.text("number")?), bearer(row)?))).collect()
}

fn bearer(row: &storage::Row) -> Result<Bearer, DbError> {
    Ok(Bearer {
        order_id: row.parsed("order_id", OrderId::parse)?,
        state: row.named("state", OrderState::parse)?,
    })
}

fn reference(row: &storage::Row) -> Result<(OrderKey, ExternalReference), DbError> {
    let name = ExternalReference { system: row.text("system")?, reference: row.text("reference")? };
    Ok(((row.tenant()?, row.parsed("order_id", OrderId::parse)?), name))
}
