//! What reports count: decided cancellations, and the orders they are set against. An order counts by the time it was
//! created, a cancellation by the time it was decided.

mod money;

use std::collections::BTreeMap;

use storage::{DbError, Statement, Tx, values};
use types::Tenant;

use self::money::ByKey;
use crate::reports::domain::{Dimension, Row, Span, Stats};

/// The most keys that are told.
const ROWS_MAX: i64 = 1_000;

/// Counts the decided cancellations of a time by one expression over change (`c`), order (`h`) and line (`l`).
macro_rules! counted {
    ($key:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS counted_by, COUNT(DISTINCT c.change_order_id) AS changes, COUNT(DISTINCT c.order_id) AS orders,
                   CAST(SUM(l.quantity) AS BIGINT) AS units
                   FROM change_order AS c
                   JOIN order_head AS h ON h.tenant_id = c.tenant_id AND h.order_id = c.order_id
                   JOIN change_order_line AS l ON l.tenant_id = c.tenant_id AND l.change_order_id = c.change_order_id
                  WHERE c.tenant_id = $1 AND c.type IN ('cancel_order', 'cancel_items', 'all_eligible')
                    AND c.decided_at >= $2 AND ($3 = '' OR c.decided_at < $3)
                  GROUP BY 1 ORDER BY ",
            $order,
            ", 1 LIMIT $4"
        )
    };
}

static BY_REASON: Statement = Statement::new("order.stats_by_reason", counted!("c.reason_code", "3 DESC"));
static BY_ROLE: Statement = Statement::new("order.stats_by_role", counted!("c.requested_by_role", "3 DESC"));
static BY_CHANNEL: Statement = Statement::new("order.stats_by_channel", counted!("c.channel", "3 DESC"));
static BY_SUPPLIER: Statement = Statement::new("order.stats_by_supplier", counted!("h.supplier", "3 DESC"));
static BY_SKU: Statement = Statement::new("order.stats_by_sku", counted!("l.sku", "3 DESC"));
static BY_STAGE: Statement = Statement::new("order.stats_by_stage", counted!("c.stage", "3 DESC"));
static BY_DAY: Statement = Statement::new("order.stats_by_day", counted!("SUBSTR(c.decided_at, 1, 10)", "1"));
static ALL: Statement = Statement::new("order.stats_of_all", counted!("CAST('' AS TEXT)", "1"));

static PLACED: Statement = Statement::new(
    "order.stats_placed",
    "SELECT CAST('' AS TEXT) AS counted_by, COUNT(*) AS orders FROM order_head AS h
      WHERE h.tenant_id = $1 AND h.placement = 'open' AND h.created_at >= $2 AND ($3 = '' OR h.created_at < $3)",
);
static PLACED_BY_SUPPLIER: Statement = Statement::new(
    "order.stats_placed_by_supplier",
    "SELECT h.supplier AS counted_by, COUNT(*) AS orders FROM order_head AS h
      WHERE h.tenant_id = $1 AND h.placement = 'open' AND h.created_at >= $2 AND ($3 = '' OR h.created_at < $3)
      GROUP BY 1",
);
static PLACED_BY_DAY: Statement = Statement::new(
    "order.stats_placed_by_day",
    "SELECT SUBSTR(h.created_at, 1, 10) AS counted_by, COUNT(*) AS orders FROM order_head AS h
      WHERE h.tenant_id = $1 AND h.placement = 'open' AND h.created_at >= $2 AND ($3 = '' OR h.created_at < $3)
      GROUP BY 1",
);
static PLACED_BY_SKU: Statement = Statement::new(
    "order.stats_placed_by_sku",
    "SELECT l.sku AS counted_by, COUNT(DISTINCT l.order_id) AS orders FROM order_head AS h
       JOIN order_line AS l ON l.tenant_id = h.tenant_id AND l.order_id = h.order_id
      WHERE h.tenant_id = $1 AND h.placement = 'open' AND h.created_at >= $2 AND ($3 = '' OR h.created_at < $3)
      GROUP BY 1",
);

pub async fn cancellations(
    tx: &mut Tx,
    tenant: &Tenant,
    by: Dimension,
    span: Span,
) -> Result<Stats, DbError> {
    let counted = match by {
        Dimension::Reason => &BY_REASON,
        Dimension::Role => &BY_ROLE,
        Dimension::Channel => &BY_CHANNEL,
        Dimension::Supplier => &BY_SUPPLIER,
        Dimension::Sku => &BY_SKU,
        Dimension::Stage => &BY_STAGE,
        Dimension::Day => &BY_DAY,
    };
    let placed = placed(tx, &PLACED, tenant, span).await?.remove("").unwrap_or(0);
    let money = money::economics(tx, tenant, Some(by), span).await?;
    let mut rows = read(tx, counted, money, tenant, span).await?;
    let own = match by {
        Dimension::Supplier => Some(&PLACED_BY_SUPPLIER),
        Dimension::Sku => Some(&PLACED_BY_SKU),
        Dimension::Day => Some(&PLACED_BY_DAY),
        Dimension::Reason | Dimension::Role | Dimension::Channel | Dimension::Stage => None,
    };
    let of_key = match own {
        Some(statement) => Some(self::placed(tx, statement, tenant, span).await?),
        None => None,
    };
    for row in &mut rows {
        row.orders_placed =
            of_key.as_ref().map_or(placed, |of_key| of_key.get(&row.key).copied().unwrap_or(0));
    }
    let money = money::economics(tx, tenant, None, span).await?;
    let total = read(tx, &ALL, money, tenant, span).await?.pop().unwrap_or_default();
    Ok(Stats { rows, total: Row { orders_placed: placed, ..total } })
}

async fn read(
    tx: &mut Tx,
    counted: &'static Statement,
    mut money: ByKey,
    tenant: &Tenant,
    span: Span,
) -> Result<Vec<Row>, DbError> {
    let (from, before) = texts(span);
    let rows = tx.fetch_all(counted, values![tenant, from, before, ROWS_MAX]).await?;
    rows.iter()
        .map(|row| {
            let key = row.text("counted_by")?;
            Ok(Row {
                changes: row.int("changes")?,
                orders: row.int("orders")?,
                units: row.int("units")?,
                orders_placed: 0,
                money: money.remove(&key).unwrap_or_default(),
                key,
            })
        })
        .collect()
}

async fn placed(
    tx: &mut Tx,
    statement: &'static Statement,
    tenant: &Tenant,
    span: Span,
) -> Result<BTreeMap<String, i64>, DbError> {
    let (from, before) = texts(span);
    let rows = tx.fetch_all(statement, values![tenant, from, before]).await?;
    rows.iter().map(|row| Ok((row.text("counted_by")?, row.int("orders")?))).collect()
}

pub(super) fn texts(span: Span) -> (String, String) {
    let text = |at: Option<types::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    (text(span.from), text(span.before))
}
