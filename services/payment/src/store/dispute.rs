//! Table `dispute`.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{PaymentId, Timestamp};

use super::changes::Changes;
use super::{OrderKey, order_key};
use crate::domain::gateway::DisputeState;
use crate::domain::{Account, Dispute};

static LOAD: Statement = Statement::new(
    "payment.load_disputes",
    "SELECT d.tenant_id, d.order_id, d.payment_id, d.gateway_reference, d.state, d.amount_minor, d.opened_at,
            d.ended_at
       FROM dispute AS d
       JOIN rows($1: tenant_id text, order_id text) AS r ON d.tenant_id = r.tenant_id AND d.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_disputes",
    "INSERT INTO dispute rows($1: tenant_id text, order_id text, payment_id text, gateway_reference text,
       state text, amount_minor bigint, opened_at text, ended_at text)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_disputes",
    "UPDATE dispute SET rows($1: tenant_id text, order_id text, payment_id text, gateway_reference text |
       state text, ended_at text)",
);

pub async fn load(
    tx: &mut Tx,
    orders: &Rows,
    accounts: &mut BTreeMap<OrderKey, Account>,
) -> Result<(), DbError> {
    for row in tx.fetch_all(&LOAD, values![orders.clone()]).await? {
        if let Some(account) = accounts.get_mut(&order_key(&row)?) {
            let dispute = dispute(&row)?;
            let key = (dispute.payment_id.clone(), dispute.gateway_reference.clone());
            account.disputes.insert(key, dispute);
        }
    }
    Ok(())
}

pub async fn flush(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let changes = Changes::of(accounts, |account| &account.disputes);
    changes
        .insert(tx, &INSERT, |(tenant, order_id), dispute| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                payment_id: &dispute.payment_id,
                gateway_reference: &dispute.gateway_reference,
                state: dispute.state.as_str(),
                amount_minor: dispute.amount_minor,
                opened_at: dispute.opened_at,
                ended_at: ended_at(dispute),
            }
        })
        .await?;
    changes
        .update(tx, &UPDATE, |(tenant, order_id), dispute| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                payment_id: &dispute.payment_id,
                gateway_reference: &dispute.gateway_reference,
                state: dispute.state.as_str(),
                ended_at: ended_at(dispute),
            }
        })
        .await
}

fn ended_at(dispute: &Dispute) -> String {
    dispute.ended_at.map(|at| at.to_string()).unwrap_or_default()
}

fn dispute(row: &Row) -> Result<Dispute, DbError> {
    let ended_at = |text: &str| if text.is_empty() { Ok(None) } else { Timestamp::parse(text).map(Some) };
    Ok(Dispute {
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        gateway_reference: row.text("gateway_reference")?,
        state: row.named("state", DisputeState::parse)?,
        amount_minor: row.int("amount_minor")?,
        opened_at: row.timestamp("opened_at")?,
        ended_at: row.parsed("ended_at", ended_at)?,
    })
}
