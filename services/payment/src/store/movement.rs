//! Table `money_ledger`: written, never read to decide.

use storage::{DbError, Record, Statement, Table, Tx, record};

use super::OrderKey;
use super::changes::write;
use crate::domain::{Account, Movement};

static APPEND: Statement = Statement::new(
    "payment.append_movements",
    "INSERT INTO money_ledger rows($1: tenant_id text, order_id text, seq bigint, tx_id text, account text,
       debit_minor bigint, credit_minor bigint, currency text, kind text, reference_id text,
       saga_id text, step text, direction text, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for (key, account) in accounts.iter() {
        for (seq, movement) in &account.unsaved.movements {
            rows.extend(entries(key, account, *seq, movement));
        }
    }
    write(tx, &APPEND, rows).await
}

fn entries((tenant, order_id): &OrderKey, account: &Account, seq: i64, movement: &Movement) -> Vec<Record> {
    let (_, saga_id, step) = movement.origin.columns();
    (seq..)
        .zip(movement.entries())
        .map(|(seq, entry)| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                seq: seq,
                tx_id: movement.tx_id(),
                account: &entry.account,
                debit_minor: entry.debit_minor,
                credit_minor: entry.credit_minor,
                currency: account.currency.code(),
                kind: movement.kind.as_str(),
                reference_id: &movement.reference_id,
                saga_id: saga_id,
                step: step,
                direction: movement.kind.direction(),
                at: movement.at,
            }
        })
        .collect()
}
