//! Table `owed_position`: written, never read to decide.

use storage::{DbError, Statement, Table, Tx, record};
use types::Timestamp;

use super::OrderKey;
use super::changes::write;
use crate::domain::Account;

static APPEND: Statement = Statement::new(
    "payment.append_owed_positions",
    "INSERT INTO owed_position rows($1: tenant_id text, order_id text, seq bigint, worth_version bigint,
       owed_minor bigint, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>, now: Timestamp) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for ((tenant, order_id), account) in accounts.iter() {
        for told in &account.unsaved.told {
            rows.push(record! {
                tenant_id: tenant,
                order_id: order_id,
                seq: told.seq,
                worth_version: told.worth_version,
                owed_minor: told.owed_minor,
                at: now,
            });
        }
    }
    write(tx, &APPEND, rows).await
}
