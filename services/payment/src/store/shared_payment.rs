//! Table `shared_payment`. Its rows are locked after the accounts of a batch, in the order of their keys.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, values};
use types::{Currency, OrderId, PaymentId, Tenant};

use super::OrderKey;
use crate::domain::Account;
use crate::domain::shared::{SharedPayment, Siblings};

pub type SharedKey = (Tenant, PaymentId);

static RECORD: Statement = Statement::new(
    "payment.record_shared_payment",
    "INSERT INTO shared_payment (tenant_id, shared_payment_id, gateway, gateway_reference, currency, authorised_minor,
                                 captured, allotted_minor, captured_minor, voided_minor, refunded_minor, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, $8) ON CONFLICT DO NOTHING",
);

static BY_REFERENCE: Statement = Statement::new(
    "payment.shared_payment_by_reference",
    "SELECT tenant_id, shared_payment_id, gateway, gateway_reference, currency, authorised_minor, captured,
            allotted_minor, captured_minor, voided_minor, refunded_minor, created_at
       FROM shared_payment WHERE tenant_id = $1 AND gateway = $2 AND gateway_reference = $3",
);

static READ: Statement = Statement::new(
    "payment.read_shared_payment",
    "SELECT tenant_id, shared_payment_id, gateway, gateway_reference, currency, authorised_minor, captured,
            allotted_minor, captured_minor, voided_minor, refunded_minor, created_at
       FROM shared_payment WHERE tenant_id = $1 AND shared_payment_id = $2",
);

static LOCK: Statement = Statement::new(
    "payment.lock_shared_payments",
    "SELECT s.tenant_id, s.shared_payment_id, s.gateway, s.gateway_reference, s.currency, s.authorised_minor,
            s.captured, s.allotted_minor, s.captured_minor, s.voided_minor, s.refunded_minor, s.created_at
       FROM shared_payment AS s
       JOIN rows($1: tenant_id text, shared_payment_id text) AS r
         ON s.tenant_id = r.tenant_id AND s.shared_payment_id = r.shared_payment_id
      ORDER BY s.tenant_id, s.shared_payment_id FOR UPDATE OF s",
);

static RECOUNT: Statement = Statement::new(
    "payment.recount_shared_payments",
    "UPDATE shared_payment SET
            allotted_minor = (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM payment AS p
                               WHERE p.tenant_id = r.tenant_id AND p.shared_payment_id = r.shared_payment_id),
            captured_minor = (SELECT CAST(COALESCE(SUM(p.captured_minor), 0) AS BIGINT) FROM payment AS p
                               WHERE p.tenant_id = r.tenant_id AND p.shared_payment_id = r.shared_payment_id),
            voided_minor = (SELECT CAST(COALESCE(SUM(p.voided_minor), 0) AS BIGINT) FROM payment AS p
                             WHERE p.tenant_id = r.tenant_id AND p.shared_payment_id = r.shared_payment_id),
            refunded_minor = (SELECT CAST(COALESCE(SUM(c.refunded_minor), 0) AS BIGINT)
                                FROM payment AS p JOIN capture AS c
                                  ON c.tenant_id = p.tenant_id AND c.order_id = p.order_id AND c.payment_id = p.payment_id
                               WHERE p.tenant_id = r.tenant_id AND p.shared_payment_id = r.shared_payment_id
                                 AND c.state = 'captured')
       FROM rows($1: tenant_id text, shared_payment_id text) AS r
      WHERE shared_payment.tenant_id = r.tenant_id AND shared_payment.shared_payment_id = r.shared_payment_id",
);

static PARTS: Statement = Statement::new(
    "payment.parts_of_shared_payment",
    "SELECT order_id, payment_id FROM payment
      WHERE tenant_id = $1 AND shared_payment_id = $2 AND shared_payment_id <> '' ORDER BY payment_id",
);

static SIBLINGS: Statement = Statement::new(
    "payment.siblings_captured",
    "SELECT CAST(COALESCE(SUM(c.amount_minor), 0) AS BIGINT) AS captured_minor
       FROM payment AS p JOIN capture AS c
         ON c.tenant_id = p.tenant_id AND c.order_id = p.order_id AND c.payment_id = p.payment_id
      WHERE p.tenant_id = $1 AND p.shared_payment_id = $2 AND p.payment_id <> $3 AND c.state <> 'declined'",
);

static SIBLINGS_REFERENCES: Statement = Statement::new(
    "payment.siblings_references",
    "SELECT f.refund_id AS own, f.gateway_reference AS reference
       FROM payment AS p JOIN refund AS f
         ON f.tenant_id = p.tenant_id AND f.order_id = p.order_id AND f.payment_id = p.payment_id
      WHERE p.tenant_id = $1 AND p.shared_payment_id = $2 AND p.payment_id <> $3
     UNION ALL
     SELECT '', d.gateway_reference
       FROM payment AS p JOIN dispute AS d
         ON d.tenant_id = p.tenant_id AND d.order_id = p.order_id AND d.payment_id = p.payment_id
      WHERE p.tenant_id = $1 AND p.shared_payment_id = $2 AND p.payment_id <> $3",
);

/// Writes it down unless its reference is known; what stands there then.
pub async fn record(tx: &mut Tx, tenant: &Tenant, shared: &SharedPayment) -> Result<SharedPayment, DbError> {
    let row = values![
        tenant,
        &shared.shared_payment_id,
        &shared.gateway,
        &shared.gateway_reference,
        shared.currency.code(),
        shared.authorised_minor,
        i64::from(shared.captured),
        shared.created_at,
    ];
    tx.execute(&RECORD, row).await?;
    let key = values![tenant, &shared.gateway, &shared.gateway_reference];
    read_row(&tx.fetch_one(&BY_REFERENCE, key).await?)
}

/// The one that stands under this gateway's name.
pub async fn named(
    tx: &mut Tx,
    tenant: &Tenant,
    shared: &SharedPayment,
) -> Result<Option<SharedPayment>, DbError> {
    let key = values![tenant, &shared.gateway, &shared.gateway_reference];
    tx.fetch_optional(&BY_REFERENCE, key).await?.as_ref().map(read_row).transpose()
}

pub async fn find(
    tx: &mut Tx,
    tenant: &Tenant,
    shared_payment_id: &PaymentId,
) -> Result<Option<SharedPayment>, DbError> {
    tx.fetch_optional(&READ, values![tenant, shared_payment_id]).await?.as_ref().map(read_row).transpose()
}

/// The orders that hold a part, and their payments.
pub async fn parts(
    tx: &mut Tx,
    tenant: &Tenant,
    shared_payment_id: &PaymentId,
) -> Result<Vec<(OrderId, PaymentId)>, DbError> {
    let rows = tx.fetch_all(&PARTS, values![tenant, shared_payment_id]).await?;
    rows.iter()
        .map(|row| Ok((row.parsed("order_id", OrderId::parse)?, row.parsed("payment_id", PaymentId::parse)?)))
        .collect()
}

/// Locks the shared payments that these accounts hold parts of, and those that are named.
pub async fn lock(
    tx: &mut Tx,
    accounts: &Table<OrderKey, Account>,
    mut keys: BTreeSet<SharedKey>,
) -> Result<Table<SharedKey, SharedPayment>, DbError> {
    for ((tenant, _), account) in accounts.iter() {
        let parts = account.payments.values().filter_map(|payment| payment.shared_payment_id.clone());
        keys.extend(parts.map(|id| (tenant.clone(), id)));
    }
    let mut shared = Table::new();
    if keys.is_empty() {
        return Ok(shared);
    }
    let rows: Rows = keys.iter().map(|(tenant, id)| values![tenant, id]).collect();
    for row in tx.fetch_all(&LOCK, values![rows]).await? {
        let found = read_row(&row)?;
        shared.load((row.tenant()?, found.shared_payment_id.clone()), found);
    }
    Ok(shared)
}

/// Counts the parts again, after they were written.
pub async fn recount(tx: &mut Tx, shared: &Table<SharedKey, SharedPayment>) -> Result<(), DbError> {
    if shared.is_empty() {
        return Ok(());
    }
    let rows: Rows = shared.keys().map(|(tenant, id)| values![tenant, id]).collect();
    tx.execute_exactly(&RECOUNT, values![rows], shared.len() as u64).await
}

/// What the other parts of a shared payment account for; by the payment that asks.
pub async fn siblings(
    tx: &mut Tx,
    parts: &BTreeMap<SharedKey, PaymentId>,
) -> Result<BTreeMap<(Tenant, PaymentId), Siblings>, DbError> {
    let mut found = BTreeMap::new();
    for ((tenant, payment_id), shared_id) in parts {
        let key = || values![tenant, shared_id, payment_id];
        let captured_minor = tx.fetch_one(&SIBLINGS, key()).await?.int("captured_minor")?;
        let mut references = BTreeSet::new();
        for row in tx.fetch_all(&SIBLINGS_REFERENCES, key()).await? {
            references.extend([row.text("own")?, row.text("reference")?]);
        }
        references.remove("");
        found.insert((tenant.clone(), payment_id.clone()), Siblings { captured_minor, references });
    }
    Ok(found)
}

fn read_row(row: &Row) -> Result<SharedPayment, DbError> {
    Ok(SharedPayment {
        shared_payment_id: row.parsed("shared_payment_id", PaymentId::parse)?,
        gateway: row.text("gateway")?,
        gateway_reference: row.text("gateway_reference")?,
        currency: row.parsed("currency", Currency::parse)?,
        authorised_minor: row.int("authorised_minor")?,
        captured: row.int("captured")? == 1,
        allotted_minor: row.int("allotted_minor")?,
        captured_minor: row.int("captured_minor")?,
        voided_minor: row.int("voided_minor")?,
        refunded_minor: row.int("refunded_minor")?,
        created_at: row.timestamp("created_at")?,
    })
}
