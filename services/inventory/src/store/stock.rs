//! Stock rows, and the ledger that explains them.

use std::collections::BTreeSet;

use storage::{DbError, Direction, Row, Rows, Statement, Table, Tx, record, values};
use types::{Tenant, Timestamp};

use crate::domain::{Entry, Sku, Stock, WarehouseId};

static LOAD: Statement = Statement::new(
    "inventory.load_stock",
    "SELECT s.tenant_id, s.warehouse_id, s.sku, s.on_hand, s.reserved, s.ledger_seq
       FROM rows($1: tenant_id text, warehouse_id text, sku text) AS r
       JOIN stock AS s
         ON s.tenant_id = r.tenant_id AND s.warehouse_id = r.warehouse_id AND s.sku = r.sku
      ORDER BY s.tenant_id, s.warehouse_id, s.sku FOR UPDATE OF s",
);

static INSERT: Statement = Statement::new(
    "inventory.insert_stock",
    "INSERT INTO stock rows($1: tenant_id text, warehouse_id text, sku text, on_hand bigint, reserved bigint,
       ledger_seq bigint)",
);

static UPDATE: Statement = Statement::new(
    "inventory.update_stock",
    "UPDATE stock SET rows($1: tenant_id text, warehouse_id text, sku text | on_hand bigint, reserved bigint,
       ledger_seq bigint)",
);

static APPEND: Statement = Statement::new(
    "inventory.append_stock_ledger",
    "INSERT INTO stock_ledger rows($1: tenant_id text, warehouse_id text, sku text, seq bigint, kind text,
       on_hand_delta bigint, reserved_delta bigint, saga_id text, step text, direction text,
       reservation_id text, order_id text, line_id text, at text)",
);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StockKey {
    pub tenant: Tenant,
    pub warehouse_id: WarehouseId,
    pub sku: Sku,
}

/// A ledger row: the entry, and what it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    pub entry: Entry,
    pub origin: Origin,
    /// Outside a saga: `warehouse/sku`.
    pub reservation_id: String,
    /// Empty outside a saga and a fulfilment, like the line.
    pub order_id: String,
    pub line_id: String,
    pub at: Timestamp,
}

/// What caused a movement. A movement outside a saga carries its request id and method in place of saga and step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub saga_id: String,
    pub step: String,
    pub direction: Direction,
}

/// Rows by stock row and sequence.
pub type Ledger = Table<(StockKey, i64), LedgerRow>;

pub async fn load(tx: &mut Tx, keys: &BTreeSet<StockKey>) -> Result<Table<StockKey, Stock>, DbError> {
    let mut table = Table::new();
    if keys.is_empty() {
        return Ok(table);
    }
    let rows: Rows = keys.iter().map(|key| values![&key.tenant, &key.warehouse_id, &key.sku]).collect();
    for row in tx.fetch_all(&LOAD, values![rows]).await? {
        let key = StockKey {
            tenant: row.tenant()?,
            warehouse_id: row.parsed("warehouse_id", WarehouseId::parse)?,
            sku: row.parsed("sku", Sku::parse)?,
        };
        table.load(key, read(&row)?);
    }
    Ok(table)
}

pub fn read(row: &Row) -> Result<Stock, DbError> {
    Ok(Stock {
        on_hand: row.int("on_hand")?,
        reserved: row.int("reserved")?,
        ledger_seq: row.int("ledger_seq")?,
    })
}

/// The ledger's rows refer to their stock rows, so these are written first.
pub async fn flush(tx: &mut Tx, stock: &Table<StockKey, Stock>, ledger: &Ledger) -> Result<(), DbError> {
    stock
        .flush(tx, &INSERT, &UPDATE, |key, stock| {
            record! {
                tenant_id: &key.tenant,
                warehouse_id: &key.warehouse_id,
                sku: &key.sku,
                on_hand: stock.on_hand,
                reserved: stock.reserved,
                ledger_seq: stock.ledger_seq,
            }
        })
        .await?;
    ledger
        .flush_inserts(tx, &APPEND, |(key, seq), row| {
            record! {
                tenant_id: &key.tenant,
                warehouse_id: &key.warehouse_id,
                sku: &key.sku,
                seq: *seq,
                kind: row.entry.kind.as_str(),
                on_hand_delta: row.entry.on_hand_delta,
                reserved_delta: row.entry.reserved_delta,
                saga_id: &row.origin.saga_id,
                step: &row.origin.step,
                direction: row.origin.direction.as_str(),
                reservation_id: &row.reservation_id,
                order_id: &row.order_id,
                line_id: &row.line_id,
                at: row.at,
            }
        })
        .await
}
