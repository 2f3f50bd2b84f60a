//! Table `refund_hold`.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
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
    "INSERT INTO refund_hold rows($1: tenant_id text, order_id text, saga_id text, change_order_id text,
       prior_ceiling_minor bigint, new_ceiling_minor bigint, owed_minor bigint, move_no_money bigint,
       store_credit_fallback bigint, moves_on bigint, over_minor bigint, gross_minor bigint,
       discount_minor bigint, tax_minor bigint, shipping_minor bigint, shipping_tax_minor bigint,
       fee_minor bigint, included_tax_minor bigint, state text, settle_step text, worth_version bigint,
       told_seq bigint, told_owed_minor bigint)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_refund_holds",
    "UPDATE refund_hold SET rows($1: tenant_id text, order_id text, saga_id text | state text,
       settle_step text, told_seq bigint, told_owed_minor bigint)",
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
            record! {
                tenant_id: tenant,
                order_id: order_id,
                saga_id: &hold.saga_id,
                change_order_id: &hold.change_order_id,
                prior_ceiling_minor: hold.prior_ceiling_minor,
                new_ceiling_minor: hold.new_ceiling_minor,
                owed_minor: hold.owed_minor,
                move_no_money: i64::from(hold.move_no_money),
                store_credit_fallback: i64::from(hold.store_credit_fallback),
                moves_on: i64::from(hold.moves_on),
                over_minor: hold.over_minor,
                gross_minor: hold.parts.gross_minor,
                discount_minor: hold.parts.discount_minor,
                tax_minor: hold.parts.tax_minor,
                shipping_minor: hold.parts.shipping_minor,
                shipping_tax_minor: hold.parts.shipping_tax_minor,
                fee_minor: hold.parts.fee_minor,
                included_tax_minor: hold.parts.included_tax_minor,
                state: hold.state.as_str(),
                settle_step: &hold.settle_step,
                worth_version: hold.told.worth_version,
                told_seq: hold.told.seq,
                told_owed_minor: hold.told.owed_minor,
            }
        })
        .await?;
    changes
        .update(tx, &UPDATE, |(tenant, order_id), hold| {
            let told = hold.told;
            let state = hold.state.as_str();
            record! {
                tenant_id: tenant,
                order_id: order_id,
                saga_id: &hold.saga_id,
                state: state,
                settle_step: &hold.settle_step,
                told_seq: told.seq,
                told_owed_minor: told.owed_minor,
            }
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
