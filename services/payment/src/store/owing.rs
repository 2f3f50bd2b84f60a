//! Table `owed_position`: written, never read to decide.

use storage::{DbError, Rows, Statement, Table, Tx, values};
use types::Timestamp;

use super::OrderKey;
use super::changes::write;
use crate::domain::Account;

static APPEND: Statement = Statement::new(
    "payment.append_owed_positions",
    "INSERT INTO owed_position (tenant_id, order_id, seq, worth_version, owed_minor, at)
     SELECT tenant_id, order_id, seq, worth_version, owed_minor, at
       FROM rows($1: tenant_id text, order_id text, seq bigint, worth_version bigint, owed_minor bigint, at text)",
);

pub async fn append(tx: &mut Tx, accounts: &Table<OrderKey, Account>, now: Timestamp) -> Result<(), DbError> {
    let mut rows = Rows::new();
    for ((tenant, order_id), account) in accounts.iter() {
        for told in &account.unsaved.told {
            rows.push(values![tenant, order_id, told.seq, told.worth_version, told.owed_minor, now]);
        }
    }
    write(tx, &APPEND, rows).await
}
