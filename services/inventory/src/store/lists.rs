//! What the read RPCs list.

use storage::{DbError, Row, Statement, Tx, values};
use types::{Tenant, Timestamp};

use crate::domain::{Entry, Kind, Sku, Stock, Warehouse, WarehouseId};
use crate::store::{stock, warehouses};

static WAREHOUSES: Statement = Statement::new(
    "inventory.list_warehouses",
    "SELECT warehouse_id, kind, priority, active, integration_key FROM warehouse
      WHERE tenant_id = $1 AND warehouse_id > $2
      ORDER BY warehouse_id LIMIT $3",
);

static STOCK_OF: Statement = Statement::new(
    "inventory.get_stock",
    "SELECT warehouse_id, sku, on_hand, reserved, ledger_seq FROM stock
      WHERE tenant_id = $1 AND warehouse_id = $2 AND sku = $3",
);

/// The warehouses of a tenant are few, so a list of one article's stock needs no pages.
static STOCK_OF_SKU: Statement = Statement::new(
    "inventory.get_stock_of_sku",
    "SELECT warehouse_id, sku, on_hand, reserved, ledger_seq FROM stock
      WHERE tenant_id = $1 AND sku = $2
      ORDER BY warehouse_id LIMIT 1000",
);

static LEDGER: Statement = Statement::new(
    "inventory.list_stock_ledger",
    "SELECT seq, kind, on_hand_delta, reserved_delta, saga_id, step, reservation_id, order_id, at FROM stock_ledger
      WHERE tenant_id = $1 AND warehouse_id = $2 AND sku = $3 AND seq > $4
      ORDER BY seq LIMIT $5",
);

/// A ledger row as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    pub entry: Entry,
    pub saga_id: String,
    pub step: String,
    pub reservation_id: String,
    pub order_id: String,
    pub at: Timestamp,
}

pub async fn list_warehouses(
    tx: &mut Tx,
    tenant: &Tenant,
    after: &str,
    limit: i64,
) -> Result<Vec<(WarehouseId, Warehouse)>, DbError> {
    let rows = tx.fetch_all(&WAREHOUSES, values![tenant, after, limit]).await?;
    rows.iter().map(warehouses::read).collect()
}

/// One article's stock: in one warehouse, or in all that have ever had it.
pub async fn get_stock(
    tx: &mut Tx,
    tenant: &Tenant,
    sku: &Sku,
    warehouse_id: Option<&WarehouseId>,
) -> Result<Vec<(WarehouseId, Stock)>, DbError> {
    let rows = match warehouse_id {
        Some(warehouse_id) => tx.fetch_all(&STOCK_OF, values![tenant, warehouse_id, sku]).await?,
        None => tx.fetch_all(&STOCK_OF_SKU, values![tenant, sku]).await?,
    };
    rows.iter().map(|row| Ok((row.parsed("warehouse_id", WarehouseId::parse)?, stock::read(row)?))).collect()
}

pub async fn list_ledger(
    tx: &mut Tx,
    tenant: &Tenant,
    warehouse_id: &WarehouseId,
    sku: &Sku,
    after: i64,
    limit: i64,
) -> Result<Vec<LedgerLine>, DbError> {
    let rows = tx.fetch_all(&LEDGER, values![tenant, warehouse_id, sku, after, limit]).await?;
    rows.iter().map(ledger_line).collect()
}

fn ledger_line(row: &Row) -> Result<LedgerLine, DbError> {
    Ok(LedgerLine {
        entry: Entry {
            seq: row.int("seq")?,
            kind: row.named("kind", Kind::from_name)?,
            on_hand_delta: row.int("on_hand_delta")?,
            reserved_delta: row.int("reserved_delta")?,
        },
        saga_id: row.text("saga_id")?,
        step: row.text("step")?,
        reservation_id: row.text("reservation_id")?,
        order_id: row.text("order_id")?,
        at: row.timestamp("at")?,
    })
}
