//! Table `refund`.

use std::collections::BTreeMap;

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
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
    "INSERT INTO refund rows($1: tenant_id text, order_id text, refund_id text, payment_id text,
       capture_id text, change_order_id text, saga_id text, step text, kind text, method text,
       retry_of text, state text, amount_minor bigint, resolution_reference text, resolution_note text,
       gateway_reference text, detail text, tries bigint, next_at bigint, claimed_until bigint,
       created_at text, updated_at text)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_refunds",
    "UPDATE refund SET rows($1: tenant_id text, order_id text, refund_id text | capture_id text, step text,
       kind text, state text, resolution_reference text, resolution_note text, gateway_reference text,
       detail text, tries bigint, next_at bigint, claimed_until bigint, updated_at text)",
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

fn new_row((tenant, order_id): &OrderKey, refund: &Refund) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order_id,
        refund_id: &refund.refund_id,
        payment_id: &refund.payment_id,
        capture_id: or_empty(refund.capture_id.as_ref()),
        change_order_id: or_empty(refund.change_order_id.as_ref()),
        saga_id: &refund.saga_id,
        step: &refund.step,
        kind: refund.kind.as_str(),
        method: refund.method.as_str(),
        retry_of: or_empty(refund.retry_of.as_ref()),
        state: refund.state.as_str(),
        amount_minor: refund.amount_minor,
        resolution_reference: &refund.resolution.reference,
        resolution_note: &refund.resolution.note,
        gateway_reference: &refund.gateway_reference,
        detail: &refund.detail,
        tries: refund.schedule.tries,
        next_at: refund.schedule.next_at,
        claimed_until: refund.schedule.claimed_until,
        created_at: refund.created_at,
        updated_at: refund.updated_at,
    }
}

fn changed_row((tenant, order_id): &OrderKey, refund: &Refund) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order_id,
        refund_id: &refund.refund_id,
        capture_id: or_empty(refund.capture_id.as_ref()),
        step: &refund.step,
        kind: refund.kind.as_str(),
        state: refund.state.as_str(),
        resolution_reference: &refund.resolution.reference,
        resolution_note: &refund.resolution.note,
        gateway_reference: &refund.gateway_reference,
        detail: &refund.detail,
        tries: refund.schedule.tries,
        next_at: refund.schedule.next_at,
        claimed_until: refund.schedule.claimed_until,
        updated_at: refund.updated_at,
    }
}
