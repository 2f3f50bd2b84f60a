//! `batch_forecast`: what estimates foresee of money, labels and stock.

use std::collections::BTreeMap;

use storage::{DbError, Rows, Statement, Tx, record, values};

use crate::batches::domain::means::{Expected, What};
use crate::batches::domain::{Batch, LabelTotal, StockTotal, TenderTotal, Totals};

/// The most shelves that are told.
const STOCK_MAX: i64 = 200;

static INSERT: Statement = Statement::new(
    "order.insert_batch_forecast",
    "INSERT INTO batch_forecast rows($1: tenant_id text, batch_id text, item_number bigint, what text,
       name text, sku text, currency text, amount_minor bigint, units bigint)",
);

static TENDERS: Statement = Statement::new(
    "order.total_batch_tenders",
    "SELECT what, name, currency, CAST(SUM(amount_minor) AS BIGINT) AS amount_minor, COUNT(*) AS items
       FROM batch_forecast
      WHERE tenant_id = $1 AND batch_id = $2 AND what IN ('refund', 'void', 'tenders_unknown')
      GROUP BY what, name, currency ORDER BY currency, name, what",
);

static LABELS: Statement = Statement::new(
    "order.total_batch_labels",
    "SELECT currency, COUNT(*) AS labels, CAST(SUM(amount_minor) AS BIGINT) AS cost_minor
       FROM batch_forecast WHERE tenant_id = $1 AND batch_id = $2 AND what = 'label'
      GROUP BY currency ORDER BY currency",
);

static STOCK: Statement = Statement::new(
    "order.total_batch_stock",
    "SELECT name, sku, CAST(SUM(units) AS BIGINT) AS units
       FROM batch_forecast WHERE tenant_id = $1 AND batch_id = $2 AND what = 'stock'
      GROUP BY name, sku ORDER BY 3 DESC, sku, name LIMIT $3",
);

pub async fn insert(tx: &mut Tx, batch: &Batch, expected: &[Expected]) -> Result<(), DbError> {
    if expected.is_empty() {
        return Ok(());
    }
    let row = |one: &Expected| {
        record! {
            tenant_id: &batch.tenant,
            batch_id: &batch.batch_id,
            item_number: one.item_number,
            what: one.what.as_str(),
            name: &one.name,
            sku: &one.sku,
            currency: &one.currency,
            amount_minor: one.amount_minor,
            units: one.units,
        }
    };
    let rows: Rows = expected.iter().map(row).collect();
    tx.execute_exactly(&INSERT, values![rows], expected.len() as u64).await
}

/// Adds what the estimate of a batch foresaw to its totals.
pub async fn add(tx: &mut Tx, batch: &Batch, totals: &mut Totals) -> Result<(), DbError> {
    let of_batch = || values![&batch.tenant, &batch.batch_id];
    let mut tenders: BTreeMap<(String, String), TenderTotal> = BTreeMap::new();
    for row in tx.fetch_all(&TENDERS, of_batch()).await? {
        let (gateway, currency) = (row.text("name")?, row.text("currency")?);
        let what = row.named("what", What::parse)?;
        if what == What::TendersUnknown {
            totals.tenders_unknown += row.int("items")?;
            continue;
        }
        let empty = TenderTotal { gateway, currency, refund_minor: 0, void_minor: 0 };
        let key = (empty.currency.clone(), empty.gateway.clone());
        let total = tenders.entry(key).or_insert(empty);
        let amount = row.int("amount_minor")?;
        if what == What::Void { total.void_minor += amount } else { total.refund_minor += amount }
    }
    totals.tenders = tenders.into_values().collect();
    for row in tx.fetch_all(&LABELS, of_batch()).await? {
        let (labels, cost_minor) = (row.int("labels")?, row.int("cost_minor")?);
        totals.labels.push(LabelTotal { currency: row.text("currency")?, labels, cost_minor });
    }
    for row in tx.fetch_all(&STOCK, values![&batch.tenant, &batch.batch_id, STOCK_MAX]).await? {
        let (warehouse_id, sku) = (row.text("name")?, row.text("sku")?);
        totals.stock.push(StockTotal { warehouse_id, sku, units: row.int("units")? });
    }
    Ok(())
}
