//! Table `refund_hold`.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Table, Tx, values};
use types::ChangeOrderId;

use super::changes::Changes;
use super::{OrderKey, order_key};
use crate::domain::{Account, Hold, HoldState, Parts, Told};

static LOAD: Statement = Statement::new(
    "payment.load_refund_holds",
    "SELECT h.tenant_id, h.order_id, h.saga_id, h.change_order_id, h.prior_ceiling_minor, h.new_ceiling_minor,
            h.owed_minor, h.move_no_money, h.store_credit_fallback, h.moves_on, h.over_minor, h.gross_minor, h.discount_minor, h.tax_minor,
            h.shipping_minor, h.shipping_tax_minor, h.fee_minor, h.included_tax_minor, h.state, h.settle_step,
            h.worth_version, h.told_seq, h.told_owed_minor
       FROM refund_hold AS h
       JOIN rows($1: tenant_id text, order_id text) AS r ON h.tenant_id = r.tenant_id AND h.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_refund_holds",
    "INSERT INTO refund_hold (tenant_id, order_id, saga_id, change_order_id, prior_ceiling_minor, new_ceiling_minor,
                              owed_minor, move_no_money, store_credit_fallback, moves_on, over_minor, gross_minor,
                              discount_minor, tax_minor, shipping_minor, shipping_tax_minor, fee_minor, included_tax_minor, state, settle_step,
                              worth_version, told_seq, told_owed_minor)
     SELECT tenant_id, order_id, saga_id, change_order_id, prior_ceiling_minor, new_ceiling_minor, owed_minor,
            move_no_money, store_credit_fallback, moves_on, over_minor, gross_minor, discount_minor, tax_minor, shipping_minor,
            shipping_tax_minor, fee_minor, included_tax_minor, state, settle_step, worth_version, told_seq, told_owed_minor
       FROM rows($1: tenant_id text, order_id text, saga_id text, change_order_id text, prior_ceiling_minor bigint,
                 new_ceiling_minor bigint, owed_minor bigint, move_no_money bigint, store_credit_fallback bigint, moves_on bigint,
                 over_minor bigint, gross_minor bigint, discount_minor bigint, tax_minor bigint, shipping_minor bigint,
                 shipping_tax_minor bigint, fee_minor bigint, included_tax_minor bigint, state text, settle_step text,
                 worth_version bigint, told_seq bigint, told_owed_minor bigint)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_refund_holds",
    "UPDATE refund_hold SET state = r.state, settle_step = r.settle_step, told_seq = r.told_seq,
            told_owed_minor = r.told_owed_minor
       FROM rows($1: tenant_id text, order_id text, saga_id text, state text, settle_step text, told_seq bigint,
                 told_owed_minor bigint) AS r
      WHERE refund_hold.tenant_id = r.tenant_id AND refund_hold.order_id = r.order_id
        AND refund_hold.saga_id = r.saga_id",
);

pub async fn load(
    tx: &mut Tx,
    orders: &Rows,
    accounts: &mut BTreeMap<OrderKey, Account>,
) -> Result<(), DbError> {
    for row in tx.fetch_all(&LOAD, values![orders.clone()]).await? {
        if let Some(account) = accounts.get_mut(&order_key(&row)?) {
            let hold = hold(&row)?;
            account.holds.insert(hold.saga_id.clone(), hold);
        }
    }
    Ok(())
}

pub async fn flush(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let changes = Changes::of(accounts, |account| &account.holds);
    changes
        .insert(tx, &INSERT, |(tenant, order_id), hold| {
            values![
                tenant,
                order_id,
                &hold.saga_id,
                &hold.change_order_id,
                hold.prior_ceiling_minor,
                hold.new_ceiling_minor,
                hold.owed_minor,
                i64::from(hold.move_no_money),
                i64::from(hold.store_credit_fallback),
                i64::from(hold.moves_on),
                hold.over_minor,
                hold.parts.gross_minor,
                hold.parts.discount_minor,
                hold.parts.tax_minor,
                hold.parts.shipping_minor,
                hold.parts.shipping_tax_minor,
                hold.parts.fee_minor,
                hold.parts.included_tax_minor,
                hold.state.as_str(),
                &hold.settle_step,
                hold.told.worth_version,
                hold.told.seq,
                hold.told.owed_minor,
            ]
        })
        .await?;
    changes
        .update(tx, &UPDATE, |(tenant, order_id), hold| {
            let told = hold.told;
            let state = hold.state.as_str();
            values![tenant, order_id, &hold.saga_id, state, &hold.settle_step, told.seq, told.owed_minor]
        })
        .await
}

fn hold(row: &Row) -> Result<Hold, DbError> {
    Ok(Hold {
        saga_id: row.text("saga_id")?,
        change_order_id: row.parsed("change_order_id", ChangeOrderId::parse)?,
        prior_ceiling_minor: row.int("prior_ceiling_minor")?,
        new_ceiling_minor: row.int("new_ceiling_minor")?,
        owed_minor: row.int("owed_minor")?,
        move_no_money: row.int("move_no_money")? == 1,
        store_credit_fallback: row.int("store_credit_fallback")? == 1,
        moves_on: row.int("moves_on")? == 1,
        over_minor: row.int("over_minor")?,
        parts: Parts {
            gross_minor: row.int("gross_minor")?,
            discount_minor: row.int("discount_minor")?,
            tax_minor: row.int("tax_minor")?,
            shipping_minor: row.int("shipping_minor")?,
            shipping_tax_minor: row.int("shipping_tax_minor")?,
            fee_minor: row.int("fee_minor")?,
            included_tax_minor: row.int("included_tax_minor")?,
        },
        state: row.named("state", HoldState::parse)?,
        settle_step: row.text("settle_step")?,
        told: Told {
            seq: row.int("told_seq")?,
            worth_version: row.int("worth_version")?,
            owed_minor: row.int("told_owed_minor")?,
        },
    })
}
