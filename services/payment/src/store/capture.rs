//! Table `capture`.

use std::collections::BTreeMap;

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
use types::{CaptureId, PaymentId};

use super::changes::Changes;
use super::{OrderKey, order_key, origin, schedule};
use crate::domain::{Account, Capture, capture::State};

static LOAD: Statement = Statement::new(
    "payment.load_captures",
    "SELECT c.tenant_id, c.order_id, c.payment_id, c.capture_id, c.amount_minor, c.refunded_minor, c.disputed_minor,
            c.state, c.gateway_reference, c.detail, c.asked_by, c.saga_id, c.step, c.tries, c.next_at, c.claimed_until,
            c.created_at
       FROM capture AS c
       JOIN rows($1: tenant_id text, order_id text) AS r ON c.tenant_id = r.tenant_id AND c.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_captures",
    "INSERT INTO capture rows($1: tenant_id text, order_id text, payment_id text, capture_id text,
       amount_minor bigint, refunded_minor bigint, disputed_minor bigint, state text,
       gateway_reference text, detail text, asked_by text, saga_id text, step text, tries bigint,
       next_at bigint, claimed_until bigint, created_at text)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_captures",
    "UPDATE capture SET rows($1: tenant_id text, order_id text, capture_id text | refunded_minor bigint,
       disputed_minor bigint, state text, gateway_reference text, detail text, tries bigint,
       next_at bigint, claimed_until bigint)",
);

pub async fn load(
    tx: &mut Tx,
    orders: &Rows,
    accounts: &mut BTreeMap<OrderKey, Account>,
) -> Result<(), DbError> {
    for row in tx.fetch_all(&LOAD, values![orders.clone()]).await? {
        if let Some(account) = accounts.get_mut(&order_key(&row)?) {
            let capture = capture(&row)?;
            account.captures.insert(capture.capture_id.clone(), capture);
        }
    }
    Ok(())
}

pub async fn flush(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let changes = Changes::of(accounts, |account| &account.captures);
    changes.insert(tx, &INSERT, new_row).await?;
    changes.update(tx, &UPDATE, changed_row).await
}

fn capture(row: &Row) -> Result<Capture, DbError> {
    Ok(Capture {
        capture_id: row.parsed("capture_id", CaptureId::parse)?,
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        amount_minor: row.int("amount_minor")?,
        refunded_minor: row.int("refunded_minor")?,
        disputed_minor: row.int("disputed_minor")?,
        state: row.named("state", State::parse)?,
        gateway_reference: row.text("gateway_reference")?,
        detail: row.text("detail")?,
        origin: origin(row)?,
        schedule: schedule(row)?,
        created_at: row.timestamp("created_at")?,
    })
}

fn new_row((tenant, order_id): &OrderKey, capture: &Capture) -> Record {
    let (asked_by, saga_id, step) = capture.origin.columns();
    record! {
        tenant_id: tenant,
        order_id: order_id,
        payment_id: &capture.payment_id,
        capture_id: &capture.capture_id,
        amount_minor: capture.amount_minor,
        refunded_minor: capture.refunded_minor,
        disputed_minor: capture.disputed_minor,
        state: capture.state.as_str(),
        gateway_reference: &capture.gateway_reference,
        detail: &capture.detail,
        asked_by: asked_by,
        saga_id: saga_id,
        step: step,
        tries: capture.schedule.tries,
        next_at: capture.schedule.next_at,
        claimed_until: capture.schedule.claimed_until,
        created_at: capture.created_at,
    }
}

fn changed_row((tenant, order_id): &OrderKey, capture: &Capture) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order_id,
        capture_id: &capture.capture_id,
        refunded_minor: capture.refunded_minor,
        disputed_minor: capture.disputed_minor,
        state: capture.state.as_str(),
        gateway_reference: &capture.gateway_reference,
        detail: &capture.detail,
        tries: capture.schedule.tries,
        next_at: capture.schedule.next_at,
        claimed_until: capture.schedule.claimed_until,
    }
}
