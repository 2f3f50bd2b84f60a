//! Which warehouse serves an article on lines that name none.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::Tenant;

use crate::domain::{Sku, WarehouseId};

static LOAD: Statement = Statement::new(
    "inventory.load_sku_assignments",
    "SELECT a.tenant_id, a.sku, a.warehouse_id
       FROM rows($1: tenant_id text, sku text) AS r
       JOIN sku_assignment AS a ON a.tenant_id = r.tenant_id AND a.sku = r.sku",
);

static LIST: Statement = Statement::new(
    "inventory.list_sku_assignments",
    "SELECT tenant_id, sku, warehouse_id FROM sku_assignment
      WHERE tenant_id = $1 AND sku > $2 AND warehouse_id <> ''
      ORDER BY sku LIMIT $3",
);

/// Two replicas may be told of the same article at once; the last one wins.
static STORE: Statement = Statement::new(
    "inventory.store_sku_assignments",
    "INSERT INTO sku_assignment rows($1: tenant_id text, sku text, warehouse_id text)
     WHERE true
     ON CONFLICT (tenant_id, sku) DO UPDATE SET warehouse_id = excluded.warehouse_id",
);

pub type SkuKey = (Tenant, Sku);
/// None where an assignment was taken back.
pub type Assignments = Table<SkuKey, Option<WarehouseId>>;

/// Articles that were never assigned are simply absent.
pub async fn load(tx: &mut Tx, keys: &BTreeSet<SkuKey>) -> Result<Assignments, DbError> {
    let mut table = Table::new();
    if keys.is_empty() {
        return Ok(table);
    }
    let rows: Rows = keys.iter().map(|(tenant, sku)| values![tenant, sku]).collect();
    for row in tx.fetch_all(&LOAD, values![rows]).await? {
        let (sku, warehouse_id) = read(&row)?;
        table.load((row.tenant()?, sku), warehouse_id);
    }
    Ok(table)
}

pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    after: &str,
    limit: i64,
) -> Result<Vec<(Sku, WarehouseId)>, DbError> {
    let rows = tx.fetch_all(&LIST, values![tenant, after, limit]).await?;
    let read = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(read.into_iter().filter_map(|(sku, warehouse)| Some((sku, warehouse?))).collect())
}

fn read(row: &Row) -> Result<(Sku, Option<WarehouseId>), DbError> {
    let warehouse_id = match row.text("warehouse_id")?.as_str() {
        "" => None,
        _ => Some(row.parsed("warehouse_id", WarehouseId::parse)?),
    };
    Ok((row.parsed("sku", Sku::parse)?, warehouse_id))
}

pub async fn flush(tx: &mut Tx, table: &Assignments) -> Result<(), DbError> {
    let changed = table.inserted().into_iter().chain(table.updated());
    let rows: Rows = changed
        .map(|((tenant, sku), warehouse)| {
            record! {
                tenant_id: tenant,
                sku: sku,
                warehouse_id: warehouse.as_ref().map_or("", WarehouseId::as_str),
            }
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(&STORE, values![rows], expected).await
}
