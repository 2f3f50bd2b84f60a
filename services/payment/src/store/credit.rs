//! Table `store_credit`: written, never read to decide.

use storage::{DbError, Statement, Table, Tx, record};

use super::OrderKey;
use super::changes::write;
use crate::domain::Account;

static APPEND: Statement = Statement::new(
    "payment.append_credits",
    "INSERT INTO store_credit rows($1: tenant_id text, order_id text, seq bigint, refund_id text,
       delta_minor bigint, balance_minor bigint, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for ((tenant, order_id), account) in accounts.iter() {
        for (seq, entry) in &account.unsaved.credits {
            rows.push(record! {
                tenant_id: tenant,
                order_id: order_id,
                seq: *seq,
                refund_id: &entry.refund_id,
                delta_minor: entry.delta_minor,
                balance_minor: entry.balance_minor,
                at: entry.at,
            });
        }
    }
    write(tx, &APPEND, rows).await
}
