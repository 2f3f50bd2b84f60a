//! How a change wants its money given back, parsed.

use proto::payment::v1 as wire;
use proto::payment::v1::RefundStrategy;
use types::{Fingerprint, PaymentId, Reason, RefundId, Refusal};

use super::convert::{TOKEN_MAX, amount, id, name};
use crate::domain::refund::Resolution;
use crate::domain::split::{Named, Strategy};
use crate::domain::{Parts, PayOut, Quoted, Terms, Way};

/// Tenders that EXPLICIT may name: as many as an order has.
const NAMED_MAX: usize = 64;

pub fn parse(command: &wire::ReserveRefund) -> Result<Terms, Refusal> {
    Ok(Terms {
        strategy: strategy(command.strategy, &command.tenders)?,
        force: command.force,
        store_credit_fallback: command.store_credit_fallback,
        allow_over_refund: command.allow_over_refund,
        pay_out: command.pay_out.as_ref().map(pay_out).transpose()?,
        quoted: command.quoted.as_ref().map(quoted).transpose()?,
        parts: parts(command.parts.as_ref())?,
        retry_of: match command.retry_of.as_str() {
            "" => None,
            failed => Some(id("retry_of", failed, RefundId::parse)?),
        },
    })
}

/// Terms of a forecast, which divides and promises nothing.
pub fn foreseen(
    number: i32,
    tenders: &[wire::ExplicitTender],
    allow_over_refund: bool,
    paid_out: Option<&wire::PayOut>,
) -> Result<Terms, Refusal> {
    let pay_out = paid_out.map(pay_out).transpose()?;
    Ok(Terms { strategy: strategy(number, tenders)?, allow_over_refund, pay_out, ..Terms::default() })
}

fn quoted(promised: &wire::QuotedRefund) -> Result<Quoted, Refusal> {
    let fingerprint = Fingerprint::parse(&promised.fingerprint)
        .map_err(|error| Refusal::new(Reason::FieldInvalid, error.to_string()).field("quoted.fingerprint"))?;
    Ok(Quoted { amount_minor: amount("quoted.amount_minor", promised.amount_minor)?, fingerprint })
}

fn pay_out(asked: &wire::PayOut) -> Result<PayOut, Refusal> {
    let way = match asked.way() {
        wire::PayOutWay::Unspecified | wire::PayOutWay::Tenders => Way::Tenders,
        wire::PayOutWay::StoreCredit => Way::StoreCredit,
        wire::PayOutWay::ByHand => Way::ByHand,
    };
    let asked = amount("pay_out.amount_minor", asked.amount_minor)?;
    Ok(PayOut { amount_minor: (asked > 0).then_some(asked), way })
}

/// How a person pays; none where nobody does.
pub fn by_hand(command: &wire::SettleRefund) -> Result<Option<Resolution>, Refusal> {
    if command.by_hand_reference.is_empty() {
        return Ok(None);
    }
    let reference = name("by_hand_reference", TOKEN_MAX, &command.by_hand_reference)?;
    Ok(Some(Resolution { reference, note: command.by_hand_note.clone() }))
}

fn strategy(number: i32, tenders: &[wire::ExplicitTender]) -> Result<Strategy, Refusal> {
    let strategy = RefundStrategy::try_from(number).map_err(|_| {
        let refusal = Refusal::new(Reason::FieldInvalid, format!("{number} is not a refund strategy"));
        refusal.field("strategy")
    })?;
    let explicit = strategy == RefundStrategy::Explicit;
    if explicit == tenders.is_empty() {
        let message = "tenders are named for EXPLICIT, and for no other strategy";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("tenders"));
    }
    Ok(match strategy {
        RefundStrategy::Unspecified | RefundStrategy::Lifo => Strategy::Lifo,
        RefundStrategy::Fifo => Strategy::Fifo,
        RefundStrategy::Proportional => Strategy::Proportional,
        RefundStrategy::ExactThenSmallestSufficient => Strategy::ExactThenSmallestSufficient,
        RefundStrategy::Explicit => Strategy::Explicit(named(tenders)?),
    })
}

fn named(tenders: &[wire::ExplicitTender]) -> Result<Vec<Named>, Refusal> {
    if tenders.len() > NAMED_MAX {
        let message = format!("at most {NAMED_MAX} tenders can be named");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("tenders"));
    }
    let mut named: Vec<Named> = Vec::with_capacity(tenders.len());
    for (place, tender) in tenders.iter().enumerate() {
        let at = |field: &str| format!("tenders[{place}].{field}");
        let payment_id = id(&at("payment_id"), &tender.payment_id, PaymentId::parse)?;
        if named.iter().any(|known| known.payment_id == payment_id) {
            let refusal = Refusal::new(Reason::FieldInvalid, "a tender is named twice");
            return Err(refusal.field(at("payment_id")).detail("payment_id", payment_id));
        }
        named.push(Named { payment_id, amount_minor: amount(&at("amount_minor"), tender.amount_minor)? });
    }
    Ok(named)
}

fn parts(parts: Option<&wire::PriceParts>) -> Result<Parts, Refusal> {
    let parts = parts.copied().unwrap_or_default();
    Ok(Parts {
        gross_minor: amount("parts.gross_minor", parts.gross_minor)?,
        discount_minor: amount("parts.discount_minor", parts.discount_minor)?,
        tax_minor: amount("parts.tax_minor", parts.tax_minor)?,
        shipping_minor: amount("parts.shipping_minor", parts.shipping_minor)?,
        shipping_tax_minor: amount("parts.shipping_tax_minor", parts.shipping_tax_minor)?,
        fee_minor: amount("parts.fee_minor", parts.fee_minor)?,
        included_tax_minor: amount("parts.included_tax_minor", parts.included_tax_minor)?,
    })
}
