//! What a test or a demonstration tells the simulator to do.

use axum::extract::{Path, State};
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use types::{Currency, OrderId, PaymentId};

use super::script::{FAULTS_MAX, Fault};
use super::webhooks::{Delivery, Endpoint};
use super::{Face, Refused, Unreadable, tenant};
use crate::domain::gateway::{DisputeState, FoundDispute};
use crate::ports::sandbox::{Charge, ChargeRefused, Disputed, End};

/// How often one webhook is brought at most.
const COPIES_MAX: usize = 100;
/// The largest amount that the books take.
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

pub fn router() -> Router<Face> {
    Router::new()
        .route("/faults", post(faults))
        .route("/refunds/{key}/end", post(end_refund))
        .route("/charges", post(charge))
        .route("/payments/{payment_id}/refunds", post(refund))
        .route("/payments/{payment_id}/disputes", post(dispute))
        .route("/webhooks", put(webhooks))
        .route("/webhooks/deliver", post(deliver))
}

#[derive(Deserialize)]
struct Faults {
    fault: String,
    #[serde(default = "one")]
    times: usize,
}

#[derive(Deserialize)]
struct Ending {
    /// `succeeded`, `failed` or `failed_after`.
    outcome: String,
}

#[derive(Deserialize)]
struct SideRefund {
    reference: String,
    amount_minor: i64,
}

/// What another system has charged; the tenant and the order are its metadata.
#[derive(Deserialize)]
struct Elsewhere {
    reference: String,
    currency: String,
    authorised_minor: i64,
    captured_minor: i64,
    tenant: Option<String>,
    order_id: Option<String>,
}

#[derive(Deserialize)]
struct Dispute {
    reference: String,
    amount_minor: i64,
    /// `open`, `won` or `lost`.
    state: String,
}

#[derive(Deserialize)]
struct Webhooks {
    url: String,
    secrets: Vec<String>,
    #[serde(default)]
    at_once: bool,
}

#[derive(Deserialize)]
struct Bring {
    #[serde(default)]
    reversed: bool,
    #[serde(default = "one")]
    copies: usize,
}

fn one() -> usize {
    1
}

async fn faults(
    State(face): State<Face>,
    Path(of): Path<String>,
    Json(asked): Json<Faults>,
) -> Result<(), Refused> {
    let fault = Fault::parse(&asked.fault).ok_or(Unreadable("the fault"))?;
    let room = asked.times <= FAULTS_MAX && face.script.add(tenant(&of)?, fault, asked.times);
    if room { Ok(()) } else { Err(Refused::Conflict("there is no room for so many faults")) }
}

async fn end_refund(
    State(face): State<Face>,
    Path((of, key)): Path<(String, String)>,
    Json(ending): Json<Ending>,
) -> Result<(), Refused> {
    let end = End::parse(&ending.outcome).ok_or(Unreadable("the outcome"))?;
    if !face.sandbox.end_refund(&tenant(&of)?, &key, end).await? {
        return Err(Refused::Conflict("no such refund is in a state that ends so"));
    }
    face.tell_changes().await?;
    Ok(())
}

async fn charge(
    State(face): State<Face>,
    Path(of): Path<String>,
    Json(asked): Json<Elsewhere>,
) -> Result<(), Refused> {
    tenant(&of)?;
    let authorised_minor = amount(asked.authorised_minor)?;
    if !(0..=authorised_minor).contains(&asked.captured_minor) {
        return Err(Unreadable("captured_minor").into());
    }
    let charge = Charge {
        reference: reference(&asked.reference)?.to_owned(),
        currency: Currency::parse(&asked.currency).map_err(|_| Unreadable("currency"))?,
        authorised_minor,
        captured_minor: asked.captured_minor,
        refunded_minor: 0,
        tenant: asked.tenant.as_deref().map(tenant).transpose()?,
        order_id: asked
            .order_id
            .as_deref()
            .map(OrderId::parse)
            .transpose()
            .map_err(|_| Unreadable("order_id"))?,
    };
    match face.sandbox.charge_elsewhere(&[charge]).await {
        Ok(()) => Ok(()),
        Err(ChargeRefused::NameTaken(_)) => Err(Refused::Conflict("another charge has this name")),
        Err(ChargeRefused::Database(problem)) => Err(problem.into()),
    }
}

async fn refund(
    State(face): State<Face>,
    Path((of, payment_id)): Path<(String, String)>,
    Json(refund): Json<SideRefund>,
) -> Result<(), Refused> {
    let (tenant, payment_id) = (tenant(&of)?, payment(&payment_id)?);
    let (reference, amount_minor) = (reference(&refund.reference)?, amount(refund.amount_minor)?);
    face.sandbox.refund_at_dashboard(&tenant, &payment_id, reference, amount_minor).await?;
    face.courier.tell_side_refund(&tenant, payment_id.as_str(), reference).await?;
    Ok(())
}

async fn dispute(
    State(face): State<Face>,
    Path((of, payment_id)): Path<(String, String)>,
    Json(asked): Json<Dispute>,
) -> Result<(), Refused> {
    let (tenant, payment_id) = (tenant(&of)?, payment(&payment_id)?);
    let dispute = FoundDispute {
        gateway_reference: reference(&asked.reference)?.to_owned(),
        amount_minor: amount(asked.amount_minor)?,
        state: DisputeState::parse(&asked.state).ok_or(Unreadable("the dispute's state"))?,
    };
    let disputed = Disputed { payment_id, dispute };
    face.sandbox.dispute(&tenant, &disputed).await?;
    face.courier.tell_dispute(&tenant, &disputed).await?;
    Ok(())
}

async fn webhooks(
    State(face): State<Face>,
    Path(of): Path<String>,
    Json(asked): Json<Webhooks>,
) -> Result<(), Refused> {
    let Webhooks { url, secrets, at_once } = asked;
    face.set_endpoint(tenant(&of)?, Endpoint { url, secrets, at_once });
    Ok(())
}

async fn deliver(
    State(face): State<Face>,
    Path(of): Path<String>,
    Json(bring): Json<Bring>,
) -> Result<Json<Value>, Refused> {
    let delivery = Delivery { reversed: bring.reversed, copies: bring.copies.min(COPIES_MAX) };
    let statuses = face.courier.deliver(&tenant(&of)?, delivery).await?;
    Ok(Json(json!({ "statuses": statuses })))
}

fn payment(text: &str) -> Result<PaymentId, Refused> {
    PaymentId::parse(text).map_err(|_| Unreadable("the payment").into())
}

/// References are shown to people and stand in paths.
fn reference(text: &str) -> Result<&str, Refused> {
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if clean && (1..=64).contains(&text.len()) { Ok(text) } else { Err(Unreadable("the reference").into()) }
}

fn amount(amount_minor: i64) -> Result<i64, Refused> {
    let range = 1..=AMOUNT_MAX;
    if range.contains(&amount_minor) { Ok(amount_minor) } else { Err(Unreadable("the amount").into()) }
}
