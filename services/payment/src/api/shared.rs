//! Payments that several orders share: written down, and shown with their parts.

use std::time::Duration;

use kit::Failure;
use proto::payment::v1 as wire;
use storage::Database;
use types::{Currency, PaymentId, Reason, Refusal, Tenant, Timestamp};

use super::convert::{self, GATEWAY_MAX, TOKEN_MAX};
use crate::domain::gateway::{PartialCapture, Reading};
use crate::domain::payment::Kind;
use crate::domain::shared::SharedPayment;
use crate::ports::gateway::Gateways;
use crate::store::{account, adoption, shared_payment};

/// Writes one down. The gateway's reference makes a repeat the same one.
pub async fn record(
    database: &Database,
    (gateways, patience): (&Gateways, Duration),
    tenant: &Tenant,
    request: &wire::RecordSharedPaymentRequest,
    minted: (PaymentId, Timestamp),
) -> Result<wire::SharedPayment, Failure> {
    let wanted = parse(request, minted)?;
    may_be_shared(gateways, &wanted)?;
    let mut tx = database.read().await?;
    let known = shared_payment::named(&mut tx, tenant, &wanted).await;
    tx.rollback().await;
    let kept = match known? {
        Some(known) => known,
        None => write_down(database, (gateways, patience), tenant, wanted.clone()).await?,
    };
    let same = (kept.currency, kept.authorised_minor, kept.captured)
        == (wanted.currency, wanted.authorised_minor, wanted.captured);
    if !same {
        let refusal =
            Refusal::new(Reason::StateConflict, "this payment is shared already, with other amounts");
        return Err(refusal.detail("shared_payment_id", &kept.shared_payment_id).into());
    }
    show(database, tenant, &kept.shared_payment_id).await
}

/// The whole is read at the gateway once, before any order has a part of it.
async fn write_down(
    database: &Database,
    (gateways, patience): (&Gateways, Duration),
    tenant: &Tenant,
    wanted: SharedPayment,
) -> Result<SharedPayment, Failure> {
    let read = gateways.read(tenant, &wanted.gateway, &wanted.gateway_reference);
    let read = tokio::time::timeout(patience, read).await;
    let holding = match read {
        Ok(Reading::Holds(holding)) => holding,
        Ok(Reading::Refuted { detail }) => return Err(not_verified(&wanted, &detail).into()),
        Ok(Reading::Silent { detail }) => return Err(Refusal::new(Reason::OutcomeUnknown, detail).into()),
        Err(_) => {
            let message = "the gateway did not answer in time";
            return Err(Refusal::new(Reason::OutcomeUnknown, message).into());
        }
    };
    if let Some(detail) = wanted.disproof(tenant, &holding) {
        return Err(not_verified(&wanted, &detail).into());
    }
    let wanted = SharedPayment { gateway_reference: holding.reference, ..wanted };
    let place = (gateways.account(&wanted.gateway).to_owned(), wanted.gateway_reference.clone());
    let kept = database
        .write("payment.record_shared_payment", |mut tx| {
            let (tenant, wanted, place) = (tenant.clone(), wanted.clone(), place.clone());
            async move {
                let free = adoption::take(&mut tx, place, &tenant, &wanted.shared_payment_id).await?;
                let kept = if free {
                    Some(shared_payment::record(&mut tx, &tenant, &wanted).await?)
                } else {
                    // It may be this very one, under another of its names.
                    shared_payment::named(&mut tx, &tenant, &wanted).await?
                };
                Ok((tx, kept))
            }
        })
        .await?;
    let elsewhere = || not_verified(&wanted, "an order has this payment already, or somebody else shares it");
    kept.ok_or_else(|| elsewhere().into())
}

fn not_verified(wanted: &SharedPayment, detail: &str) -> Refusal {
    Refusal::new(Reason::PaymentNotVerified, "the payment is not what it was said to be")
        .field("gateway_reference")
        .detail("gateway", &wanted.gateway)
        .detail("gateway_detail", detail)
}

pub async fn show(
    database: &Database,
    tenant: &Tenant,
    shared_payment_id: &PaymentId,
) -> Result<wire::SharedPayment, Failure> {
    let mut tx = database.read().await?;
    let found = shared_payment::find(&mut tx, tenant, shared_payment_id).await?;
    let shared = found.ok_or_else(|| Failure::not_found("shared payment", shared_payment_id.as_str()))?;
    let parts = shared_payment::parts(&mut tx, tenant, shared_payment_id).await?;
    let orders = parts.iter().map(|(order_id, _)| (tenant.clone(), order_id.clone())).collect();
    let accounts = account::read(&mut tx, &orders).await?;
    tx.rollback().await;
    let shown = parts.iter().filter_map(|(order_id, payment_id)| {
        let account = accounts.get(&(tenant.clone(), order_id.clone()))?;
        Some(convert::payment(account, account.payments.get(payment_id)?))
    });
    Ok(wire::SharedPayment {
        shared_payment_id: shared.shared_payment_id.to_string(),
        gateway: shared.gateway,
        gateway_reference: shared.gateway_reference,
        currency_code: shared.currency.code().to_owned(),
        authorised_minor: shared.authorised_minor,
        captured: shared.captured,
        allotted_minor: shared.allotted_minor,
        captured_minor: shared.captured_minor,
        voided_minor: shared.voided_minor,
        refunded_minor: shared.refunded_minor,
        created_at: shared.created_at.to_string(),
        parts: shown.collect(),
    })
}

fn parse(
    request: &wire::RecordSharedPaymentRequest,
    (shared_payment_id, created_at): (PaymentId, Timestamp),
) -> Result<SharedPayment, Refusal> {
    let money = convert::money("authorised_minor", &request.currency_code, request.authorised_minor)?;
    if !money.is_positive() {
        let refusal = Refusal::new(Reason::AmountOutOfRange, "what is shared is more than nothing");
        return Err(refusal.field("authorised_minor"));
    }
    let currency: Currency = money.currency();
    Ok(SharedPayment {
        shared_payment_id,
        gateway: convert::name("gateway", GATEWAY_MAX, &request.gateway)?,
        gateway_reference: convert::name("gateway_reference", TOKEN_MAX, &request.gateway_reference)?,
        currency,
        authorised_minor: money.minor(),
        captured: request.captured,
        allotted_minor: 0,
        captured_minor: 0,
        voided_minor: 0,
        refunded_minor: 0,
        created_at,
    })
}

/// Where the first capture drops what is left of an authorisation, one order's capture would take the others' away.
fn may_be_shared(gateways: &Gateways, wanted: &SharedPayment) -> Result<(), Refusal> {
    gateways.check(&wanted.gateway)?;
    let ours = Kind::named(&wanted.gateway) != Kind::Gateway;
    let drops = gateways
        .capabilities(&wanted.gateway)
        .is_some_and(|able| able.partial_capture == PartialCapture::DropsTheRest);
    if ours || (drops && !wanted.captured) {
        let message =
            "this gateway gives the rest back with the first capture, or is none: share what is captured";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("gateway"));
    }
    Ok(())
}
