//! Accepting a change: from here on the order is held for it, and nothing is decided yet.

use types::{ChangeOrderId, Money, Reason, Refusal, SagaId, Timestamp};

use super::move_units;
use crate::domain::cancelability::{self, POLICY_VERSION};
use crate::domain::change::{ChangeOrder, ChangeRequest, ChangeState, LabelAction};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order};
use crate::domain::placing::human_number;
use crate::domain::pricing::{PricedChange, price_change};
use crate::domain::quantities::Quantities;
use crate::domain::quote::{self, QuoteKey};

/// The rule of the default policy that lets a change through.
const RULE: &str = "open-units-may-be-cancelled";

/// A change that is submitted, with the ids it will have if it is accepted.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    pub request: &'a ChangeRequest,
    /// The quote it was submitted with, and the key to read it.
    pub quote: Option<(&'a QuoteKey, &'a str)>,
    pub change_order_id: ChangeOrderId,
    /// The saga that will carry it: its own, or the place saga while the order is being placed.
    pub saga_id: SagaId,
    pub actor: Actor,
    pub now: Timestamp,
}

/// Prices a change as it would be accepted now. Nothing happens.
pub fn preview(order: &Order, request: &ChangeRequest) -> Result<PricedChange, Refusal> {
    cancelability::may_preview(order)?;
    label_known(request)?;
    price_change(order, request)
}

/// Accepts a change, or refuses it and changes nothing.
///
/// While the order is still being placed only its whole cancellation is accepted; the caller then
/// asks the place saga to unwind, and [`super::fail_placement`] ends both.
pub fn accept(order: &mut Order, submission: Submission<'_>) -> Result<(ChangeOrder, Happened), Refusal> {
    let request = submission.request;
    cancelability::may_submit(order, request.change_type())?;
    label_known(request)?;
    let priced = price_change(order, request)?;
    if let Some((key, token)) = submission.quote {
        quote::redeem(key, token, order, request, &priced, submission.now)?;
    }

    let change = accepted(order, &submission, priced);
    move_units(order, &change, Quantities::hold).expect("the price takes only units that are open");
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = Money::new(order.currency, change.amounts.amount)?;
    let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
    let summary = format!("change {} was accepted: cancel {units} units, {amount}", change.number);
    let entry = Entry::new(submission.now, submission.actor, "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// No carrier label is bought through us yet, so asking to void one is wrong from the start.
fn label_known(request: &ChangeRequest) -> Result<(), Refusal> {
    match request.label_action {
        LabelAction::Keep => Ok(()),
        LabelAction::Void => {
            Err(Refusal::new(Reason::NoLabel, "the order has no label to void").field("change.label_action"))
        }
    }
}

fn accepted(order: &Order, submission: &Submission<'_>, priced: PricedChange) -> ChangeOrder {
    let request = submission.request;
    ChangeOrder {
        tenant: order.tenant.clone(),
        change_order_id: submission.change_order_id.clone(),
        order_id: order.order_id.clone(),
        number: human_number("CO", submission.change_order_id.as_str()),
        change_type: request.change_type(),
        state: ChangeState::Executing,
        saga_id: submission.saga_id.clone(),
        settlement: request.settlement,
        label_action: request.label_action,
        channel: request.channel,
        stage: order.state(),
        reason_code: request.reason_code.clone(),
        note: request.note.clone(),
        requested_by: submission.actor.clone(),
        quote_id: submission.quote.map_or_else(String::new, |(_, token)| token.to_owned()),
        policy_version: POLICY_VERSION.to_owned(),
        rule: RULE.to_owned(),
        amounts: priced.amounts,
        new_total_minor: priced.total_after_minor,
        cause: None,
        refund_owed_minor: 0,
        exceptions: Vec::new(),
        refunds: Vec::new(),
        version: 1,
        created_at: submission.now,
        decided_at: None,
        finished_at: None,
        attention_open: 0,
        lines: priced.lines,
    }
}
