//! Table `store_credit`: written, never read to decide.

use storage::{DbError, Rows, Statement, Table, Tx, values};

use super::OrderKey;
use super::changes::write;
use crate::domain::Account;

static APPEND: Statement = Statement::new(
    "payment.append_credits",
    "INSERT INTO store_credit (tenant_id, order_id, seq, refund_id, delta_minor, balance_minor, at)
     SELECT tenant_id, order_id, seq, refund_id, delta_minor, balance_minor, at
       FROM rows($1: tenant_id text, order_id text, seq bigint, refund_id text, delta_minor bigint,
                 balance_minor bigint, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let mut rows = Rows::new();
    for ((tenant, order_id), account) in accounts.iter() {
        for (seq, entry) in &account.unsaved.credits {
            rows.push(values![
                tenant,
                order_id,
                *seq,
                &entry.refund_id,
                entry.delta_minor,
                entry.balance_minor,
                entry.at,
            ]);
        }
    }
    write(tx, &APPEND, rows).await
}
