//! Table `role_map`: what a tenant wrote about its roles, by version. Who holds what is decided elsewhere.

use std::collections::BTreeSet;

use types::{RoleMap, Tenant};

use crate::error::DbError;
use crate::record;
use crate::row::Row;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::value::{Rows, Value};
use crate::values;

/// A commit becomes visible a while after its instant was taken; readers look back this far.
const LATE_MICROS: i64 = 10_000_000;

static NEWEST: Statement = Statement::new(
    "storage.load_newest_role_maps",
    "SELECT m.tenant_id, m.version, m.roles, m.written_at FROM rows($1: tenant_id text) AS r
       JOIN role_map AS m ON m.tenant_id = r.tenant_id
      WHERE NOT EXISTS (SELECT 1 FROM role_map AS n WHERE n.tenant_id = m.tenant_id AND n.version > m.version)",
);

static SINCE: Statement = Statement::new(
    "storage.load_role_maps_since",
    "SELECT m.tenant_id, m.version, m.roles, m.written_at FROM role_map AS m
      WHERE m.written_at >= $1
        AND NOT EXISTS (SELECT 1 FROM role_map AS n WHERE n.tenant_id = m.tenant_id AND n.version > m.version)",
);

static ADD: Statement = Statement::new(
    "storage.add_role_maps",
    "INSERT INTO role_map rows($2: tenant_id text, version bigint, roles text,
       written_at = CAST($1 AS BIGINT))",
);

static ADD_TOLD: Statement = Statement::new(
    "storage.add_told_role_map",
    "INSERT INTO role_map (tenant_id, version, roles, written_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, version) DO NOTHING",
);

/// A tenant's whole map, as of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub tenant: Tenant,
    /// Gap-free from 1.
    pub version: i64,
    pub roles: RoleMap,
}

/// The newest map of each of these tenants that wrote one.
pub async fn newest(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Vec<Written>, DbError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    tx.fetch_all(&NEWEST, values![tenants]).await?.iter().map(written).collect()
}

/// The newest maps of tenants that wrote one since an instant of the database's clock, in microseconds, and from when on
/// to ask the next time.
pub async fn written_since(tx: &mut Tx, since: i64) -> Result<(Vec<Written>, i64), DbError> {
    let rows = tx.fetch_all(&SINCE, values![since.saturating_sub(LATE_MICROS)]).await?;
    let mut next = since;
    for row in &rows {
        next = next.max(row.int("written_at")?);
    }
    Ok((rows.iter().map(written).collect::<Result<_, _>>()?, next))
}

/// Adds the next version of each tenant's map.
pub async fn add(tx: &mut Tx, written: &[Written]) -> Result<(), DbError> {
    if written.is_empty() {
        return Ok(());
    }
    let now = tx.db_now().await?;
    let rows: Rows = written
        .iter()
        .map(|map| {
            record! {
                tenant_id: &map.tenant,
                version: map.version,
                roles: text(&map.roles),
            }
        })
        .collect();
    tx.execute_exactly(&ADD, values![now, rows], written.len() as u64).await
}

/// Adds a map that another service told of; false when it was told before.
pub async fn add_told(tx: &mut Tx, told: &Written) -> Result<bool, DbError> {
    let now = tx.db_now().await?;
    let row: Vec<Value> = values![&told.tenant, told.version, text(&told.roles), now];
    Ok(tx.execute(&ADD_TOLD, row).await? == 1)
}

fn text(roles: &RoleMap) -> String {
    serde_json::to_string(roles).expect("names always have a JSON form")
}

fn written(row: &Row) -> Result<Written, DbError> {
    Ok(Written {
        tenant: row.tenant()?,
        version: row.int("version")?,
        roles: row.parsed("roles", |text| serde_json::from_str(text))?,
    })
}
