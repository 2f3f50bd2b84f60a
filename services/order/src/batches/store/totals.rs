//! What batches name, and what they add up to.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Tx, values};
use types::{OrderId, Tenant};

use super::forecast;
use crate::batches::domain::{Batch, Counts, CurrencyTotal, Totals};

/// The most articles that are told.
const SKUS_MAX: i64 = 200;

static BY_NUMBER: Statement = Statement::new(
    "order.find_orders_by_number",
    "SELECT r.number, h.order_id FROM rows($2: number text) AS r
       JOIN order_head AS h ON h.tenant_id = $1 AND h.number = r.number",
);

static BY_ID: Statement = Statement::new(
    "order.find_orders_by_id",
    "SELECT h.order_id FROM rows($2: order_id text) AS r
       JOIN order_head AS h ON h.tenant_id = $1 AND h.order_id = r.order_id",
);

static WITH_OPEN: Statement = Statement::new(
    "order.orders_with_open_units_of",
    "SELECT DISTINCT l.order_id FROM order_line AS l
       JOIN order_head AS h ON h.tenant_id = l.tenant_id AND h.order_id = l.order_id
      WHERE l.tenant_id = $1 AND l.sku = $2 AND l.open > 0 AND h.placement = 'open'
      ORDER BY l.order_id LIMIT $3",
);

static COUNTS: Statement = Statement::new(
    "order.count_batch_items",
    "SELECT CASE WHEN $3 = 1 THEN COALESCE(estimate, 'waiting') ELSE state END AS stands, COUNT(*) AS items
       FROM batch_item WHERE tenant_id = $1 AND batch_id = $2 GROUP BY 1",
);

static BY_CURRENCY: Statement = Statement::new(
    "order.total_batch_by_currency",
    "SELECT currency, COUNT(*) AS orders, CAST(SUM(amount_minor) AS BIGINT) AS amount_minor
       FROM batch_item
      WHERE tenant_id = $1 AND batch_id = $2
        AND (($3 = 1 AND estimate = 'cancelled') OR ($3 = 0 AND state = 'cancelled'))
      GROUP BY currency ORDER BY currency",
);

static FORESEEN_SKUS: Statement = Statement::new(
    "order.total_batch_estimate_by_sku",
    "SELECT sku, CAST(SUM(units) AS BIGINT) AS units FROM batch_estimate
      WHERE tenant_id = $1 AND batch_id = $2 GROUP BY sku ORDER BY 2 DESC, sku LIMIT $3",
);

static CANCELLED_SKUS: Statement = Statement::new(
    "order.total_batch_by_sku",
    "SELECT l.sku, CAST(SUM(l.quantity) AS BIGINT) AS units
       FROM batch_item AS i
       JOIN change_order_line AS l ON l.tenant_id = i.tenant_id AND l.change_order_id = i.change_order_id
      WHERE i.tenant_id = $1 AND i.batch_id = $2 AND i.state = 'cancelled'
      GROUP BY l.sku ORDER BY 2 DESC, l.sku LIMIT $3",
);

/// Those of these names that are an order's, each an id or a number.
pub async fn resolve(
    tx: &mut Tx,
    tenant: &Tenant,
    names: &[String],
) -> Result<BTreeMap<String, OrderId>, DbError> {
    let rows = |names: &[String]| -> Rows { names.iter().map(|name| values![name]).collect() };
    let (ids, numbers): (Vec<String>, Vec<String>) =
        names.iter().cloned().partition(|name| OrderId::parse(name).is_ok());
    let mut found = BTreeMap::new();
    for row in tx.fetch_all(&BY_ID, values![tenant, rows(&ids)]).await? {
        let order_id = row.parsed("order_id", OrderId::parse)?;
        found.insert(order_id.to_string(), order_id);
    }
    for row in tx.fetch_all(&BY_NUMBER, values![tenant, rows(&numbers)]).await? {
        found.insert(row.text("number")?, row.parsed("order_id", OrderId::parse)?);
    }
    Ok(found)
}

/// Orders with open units of an article, oldest first.
pub async fn with_open_units(
    tx: &mut Tx,
    tenant: &Tenant,
    sku: &str,
    limit: i64,
) -> Result<Vec<OrderId>, DbError> {
    let rows = tx.fetch_all(&WITH_OPEN, values![tenant, sku, limit]).await?;
    rows.iter().map(|row| row.parsed("order_id", OrderId::parse)).collect()
}

pub async fn counts(tx: &mut Tx, batch: &Batch) -> Result<Counts, DbError> {
    let forecast = i64::from(batch.state.is_forecast());
    let mut counts = Counts::default();
    for row in tx.fetch_all(&COUNTS, values![&batch.tenant, &batch.batch_id, forecast]).await? {
        let items = row.int("items")?;
        match row.text("stands")?.as_str() {
            "cancelled" => counts.cancelled += items,
            "already_cancelled" => counts.already_cancelled += items,
            "refused" => counts.refused += items,
            _ => counts.waiting += items,
        }
    }
    Ok(counts)
}

pub async fn totals(tx: &mut Tx, batch: &Batch) -> Result<Totals, DbError> {
    let is_forecast = batch.state.is_forecast();
    let (tenant, batch_id) = (&batch.tenant, &batch.batch_id);
    let currencies = tx.fetch_all(&BY_CURRENCY, values![tenant, batch_id, i64::from(is_forecast)]).await?;
    let statement = if is_forecast { &FORESEEN_SKUS } else { &CANCELLED_SKUS };
    let skus = tx.fetch_all(statement, values![tenant, batch_id, SKUS_MAX]).await?;
    let currency = |row: &Row| {
        Ok(CurrencyTotal {
            currency: row.text("currency")?,
            orders: row.int("orders")?,
            amount_minor: row.int("amount_minor")?,
        })
    };
    let mut totals = Totals {
        currencies: currencies.iter().map(currency).collect::<Result<_, DbError>>()?,
        skus: skus
            .iter()
            .map(|row| Ok((row.text("sku")?, row.int("units")?)))
            .collect::<Result<_, DbError>>()?,
        ..Totals::default()
    };
    forecast::add(tx, batch, &mut totals).await?;
    Ok(totals)
}
