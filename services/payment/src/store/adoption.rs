//! Table `adoption`: who has a payment that was made elsewhere. Its key holds no tenant on purpose: tenants may share an
//! account at a gateway, and a payment of it is one order's whoever asks.

use std::collections::BTreeSet;

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
use types::{PaymentId, Tenant};

/// The account at a gateway, and the one name that the payment goes by there.
pub type AdoptionKey = (String, String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    pub tenant: Tenant,
    /// The order's payment, or the one that several orders share.
    pub payment_id: PaymentId,
    /// False once its order was not placed: the payment is free again.
    pub held: bool,
}

static LOCK: Statement = Statement::new(
    "payment.lock_adoptions",
    "SELECT a.tenant_id, a.gateway_account, a.reference, a.payment_id, a.held
       FROM adoption AS a
       JOIN rows($1: gateway_account text, reference text) AS r
         ON a.gateway_account = r.gateway_account AND a.reference = r.reference
      ORDER BY a.gateway_account, a.reference FOR UPDATE OF a",
);

static INSERT: Statement = Statement::new(
    "payment.insert_adoptions",
    "INSERT INTO adoption rows($1: tenant_id text, gateway_account text, reference text, payment_id text,
       held bigint)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_adoptions",
    "UPDATE adoption SET rows($1: gateway_account text, reference text | tenant_id text, payment_id text,
       held bigint)",
);

/// Reads and locks those that are there.
pub async fn lock(
    tx: &mut Tx,
    keys: &BTreeSet<AdoptionKey>,
) -> Result<Table<AdoptionKey, Adoption>, DbError> {
    let mut adoptions = Table::new();
    if keys.is_empty() {
        return Ok(adoptions);
    }
    let rows: Rows = keys.iter().map(|(account, reference)| values![account, reference]).collect();
    for row in tx.fetch_all(&LOCK, values![rows]).await? {
        adoptions.load((row.text("gateway_account")?, row.text("reference")?), adoption(&row)?);
    }
    Ok(adoptions)
}

/// Takes one for a payment outside of any batch; false if another payment has it.
pub async fn take(
    tx: &mut Tx,
    key: AdoptionKey,
    tenant: &Tenant,
    payment_id: &PaymentId,
) -> Result<bool, DbError> {
    let wanted = Adoption { tenant: tenant.clone(), payment_id: payment_id.clone(), held: true };
    let mut adoptions = lock(tx, &[key.clone()].into()).await?;
    match adoptions.get(&key) {
        None => adoptions.insert(key, wanted),
        Some(there) if there.held => return Ok(there.payment_id == *payment_id),
        Some(_) => adoptions.update(&key, |there| *there = wanted).expect("it was just found"),
    }
    flush(tx, &adoptions).await?;
    Ok(true)
}

/// Two that take the same one at the same time are told apart by its primary key.
pub async fn flush(tx: &mut Tx, adoptions: &Table<AdoptionKey, Adoption>) -> Result<(), DbError> {
    adoptions.flush_inserts(tx, &INSERT, row_of).await?;
    adoptions.flush_updates(tx, &UPDATE, row_of).await
}

fn row_of((account, reference): &AdoptionKey, adoption: &Adoption) -> Record {
    record! {
        tenant_id: &adoption.tenant,
        gateway_account: account,
        reference: reference,
        payment_id: &adoption.payment_id,
        held: i64::from(adoption.held),
    }
}

fn adoption(row: &Row) -> Result<Adoption, DbError> {
    Ok(Adoption {
        tenant: row.tenant()?,
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        held: row.int("held")? == 1,
    })
}
