//! Charges that other systems made at this gateway.

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{Currency, OrderId, Tenant, Timestamp};

static INSERT: Statement = Statement::new(
    "sandbox.insert_charges",
    "INSERT INTO gateway_charge rows($1: gateway_reference text, currency text, authorised_minor bigint,
       captured_minor bigint, refunded_minor bigint, tenant_id text, order_id text, at text)
     WHERE true
     ON CONFLICT DO NOTHING",
);

static FIND: Statement = Statement::new(
    "sandbox.find_charges",
    "SELECT c.gateway_reference, c.currency, c.authorised_minor, c.captured_minor, c.refunded_minor, c.tenant_id,
            c.order_id
       FROM gateway_charge AS c
       JOIN rows($1: gateway_reference text) AS r ON c.gateway_reference = r.gateway_reference
      ORDER BY c.gateway_reference",
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub reference: String,
    pub currency: Currency,
    pub authorised_minor: i64,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    /// Metadata: whom it was made for, where it says so.
    pub tenant: Option<Tenant>,
    pub order_id: Option<OrderId>,
}

/// Names that are taken already stay as they are.
pub async fn insert(tx: &mut Tx, charges: &[Charge], at: Timestamp) -> Result<(), DbError> {
    let rows: Rows = charges.iter().map(|charge| row_of(charge, at)).collect();
    tx.execute(&INSERT, values![rows]).await?;
    Ok(())
}

pub async fn find(tx: &mut Tx, references: &[&str]) -> Result<Vec<Charge>, DbError> {
    let rows: Rows = references.iter().map(|reference| values![*reference]).collect();
    tx.fetch_all(&FIND, values![rows]).await?.iter().map(charge).collect()
}

fn row_of(charge: &Charge, at: Timestamp) -> Record {
    record! {
        gateway_reference: &charge.reference,
        currency: charge.currency.code(),
        authorised_minor: charge.authorised_minor,
        captured_minor: charge.captured_minor,
        refunded_minor: charge.refunded_minor,
        tenant_id: charge.tenant.as_ref().map_or("", Tenant::as_str),
        order_id: charge.order_id.as_ref().map_or("", OrderId::as_str),
        at: at,
    }
}

fn charge(row: &Row) -> Result<Charge, DbError> {
    let said = |text: String| (!text.is_empty()).then_some(text);
    Ok(Charge {
        reference: row.text("gateway_reference")?,
        currency: row.parsed("currency", Currency::parse)?,
        authorised_minor: row.int("authorised_minor")?,
        captured_minor: row.int("captured_minor")?,
        refunded_minor: row.int("refunded_minor")?,
        tenant: said(row.text("tenant_id")?).map(|_| row.tenant()).transpose()?,
        order_id: said(row.text("order_id")?).map(|_| row.parsed("order_id", OrderId::parse)).transpose()?,
    })
}
