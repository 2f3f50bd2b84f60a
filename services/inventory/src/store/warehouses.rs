//! Warehouses: few per tenant, so a batch reads all of the tenants it serves.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::Tenant;

use crate::domain::{IntegrationKey, Warehouse, WarehouseId, WarehouseKind, Warehouses};

static LOAD: Statement = Statement::new(
    "inventory.load_warehouses",
    "SELECT w.tenant_id, w.warehouse_id, w.kind, w.priority, w.active, w.integration_key
       FROM rows($1: tenant_id text) AS r
       JOIN warehouse AS w ON w.tenant_id = r.tenant_id",
);

/// Two replicas may be told of the same new warehouse at once. The last one wins, but a kind is for good: a row of
/// another kind is not touched, which the row count then tells.
static STORE: Statement = Statement::new(
    "inventory.store_warehouses",
    "INSERT INTO warehouse rows($1: tenant_id text, warehouse_id text, kind text, priority bigint,
       active bigint, integration_key text)
     WHERE true
     ON CONFLICT (tenant_id, warehouse_id) DO UPDATE SET priority = excluded.priority, active =
       excluded.active, integration_key = excluded.integration_key WHERE warehouse.kind =
       excluded.kind",
);

pub async fn load(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Table<Tenant, Warehouses>, DbError> {
    let mut table = Table::new();
    if tenants.is_empty() {
        return Ok(table);
    }
    let mut all: BTreeMap<Tenant, Warehouses> =
        tenants.iter().map(|tenant| (tenant.clone(), Warehouses::default())).collect();
    let rows: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    for row in tx.fetch_all(&LOAD, values![rows]).await? {
        let (id, warehouse) = read(&row)?;
        all.entry(row.tenant()?).or_default().load(id, warehouse);
    }
    for (tenant, warehouses) in all {
        table.load(tenant, warehouses);
    }
    Ok(table)
}

pub fn read(row: &Row) -> Result<(WarehouseId, Warehouse), DbError> {
    let warehouse = Warehouse {
        kind: row.named("kind", WarehouseKind::from_name)?,
        priority: row.int("priority")?,
        active: row.int("active")? == 1,
        integration: match row.text("integration_key")?.as_str() {
            "" => None,
            key => Some(IntegrationKey::parse(key).map_err(|error| DbError::malformed(LOAD.name(), error))?),
        },
    };
    Ok((row.parsed("warehouse_id", WarehouseId::parse)?, warehouse))
}

pub async fn flush(tx: &mut Tx, table: &Table<Tenant, Warehouses>) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for (tenant, warehouses) in table.updated() {
        let before = table.loaded(tenant);
        for (id, warehouse) in warehouses.iter() {
            if before.and_then(|before| before.get(id)) != Some(warehouse) {
                let (kind, active) = (warehouse.kind.as_str(), i64::from(warehouse.active));
                let integration = warehouse.integration.as_ref().map_or("", IntegrationKey::as_str);
                rows.push(record! {
                    tenant_id: tenant,
                    warehouse_id: id,
                    kind: kind,
                    priority: warehouse.priority,
                    active: active,
                    integration_key: integration,
                });
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(&STORE, values![rows], expected).await
}
