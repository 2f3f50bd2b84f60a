//! Table `refund`.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Table, Tx, Value, values};
use types::{CaptureId, ChangeOrderId, PaymentId, RefundId};

use super::changes::Changes;
use super::{OrderKey, or_empty, or_none, order_key, schedule};
use crate::domain::refund::{Kind, Method, Resolution, State};
use crate::domain::{Account, Refund};

static LOAD: Statement = Statement::new(
    "payment.load_refunds",
    "SELECT f.tenant_id, f.order_id, f.refund_id, f.payment_id, f.capture_id, f.change_order_id, f.saga_id, f.step,
            f.kind, f.method, f.retry_of, f.state, f.amount_minor, f.resolution_reference, f.resolution_note,
            f.gateway_reference, f.detail, f.tries, f.next_at, f.claimed_until,
            f.created_at, f.updated_at
       FROM refund AS f
       JOIN rows($1: tenant_id text, order_id text) AS r ON f.tenant_id = r.tenant_id AND f.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_refunds",
    "INSERT INTO refund (tenant_id, order_id, refund_id, payment_id, capture_id, change_order_id, saga_id, step, kind,
                         method, retry_of, state, amount_minor, resolution_reference, resolution_note,
                         gateway_reference, detail, tries, next_at, claimed_until, created_at, updated_at)
     SELECT tenant_id, order_id, refund_id, payment_id, capture_id, change_order_id, saga_id, step, kind, method,
            retry_of, state, amount_minor, resolution_reference, resolution_note, gateway_reference, detail, tries, next_at, claimed_until, created_at, updated_at
       FROM rows($1: tenant_id text, order_id text, refund_id text, payment_id text, capture_id text,
                 change_order_id text, saga_id text, step text, kind text, method text, retry_of text,
                 state text, amount_minor bigint, resolution_reference text, resolution_note text,
                 gateway_reference text, detail text, tries bigint, next_at bigint, claimed_until bigint,
                 created_at text, updated_at text)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_refunds",
    "UPDATE refund SET capture_id = r.capture_id, step = r.step, kind = r.kind, state = r.state,
            resolution_reference = r.resolution_reference, resolution_note = r.resolution_note,
            gateway_reference = r.gateway_reference, detail = r.detail, tries = r.tries, next_at = r.next_at,
            claimed_until = r.claimed_until, updated_at = r.updated_at
       FROM rows($1: tenant_id text, order_id text, refund_id text, capture_id text, step text, kind text, state text,
                 resolution_reference text, resolution_note text, gateway_reference text, detail text, tries bigint,
                 next_at bigint, claimed_until bigint, updated_at text) AS r
      WHERE refund.tenant_id = r.tenant_id AND refund.order_id = r.order_id AND refund.refund_id = r.refund_id",
);

pub async fn load(
    tx: &mut Tx,
    orders: &Rows,
    accounts: &mut BTreeMap<OrderKey, Account>,
) -> Result<(), DbError> {
    for row in tx.fetch_all(&LOAD, values![orders.clone()]).await? {
        if let Some(account) = accounts.get_mut(&order_key(&row)?) {
            let refund = refund(&row)?;
            account.refunds.insert(refund.refund_id.clone(), refund);
        }
    }
    Ok(())
}

pub async fn flush(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let changes = Changes::of(accounts, |account| &account.refunds);
    // What fails makes room for what makes it good.
    changes.update(tx, &UPDATE, changed_row).await?;
    changes.insert(tx, &INSERT, new_row).await
}

pub(super) fn refund(row: &Row) -> Result<Refund, DbError> {
    Ok(Refund {
        refund_id: row.parsed("refund_id", RefundId::parse)?,
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        capture_id: row.parsed("capture_id", |text| or_none(text, CaptureId::parse))?,
        change_order_id: row.parsed("change_order_id", |text| or_none(text, ChangeOrderId::parse))?,
        saga_id: row.text("saga_id")?,
        step: row.text("step")?,
        kind: row.named("kind", Kind::parse)?,
        method: row.named("method", Method::parse)?,
        retry_of: row.parsed("retry_of", |text| or_none(text, RefundId::parse))?,
        state: row.named("state", State::parse)?,
        amount_minor: row.int("amount_minor")?,
        resolution: Resolution {
            reference: row.text("resolution_reference")?,
            note: row.text("resolution_note")?,
        },
        gateway_reference: row.text("gateway_reference")?,
        detail: row.text("detail")?,
        schedule: schedule(row)?,
        created_at: row.timestamp("created_at")?,
        updated_at: row.timestamp("updated_at")?,
    })
}

fn new_row((tenant, order_id): &OrderKey, refund: &Refund) -> Vec<Value> {
    values![
        tenant,
        order_id,
        &refund.refund_id,
        &refund.payment_id,
        or_empty(refund.capture_id.as_ref()),
        or_empty(refund.change_order_id.as_ref()),
        &refund.saga_id,
        &refund.step,
        refund.kind.as_str(),
        refund.method.as_str(),
        or_empty(refund.retry_of.as_ref()),
        refund.state.as_str(),
        refund.amount_minor,
        &refund.resolution.reference,
        &refund.resolution.note,
        &refund.gateway_reference,
        &refund.detail,
        refund.schedule.tries,
        refund.schedule.next_at,
        refund.schedule.claimed_until,
        refund.created_at,
        refund.updated_at,
    ]
}

fn changed_row((tenant, order_id): &OrderKey, refund: &Refund) -> Vec<Value> {
    values![
        tenant,
        order_id,
        &refund.refund_id,
        or_empty(refund.capture_id.as_ref()),
        &refund.step,
        refund.kind.as_str(),
        refund.state.as_str(),
        &refund.resolution.reference,
        &refund.resolution.note,
        &refund.gateway_reference,
        &refund.detail,
        refund.schedule.tries,
        refund.schedule.next_at,
        refund.schedule.claimed_until,
        refund.updated_at,
    ]
}
