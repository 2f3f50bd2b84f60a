//! Payments that several orders share: parsed, and shown with their parts.

use proto::payment::v1 as wire;
use types::{Currency, PaymentId, Reason, Refusal, Timestamp};

use super::convert::{self, GATEWAY_MAX, TOKEN_MAX};
use crate::domain::shared::SharedPayment;
use crate::ops::reads::Shares;

pub fn shown(Shares { shared, parts }: Shares) -> wire::SharedPayment {
    let shown =
        parts.iter().map(|(account, payment_id)| convert::payment(account, account.payment(payment_id)));
    wire::SharedPayment {
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
    }
}

pub fn parse(
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
