//! Table `money_ledger`: written, never read to decide.

use storage::{DbError, Rows, Statement, Table, Tx, Value, values};

use super::OrderKey;
use super::changes::write;
use crate::domain::{Account, Movement};

static APPEND: Statement = Statement::new(
    "payment.append_movements",
    "INSERT INTO money_ledger (tenant_id, order_id, seq, tx_id, account, debit_minor, credit_minor, currency, kind,
                               reference_id, saga_id, step, direction, at)
     SELECT tenant_id, order_id, seq, tx_id, account, debit_minor, credit_minor, currency, kind, reference_id,
            saga_id, step, direction, at
       FROM rows($1: tenant_id text, order_id text, seq bigint, tx_id text, account text, debit_minor bigint,
                 credit_minor bigint, currency text, kind text, reference_id text, saga_id text, step text,
                 direction text, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let mut rows = Rows::new();
    for (key, account) in accounts.iter() {
        for (seq, movement) in &account.unsaved.movements {
            for row in entries(key, account, *seq, movement) {
                rows.push(row);
            }
        }
    }
    write(tx, &APPEND, rows).await
}

fn entries(
    (tenant, order_id): &OrderKey,
    account: &Account,
    seq: i64,
    movement: &Movement,
) -> Vec<Vec<Value>> {
    let (_, saga_id, step) = movement.origin.columns();
    (seq..)
        .zip(movement.entries())
        .map(|(seq, entry)| {
            values![
                tenant,
                order_id,
                seq,
                movement.tx_id(),
                &entry.account,
                entry.debit_minor,
                entry.credit_minor,
                account.currency.code(),
                movement.kind.as_str(),
                &movement.reference_id,
                saga_id,
                step,
                movement.kind.direction(),
                movement.at,
            ]
        })
        .collect()
}
