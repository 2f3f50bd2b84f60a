//! Table `payment`.

use std::collections::BTreeMap;

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
use types::PaymentId;

use super::changes::Changes;
use super::{OrderKey, or_empty, or_none, order_key, origin, schedule};
use crate::domain::payment::{Kind, Proof, State};
use crate::domain::{Account, Payment};

static LOAD: Statement = Statement::new(
    "payment.load_payments",
    "SELECT p.tenant_id, p.order_id, p.payment_id, p.line_no, p.kind, p.gateway, p.token, p.gateway_reference,
            p.state, p.amount_minor, p.authorised_minor, p.captured_minor, p.voided_minor, p.external, p.proof, p.stated_minor, p.capture_now,
            p.abandoned, p.shared_payment_id, p.asked_by, p.saga_id, p.step, p.detail, p.tries, p.next_at, p.claimed_until, p.created_at,
            p.step_minor
       FROM payment AS p
       JOIN rows($1: tenant_id text, order_id text) AS r ON p.tenant_id = r.tenant_id AND p.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_payments",
    "INSERT INTO payment rows($1: tenant_id text, order_id text, payment_id text, line_no bigint, kind text,
       gateway text, token text, gateway_reference text, state text, amount_minor bigint,
       authorised_minor bigint, captured_minor bigint, voided_minor bigint, external bigint, proof text,
       stated_minor bigint, capture_now bigint, abandoned bigint, shared_payment_id text, asked_by text,
       saga_id text, step text, detail text, tries bigint, next_at bigint, claimed_until bigint,
       created_at text, step_minor bigint)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_payments",
    "UPDATE payment SET rows($1: tenant_id text, order_id text, payment_id text | gateway_reference text,
       state text, authorised_minor bigint, captured_minor bigint, voided_minor bigint, proof text,
       abandoned bigint, detail text, tries bigint, next_at bigint, claimed_until bigint)",
);

pub async fn load(
    tx: &mut Tx,
    orders: &Rows,
    accounts: &mut BTreeMap<OrderKey, Account>,
) -> Result<(), DbError> {
    for row in tx.fetch_all(&LOAD, values![orders.clone()]).await? {
        if let Some(account) = accounts.get_mut(&order_key(&row)?) {
            let payment = payment(&row)?;
            account.payments.insert(payment.payment_id.clone(), payment);
        }
    }
    Ok(())
}

pub async fn flush(tx: &mut Tx, accounts: &Table<OrderKey, Account>) -> Result<(), DbError> {
    let changes = Changes::of(accounts, |account| &account.payments);
    changes.insert(tx, &INSERT, new_row).await?;
    changes.update(tx, &UPDATE, changed_row).await
}

fn payment(row: &Row) -> Result<Payment, DbError> {
    Ok(Payment {
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        line_no: row.int("line_no")?,
        kind: row.named("kind", Kind::parse)?,
        gateway: row.text("gateway")?,
        token: row.text("token")?,
        gateway_reference: row.text("gateway_reference")?,
        state: row.named("state", State::parse)?,
        amount_minor: row.int("amount_minor")?,
        authorised_minor: row.int("authorised_minor")?,
        captured_minor: row.int("captured_minor")?,
        voided_minor: row.int("voided_minor")?,
        external: row.int("external")? == 1,
        proof: row.named("proof", Proof::parse)?,
        stated_minor: row.int("stated_minor")?,
        capture_now: row.int("capture_now")? == 1,
        abandoned: row.int("abandoned")? == 1,
        shared_payment_id: row.parsed("shared_payment_id", |text| or_none(text, PaymentId::parse))?,
        origin: origin(row)?,
        detail: row.text("detail")?,
        schedule: schedule(row)?,
        created_at: row.timestamp("created_at")?,
        step_minor: row.int("step_minor")?,
    })
}

fn new_row((tenant, order_id): &OrderKey, payment: &Payment) -> Record {
    let (asked_by, saga_id, step) = payment.origin.columns();
    record! {
        tenant_id: tenant,
        order_id: order_id,
        payment_id: &payment.payment_id,
        line_no: payment.line_no,
        kind: payment.kind.as_str(),
        gateway: &payment.gateway,
        token: &payment.token,
        gateway_reference: &payment.gateway_reference,
        state: payment.state.as_str(),
        amount_minor: payment.amount_minor,
        authorised_minor: payment.authorised_minor,
        captured_minor: payment.captured_minor,
        voided_minor: payment.voided_minor,
        external: i64::from(payment.external),
        proof: payment.proof.as_str(),
        stated_minor: payment.stated_minor,
        capture_now: i64::from(payment.capture_now),
        abandoned: i64::from(payment.abandoned),
        shared_payment_id: or_empty(payment.shared_payment_id.as_ref()),
        asked_by: asked_by,
        saga_id: saga_id,
        step: step,
        detail: &payment.detail,
        tries: payment.schedule.tries,
        next_at: payment.schedule.next_at,
        claimed_until: payment.schedule.claimed_until,
        created_at: payment.created_at,
        step_minor: payment.step_minor,
    }
}

fn changed_row((tenant, order_id): &OrderKey, payment: &Payment) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order_id,
        payment_id: &payment.payment_id,
        gateway_reference: &payment.gateway_reference,
        state: payment.state.as_str(),
        authorised_minor: payment.authorised_minor,
        captured_minor: payment.captured_minor,
        voided_minor: payment.voided_minor,
        proof: payment.proof.as_str(),
        abandoned: i64::from(payment.abandoned),
        detail: &payment.detail,
        tries: payment.schedule.tries,
        next_at: payment.schedule.next_at,
        claimed_until: payment.schedule.claimed_until,
    }
}
