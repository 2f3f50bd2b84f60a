//! A step's message, parsed into what the service can commit.

use kit::step;
use proto::payment::v1 as wire;
use proto::payment::v1::refund_command::Command as Wire;
use storage::{Direction, StepCall};
use types::{ChangeOrderId, Currency, OrderId, PaymentId, Reason, Refusal};

use super::convert::{GATEWAY_MAX, TOKEN_MAX, amount, id, name};
use super::terms;
use crate::domain::{ExternalPayment, Opening, Tender};
use crate::ops::command::{Deed, Step};

/// Tenders and payments made elsewhere, together.
const TENDERS_MAX: usize = 64;

/// The steps that forward steps complete, as the definitions of sagas name them.
const AUTHORISE_PAYMENTS: &str = "authorise_payments";
const RESERVE_REFUND: &str = "reserve_refund";

pub fn parse(request: &wire::RunRefundStepRequest) -> Result<Step, Refusal> {
    let context = step::parse(request.context.as_ref())?;
    let message = request.command.as_ref().ok_or_else(|| missing("command"))?;
    let command = message.command.as_ref().ok_or_else(|| missing("command.command"))?;
    let (order_id, deed) = parse_command(command)?;
    if direction(&deed) != context.direction {
        let message = format!("{} is not called in this direction", context.step);
        return Err(Refusal::new(Reason::FieldInvalid, message).field("context.direction"));
    }
    let request_hash = step::request_hash(&context, message);
    let completes = completes(&deed);
    Ok(Step { call: StepCall { context, request_hash, completes }, order_id, deed })
}

fn parse_command(command: &Wire) -> Result<(OrderId, Deed), Refusal> {
    let order = |text: &str| id("order_id", text, OrderId::parse);
    match command {
        Wire::AuthorisePayments(command) => {
            let opening = parse_opening(command)?;
            let order_id = opening.order_id.clone();
            if command.change_order_id.is_empty() {
                return Ok((order_id, Deed::AuthorisePayments(opening)));
            }
            let change_order_id = id("change_order_id", &command.change_order_id, ChangeOrderId::parse)?;
            Ok((order_id, Deed::ReopenPayments { opening, change_order_id }))
        }
        Wire::VoidAuthorisations(command) => Ok((order(&command.order_id)?, Deed::VoidAuthorisations)),
        Wire::CapturePayments(command) => Ok((order(&command.order_id)?, Deed::CapturePayments)),
        Wire::ReserveRefund(command) => Ok((order(&command.order_id)?, parse_reservation(command)?)),
        Wire::ReleaseRefund(command) => Ok((order(&command.order_id)?, Deed::ReleaseRefund)),
        Wire::SettleRefund(command) => {
            Ok((order(&command.order_id)?, Deed::SettleRefund { by_hand: terms::by_hand(command)? }))
        }
    }
}

fn parse_reservation(command: &wire::ReserveRefund) -> Result<Deed, Refusal> {
    let fees = amount("fees_minor", command.fees_minor)?;
    // More was taken off than the order came to: it comes to nothing, not to less.
    let target = command.new_total_minor.saturating_add(fees).max(0);
    Ok(Deed::ReserveRefund {
        change_order_id: id("change_order_id", &command.change_order_id, ChangeOrderId::parse)?,
        target_minor: amount("new_total_minor", target)?,
        move_no_money: command.move_no_money,
        worth_version: worth_version(command.worth_version)?,
        terms: terms::parse(command)?,
    })
}

fn parse_opening(command: &wire::AuthorisePayments) -> Result<Opening, Refusal> {
    let currency = Currency::parse(&command.currency_code)
        .map_err(|error| Refusal::from(error).field("currency_code"))?;
    if command.tenders.len() + command.external_payments.len() > TENDERS_MAX {
        let refusal =
            Refusal::new(Reason::FieldInvalid, format!("an order has at most {TENDERS_MAX} payments"));
        return Err(refusal.field("tenders"));
    }
    let tenders = command.tenders.iter().enumerate().map(|(place, tender)| parse_tender(place, tender));
    let external = command.external_payments.iter().enumerate();
    let opening = Opening {
        order_id: id("order_id", &command.order_id, OrderId::parse)?,
        currency,
        total_minor: amount("total_minor", command.total_minor)?,
        tenders: tenders.collect::<Result<_, _>>()?,
        external_payments: external
            .map(|(place, payment)| parse_external(place, payment))
            .collect::<Result<_, _>>()?,
        pay_later: command.pay_later,
        worth_version: worth_version(command.worth_version)?,
    };
    refuse_duplicates(&opening)?;
    Ok(opening)
}

/// The order counts its decisions from 1.
fn worth_version(number: i64) -> Result<i64, Refusal> {
    if number >= 1 {
        return Ok(number);
    }
    Err(Refusal::new(Reason::FieldInvalid, "the order's decisions are counted from 1").field("worth_version"))
}

fn parse_tender(place: usize, tender: &wire::AuthoriseTender) -> Result<Tender, Refusal> {
    let at = |field: &str| format!("tenders[{place}].{field}");
    Ok(Tender {
        payment_id: id(&at("payment_id"), &tender.payment_id, PaymentId::parse)?,
        gateway: name(&at("gateway"), GATEWAY_MAX, &tender.gateway)?,
        token: name(&at("payment_token"), TOKEN_MAX, &tender.payment_token)?,
        amount_minor: amount(&at("amount_minor"), tender.amount_minor)?,
        capture_now: tender.capture_now,
        part: None,
    })
}

fn parse_external(place: usize, payment: &wire::RecordExternalPayment) -> Result<ExternalPayment, Refusal> {
    let at = |field: &str| format!("external_payments[{place}].{field}");
    let authorised = amount(&at("authorised_minor"), payment.authorised_minor)?;
    let captured = amount(&at("captured_minor"), payment.captured_minor)?;
    if authorised > 0 && captured > authorised {
        let refusal = Refusal::new(Reason::AmountOutOfRange, "more is captured than was authorised");
        return Err(refusal.field(at("captured_minor")));
    }
    Ok(ExternalPayment {
        payment_id: id(&at("payment_id"), &payment.payment_id, PaymentId::parse)?,
        gateway: name(&at("gateway"), GATEWAY_MAX, &payment.gateway)?,
        reference: name(&at("reference"), TOKEN_MAX, &payment.reference)?,
        // A transfer or cash is never authorised first: what came in was agreed to.
        authorised_minor: authorised.max(captured),
        captured_minor: captured,
        attested: payment.attested,
    })
}

fn refuse_duplicates(opening: &Opening) -> Result<(), Refusal> {
    let tenders = opening.tenders.iter().map(|tender| &tender.payment_id);
    let ids = tenders.chain(opening.external_payments.iter().map(|payment| &payment.payment_id));
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            let refusal = Refusal::new(Reason::FieldInvalid, "two payments have the same id");
            return Err(refusal.field("tenders").detail("payment_id", id));
        }
    }
    Ok(())
}

fn direction(deed: &Deed) -> Direction {
    match deed {
        Deed::AuthorisePayments(_)
        | Deed::ReopenPayments { .. }
        | Deed::CapturePayments
        | Deed::ReserveRefund { .. }
        | Deed::SettleRefund { .. } => Direction::Do,
        Deed::VoidAuthorisations | Deed::ReleaseRefund => Direction::Undo,
    }
}

fn completes(deed: &Deed) -> Option<&'static str> {
    match deed {
        Deed::CapturePayments => Some(AUTHORISE_PAYMENTS),
        Deed::SettleRefund { .. } => Some(RESERVE_REFUND),
        Deed::AuthorisePayments(_)
        | Deed::ReopenPayments { .. }
        | Deed::VoidAuthorisations
        | Deed::ReserveRefund { .. }
        | Deed::ReleaseRefund => None,
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::new(Reason::FieldRequired, format!("{field} is missing")).field(field)
}
