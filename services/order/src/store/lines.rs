//! `order_line`: what was ordered, and what has become of each unit.

use std::collections::BTreeSet;

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{LineId, OrderId, UnitPrice};

use super::keys::{self, OrderKey};
use crate::domain::order::{InBundle, Line, LineAmounts, Order, Progress};
use crate::domain::price_base::PriceBase;
use crate::domain::quantities::Quantities;

static LOAD: Statement = Statement::new(
    "order.load_lines",
    "SELECT l.tenant_id, l.order_id, l.line_id, l.line_number, l.sku, l.description, l.unit_price, l.warehouse_id,
       l.delivery_group, l.ordered, l.open, l.cancel_pending, l.cancelled, l.fulfilled, l.cancelled_after_ship,
       l.returned, l.delivered, l.gross_minor, l.line_discount_minor, l.order_discount_minor, l.goods_net_minor,
       l.tax_minor, l.tax_included, l.shipping_minor, l.shipping_tax_minor, l.reversed_minor, l.allocated,
       l.deallocated, l.submitted, l.shipped, l.unshipped, l.parent_line, l.ratio, l.cancel_pending_shipped, l.bases,
       l.own_stock
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN order_line AS l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id
      ORDER BY l.tenant_id, l.order_id, l.line_number",
);

static INSERT: Statement = Statement::new(
    "order.insert_lines",
    "INSERT INTO order_line rows($1: tenant_id text, order_id text, line_id text, line_number bigint,
       sku text, description text, unit_price text, warehouse_id text, delivery_group text,
       ordered bigint, open bigint, cancel_pending bigint, cancelled bigint, fulfilled bigint,
       cancelled_after_ship bigint, returned bigint, delivered bigint, gross_minor bigint,
       line_discount_minor bigint, order_discount_minor bigint, goods_net_minor bigint,
       tax_minor bigint, tax_included bigint, shipping_minor bigint, shipping_tax_minor bigint,
       reversed_minor bigint, allocated bigint, deallocated bigint, submitted bigint, shipped bigint,
       unshipped bigint, cancel_pending_shipped bigint, bases text, parent_line bigint, ratio bigint,
       own_stock bigint)",
);

/// Only quantities, what was given back and what an adjustment opened: the amounts of a line are frozen.
static UPDATE: Statement = Statement::new(
    "order.update_lines",
    "UPDATE order_line SET rows($1: tenant_id text, order_id text, line_id text | open bigint,
       cancel_pending bigint, cancelled bigint, fulfilled bigint, cancelled_after_ship bigint,
       returned bigint, delivered bigint, reversed_minor bigint, allocated bigint, deallocated bigint,
       submitted bigint, shipped bigint, unshipped bigint, cancel_pending_shipped bigint, bases text)",
);

pub(super) async fn load(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<(OrderKey, Line)>, DbError> {
    let rows = tx.fetch_all(&LOAD, values![keys::rows(keys)]).await?;
    rows.iter()
        .map(|row| Ok(((row.tenant()?, row.parsed("order_id", OrderId::parse)?), read(row)?)))
        .collect()
}

pub(super) async fn insert(tx: &mut Tx, lines: &[(&Order, &Line)]) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows: Rows = lines.iter().map(|(order, line)| changing(order, line).and(unchanging(line))).collect();
    tx.execute_exactly(&INSERT, values![rows], lines.len() as u64).await
}

pub(super) async fn update(tx: &mut Tx, lines: &[(&Order, &Line)]) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows: Rows = lines.iter().map(|(order, line)| changing(order, line)).collect();
    tx.execute_exactly(&UPDATE, values![rows], lines.len() as u64).await
}

/// The key, and the columns that move.
fn changing(order: &Order, line: &Line) -> Record {
    let (quantities, progress) = (&line.quantities, &line.progress);
    record! {
        tenant_id: &order.tenant,
        order_id: &order.order_id,
        line_id: &line.line_id,
        open: quantities.open,
        cancel_pending: quantities.cancel_pending,
        cancelled: quantities.cancelled,
        fulfilled: quantities.fulfilled,
        cancelled_after_ship: quantities.cancelled_after_ship,
        returned: quantities.returned,
        delivered: quantities.delivered,
        reversed_minor: line.reversed_minor,
        allocated: progress.allocated,
        deallocated: progress.deallocated,
        submitted: progress.submitted,
        shipped: progress.shipped,
        unshipped: progress.unshipped,
        cancel_pending_shipped: quantities.cancel_pending_shipped,
        bases: bases(&line.bases),
    }
}

/// Most lines are priced from their frozen amounts, and then nothing is stored.
fn bases(bases: &[PriceBase]) -> String {
    if bases.is_empty() {
        return String::new();
    }
    serde_json::to_string(bases).expect("numbers always have a JSON form")
}

fn read_bases(text: &str) -> Result<Vec<PriceBase>, serde_json::Error> {
    if text.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(text) }
}

/// The columns that are written once.
fn unchanging(line: &Line) -> Record {
    let amounts = &line.amounts;
    record! {
        line_number: line.line_number,
        sku: &line.sku,
        description: &line.description,
        unit_price: line.unit_price.to_string(),
        warehouse_id: line.warehouse_id.as_ref(),
        delivery_group: &line.delivery_group,
        ordered: line.quantities.ordered,
        gross_minor: amounts.gross,
        line_discount_minor: amounts.line_discount,
        order_discount_minor: amounts.order_discount,
        goods_net_minor: amounts.goods_net,
        tax_minor: amounts.tax,
        tax_included: i64::from(amounts.tax_included),
        shipping_minor: amounts.shipping,
        shipping_tax_minor: amounts.shipping_tax,
        parent_line: line.bundle.map(|place| place.parent),
        ratio: line.bundle.map_or(0, |place| place.ratio),
        own_stock: i64::from(line.own_stock),
    }
}

fn read(row: &Row) -> Result<Line, DbError> {
    let quantities = Quantities {
        ordered: row.int("ordered")?,
        open: row.int("open")?,
        cancel_pending: row.int("cancel_pending")?,
        cancel_pending_shipped: row.int("cancel_pending_shipped")?,
        cancelled: row.int("cancelled")?,
        fulfilled: row.int("fulfilled")?,
        cancelled_after_ship: row.int("cancelled_after_ship")?,
        returned: row.int("returned")?,
        delivered: row.int("delivered")?,
    };
    Ok(Line {
        line_id: row.parsed("line_id", LineId::parse)?,
        line_number: row.int("line_number")?,
        sku: row.text("sku")?,
        description: row.text("description")?,
        unit_price: row.parsed("unit_price", UnitPrice::parse)?,
        warehouse_id: row.opt_text("warehouse_id")?,
        delivery_group: row.text("delivery_group")?,
        quantities: quantities.checked().map_err(|error| DbError::malformed(LOAD.name(), error))?,
        amounts: LineAmounts {
            gross: row.int("gross_minor")?,
            line_discount: row.int("line_discount_minor")?,
            order_discount: row.int("order_discount_minor")?,
            goods_net: row.int("goods_net_minor")?,
            tax: row.int("tax_minor")?,
            tax_included: row.int("tax_included")? == 1,
            shipping: row.int("shipping_minor")?,
            shipping_tax: row.int("shipping_tax_minor")?,
        },
        reversed_minor: row.int("reversed_minor")?,
        bases: row.parsed("bases", read_bases)?,
        progress: Progress {
            allocated: row.int("allocated")?,
            deallocated: row.int("deallocated")?,
            submitted: row.int("submitted")?,
            shipped: row.int("shipped")?,
            unshipped: row.int("unshipped")?,
        },
        bundle: match (row.opt_int("parent_line")?, row.int("ratio")?) {
            (Some(parent), ratio) => Some(InBundle { parent, ratio }),
            (None, _) => None,
        },
        own_stock: row.int("own_stock")? == 1,
    })
}
