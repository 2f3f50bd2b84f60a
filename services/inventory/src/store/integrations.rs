//! Integration profiles: few per tenant, so a batch reads all of the tenants it serves.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{Tenant, Timestamp};

use crate::domain::{Integration, IntegrationKey, Integrations};

static LOAD: Statement = Statement::new(
    "inventory.load_integrations",
    "SELECT i.tenant_id, i.integration_key, i.profile
       FROM rows($1: tenant_id text) AS r
       JOIN integration AS i ON i.tenant_id = r.tenant_id",
);

/// The last writer of two replicas wins: a profile is one value.
static STORE: Statement = Statement::new(
    "inventory.store_integrations",
    "INSERT INTO integration rows($1: tenant_id text, integration_key text, profile text, updated_at text)
     WHERE true
     ON CONFLICT (tenant_id, integration_key) DO UPDATE SET profile = excluded.profile, updated_at =
       excluded.updated_at",
);

pub async fn load(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Table<Tenant, Integrations>, DbError> {
    let mut table = Table::new();
    for (tenant, integrations) in read_all(tx, tenants).await? {
        table.load(tenant, integrations);
    }
    Ok(table)
}

/// The profiles of these tenants; each has at least the seeded ones.
pub async fn read_all(
    tx: &mut Tx,
    tenants: &BTreeSet<Tenant>,
) -> Result<BTreeMap<Tenant, Integrations>, DbError> {
    let mut all: BTreeMap<Tenant, Integrations> =
        tenants.iter().map(|tenant| (tenant.clone(), Integrations::default())).collect();
    if tenants.is_empty() {
        return Ok(all);
    }
    let rows: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    for row in tx.fetch_all(&LOAD, values![rows]).await? {
        let (key, integration) = read(&row)?;
        all.entry(row.tenant()?).or_default().put(key, integration);
    }
    Ok(all)
}

fn read(row: &Row) -> Result<(IntegrationKey, Integration), DbError> {
    let profile = serde_json::from_str(&row.text("profile")?);
    let profile = profile.map_err(|problem| DbError::malformed(LOAD.name(), problem))?;
    Ok((row.parsed("integration_key", IntegrationKey::parse)?, profile))
}

pub async fn flush(tx: &mut Tx, table: &Table<Tenant, Integrations>, now: Timestamp) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for (tenant, integrations) in table.updated() {
        let before = table.loaded(tenant);
        for (key, integration) in integrations.own() {
            if before.is_none_or(|before| before.named(key) != Some(integration) || before.is_seeded(key)) {
                let profile = serde_json::to_string(integration)
                    .map_err(|problem| DbError::malformed(STORE.name(), problem))?;
                rows.push(record! {
                    tenant_id: tenant,
                    integration_key: key,
                    profile: profile,
                    updated_at: now,
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
