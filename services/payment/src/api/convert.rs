//! Parsing and rendering that the RPCs share.

use proto::payment::v1 as wire;
use types::{IdError, Money, Reason, Refusal};

use crate::domain::payment::{Kind, Proof, State};
use crate::domain::refund::Method;
use crate::domain::{Account, Explanation, Payment, Refund};
use crate::wire as reply;

/// The longest name of a gateway.
pub const GATEWAY_MAX: usize = 64;
/// The longest payment token or reference.
pub const TOKEN_MAX: usize = 256;

pub fn id<T>(field: &str, text: &str, parse: impl Fn(&str) -> Result<T, IdError>) -> Result<T, Refusal> {
    parse(text).map_err(|error| Refusal::from(error).field(field))
}

/// An id that may be left out.
pub fn optional_id<T>(
    field: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { id(field, text, parse).map(Some) }
}

/// Visible ASCII of a limited length: names, tokens and references of our own and other systems.
pub fn name(field: &str, limit: usize, text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(Reason::FieldRequired, format!("{field} is empty")).field(field));
    }
    if text.len() > limit {
        let refusal = Refusal::new(Reason::FieldTooLong, format!("{field} has more than {limit} characters"));
        return Err(refusal.field(field).detail("limit", limit));
    }
    if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || text.trim() != text {
        let message = format!("{field} must be printable ASCII without a blank at either end");
        return Err(Refusal::new(Reason::FieldInvalid, message).field(field));
    }
    Ok(text.to_owned())
}

/// An amount of zero or more, within what can be counted.
pub fn amount(field: &str, minor: i64) -> Result<i64, Refusal> {
    if !(0..=types::money::AMOUNT_MINOR_MAX).contains(&minor) {
        let message = format!("{field} is 0 to {} minor units", types::money::AMOUNT_MINOR_MAX);
        return Err(Refusal::new(Reason::AmountOutOfRange, message).field(field).detail("given", minor));
    }
    Ok(minor)
}

pub fn money(field: &str, code: &str, minor: i64) -> Result<Money, Refusal> {
    Money::parse(code, minor).map_err(|error| Refusal::from(error).field(field))
}

pub fn payment(account: &Account, payment: &Payment) -> wire::Payment {
    wire::Payment {
        payment_id: payment.payment_id.to_string(),
        order_id: account.order_id.to_string(),
        gateway: payment.gateway.clone(),
        gateway_reference: payment.gateway_reference.clone(),
        state: payment_state(payment.state).into(),
        currency_code: account.currency.code().to_owned(),
        authorised_minor: payment.authorised_minor,
        captured_minor: payment.captured_minor,
        refunded_minor: account.confirmed_of(&payment.payment_id),
        returning_minor: account.refunded_of(&payment.payment_id) - account.confirmed_of(&payment.payment_id),
        voided_minor: payment.voided_minor,
        external: payment.external,
        created_at: payment.created_at.to_string(),
        kind: tender_kind(payment.kind).into(),
        disputed_minor: account
            .disputed_minor(|dispute| dispute.payment_id == payment.payment_id && dispute.counts()),
        shared_payment_id: payment.shared_payment_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        proof: proof(payment.proof).into(),
    }
}

fn proof(proof: Proof) -> wire::PaymentProof {
    match proof {
        Proof::Known => wire::PaymentProof::Known,
        Proof::Attested => wire::PaymentProof::Attested,
        Proof::Reading => wire::PaymentProof::Reading,
    }
}

pub fn payment_state(state: State) -> wire::PaymentState {
    match state {
        State::Authorising => wire::PaymentState::Authorising,
        State::Authorised => wire::PaymentState::Authorised,
        State::Capturing => wire::PaymentState::Capturing,
        State::PartiallyCaptured => wire::PaymentState::PartiallyCaptured,
        State::Captured => wire::PaymentState::Captured,
        State::Voided => wire::PaymentState::Voided,
        State::Declined => wire::PaymentState::Declined,
    }
}

pub fn tender_kind(kind: Kind) -> wire::TenderKind {
    match kind {
        Kind::Gateway => wire::TenderKind::Gateway,
        Kind::GiftCard => wire::TenderKind::GiftCard,
        Kind::StoreCredit => wire::TenderKind::StoreCredit,
        Kind::Offline => wire::TenderKind::Offline,
    }
}

/// A refund with its explanation.
pub fn refund(account: &Account, refund: &Refund) -> wire::Refund {
    wire::Refund {
        refund_id: refund.refund_id.to_string(),
        order_id: account.order_id.to_string(),
        change_order_id: refund.change_order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        payment_id: refund.payment_id.to_string(),
        capture_id: refund.capture_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        kind: reply::kind(refund.kind).into(),
        state: reply::state(refund.state).into(),
        currency_code: account.currency.code().to_owned(),
        amount_minor: refund.amount_minor,
        gateway_detail: refund.detail.clone(),
        gateway_reference: refund.gateway_reference.clone(),
        created_at: refund.created_at.to_string(),
        updated_at: refund.updated_at.to_string(),
        saga_id: refund.saga_id.clone(),
        retry_of: refund.retry_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        method: method(refund.method).into(),
        resolution_reference: refund.resolution.reference.clone(),
        resolution_note: refund.resolution.note.clone(),
        explanation: Some(explanation(account.explain(refund))),
    }
}

fn method(method: Method) -> wire::RefundMethod {
    match method {
        Method::Tender => wire::RefundMethod::Tender,
        Method::StoreCredit => wire::RefundMethod::StoreCredit,
    }
}

fn explanation(explanation: Explanation) -> wire::RefundExplanation {
    let parts = explanation.parts;
    let tenders = explanation.tenders.into_iter().map(|leg| wire::TenderShare {
        payment_id: leg.payment_id.to_string(),
        refund_id: leg.refund_id.to_string(),
        amount_minor: leg.amount_minor,
    });
    wire::RefundExplanation {
        gross_minor: parts.gross_minor,
        discount_minor: parts.discount_minor,
        tax_minor: parts.tax_minor,
        shipping_minor: parts.shipping_minor,
        shipping_tax_minor: parts.shipping_tax_minor,
        fee_minor: parts.fee_minor,
        included_tax_minor: parts.included_tax_minor,
        remainder_minor: explanation.remainder_minor,
        carried_minor: explanation.carried_minor,
        elsewhere_minor: explanation.elsewhere_minor,
        over_minor: explanation.over_minor,
        tenders: tenders.collect(),
    }
}
