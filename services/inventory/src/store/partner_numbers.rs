//! Numbers that partners have seen. Rows are only ever added.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{FulfilmentId, OrderId, Tenant, Timestamp};

use crate::domain::IntegrationKey;
use crate::store::fulfilments::FulfilmentKey;

static LOAD: Statement = Statement::new(
    "inventory.load_partner_numbers",
    "SELECT n.tenant_id, n.integration_key, n.external_number, n.order_id, n.fulfilment_id, n.at
       FROM rows($1: tenant_id text, external_number text) AS r
       JOIN partner_number AS n ON n.tenant_id = r.tenant_id AND n.external_number = r.external_number",
);

static LOAD_OWN: Statement = Statement::new(
    "inventory.load_partner_numbers_of_fulfilments",
    "SELECT n.tenant_id, n.integration_key, n.external_number, n.order_id, n.fulfilment_id, n.at
       FROM rows($1: tenant_id text, fulfilment_id text) AS r
       JOIN partner_number AS n ON n.tenant_id = r.tenant_id AND n.fulfilment_id = r.fulfilment_id",
);

static APPEND: Statement = Statement::new(
    "inventory.append_partner_numbers",
    "INSERT INTO partner_number rows($1: tenant_id text, integration_key text, external_number text,
       order_id text, fulfilment_id text, at text)",
);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberKey {
    pub tenant: Tenant,
    pub integration: IntegrationKey,
    pub external_number: String,
}

/// Who was submitted under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub order_id: OrderId,
    pub fulfilment_id: FulfilmentId,
    pub at: Timestamp,
}

pub type Numbers = Table<NumberKey, Submitted>;

/// The numbers named here at any partner, and all that these fulfilments have had.
pub async fn load(
    tx: &mut Tx,
    named: &BTreeSet<(Tenant, String)>,
    fulfilments: &BTreeSet<FulfilmentKey>,
) -> Result<Numbers, DbError> {
    let mut numbers = Table::new();
    if fulfilments.is_empty() {
        return Ok(numbers);
    }
    let own: Rows = fulfilments.iter().map(|(tenant, id)| values![tenant, id]).collect();
    let mut found = tx.fetch_all(&LOAD_OWN, values![own]).await?;
    if !named.is_empty() {
        let rows: Rows = named.iter().map(|(tenant, number)| values![tenant, number]).collect();
        found.extend(tx.fetch_all(&LOAD, values![rows]).await?);
    }
    for row in &found {
        let (key, submitted) = read(row)?;
        numbers.load(key, submitted);
    }
    Ok(numbers)
}

fn read(row: &Row) -> Result<(NumberKey, Submitted), DbError> {
    let key = NumberKey {
        tenant: row.tenant()?,
        integration: row.parsed("integration_key", IntegrationKey::parse)?,
        external_number: row.text("external_number")?,
    };
    let submitted = Submitted {
        order_id: row.parsed("order_id", OrderId::parse)?,
        fulfilment_id: row.parsed("fulfilment_id", FulfilmentId::parse)?,
        at: row.timestamp("at")?,
    };
    Ok((key, submitted))
}

pub async fn flush(tx: &mut Tx, numbers: &Numbers) -> Result<(), DbError> {
    numbers
        .flush_inserts(tx, &APPEND, |key, submitted| {
            record! {
                tenant_id: &key.tenant,
                integration_key: &key.integration,
                external_number: &key.external_number,
                order_id: &submitted.order_id,
                fulfilment_id: &submitted.fulfilment_id,
                at: submitted.at,
            }
        })
        .await
}
