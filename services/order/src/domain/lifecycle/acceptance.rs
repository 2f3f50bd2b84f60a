//! Accepting a change: from here on it holds the order, but nothing is decided yet.

use types::{ChangeOrderId, Money, Reason, Refusal, SagaId, Timestamp};

use super::move_units;
use crate::domain::cancelability;
use crate::domain::change::{
    ChangeOrder, ChangeRequest, ChangeState, InConfidence, LabelAction, Selection, Terms,
};
use crate::domain::history::{Entry, Fact, Happened, Visibility};
use crate::domain::order::{Actor, Order};
use crate::domain::placing::human_number;
use crate::domain::policy::{Policy, Standing, Units, standing};
use crate::domain::pricing::{PricedChange, price_change};
use crate::domain::propagation::told_with;
use crate::domain::quantities::Quantities;
use crate::domain::quote::{self, Presented, QuoteKey};
use crate::domain::reason::Catalogue;

/// A submitted change, with the ids that it gets if it is accepted.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    pub request: &'a ChangeRequest,
    /// The policy of the order at this moment; `catalogue` holds the tenant's reasons.
    pub policy: &'a Policy,
    pub catalogue: &'a Catalogue,
    /// The quote that came with it, and the key that verifies it.
    pub quote: Option<(&'a QuoteKey, &'a Presented)>,
    pub change_order_id: ChangeOrderId,
    /// The saga that carries it out: its own, or the place saga while the order is being placed.
    pub saga_id: SagaId,
    pub actor: Actor,
    pub now: Timestamp,
}

/// What a preview shows: the price, what the policy says to the caller, and why the request would be refused now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previewed<'a> {
    pub priced: PricedChange,
    pub standing: Standing<'a>,
    pub blockers: Vec<Refusal>,
}

/// Prices a change as it would be accepted now. Changes nothing. The policy's objection is shown beside the price. If there is no price either,
/// the policy's objection comes first.
pub fn preview<'a>(
    order: &Order,
    request: &ChangeRequest,
    policy: &'a Policy,
    catalogue: &Catalogue,
    actor: &'a Actor,
    now: Timestamp,
) -> Result<Previewed<'a>, Refusal> {
    cancelability::may_preview(order)?;
    label_known(order, request)?;
    let standing = standing(policy, order, actor, now);
    match price_change(order, request, &policy.document) {
        Ok(priced) => {
            let partners = partners_understand(order, request);
            let blockers =
                standing.check(request, catalogue).err().into_iter().chain(partners.err()).collect();
            Ok(Previewed { priced, standing, blockers })
        }
        Err(refusal) => Err(standing.refusal.unwrap_or(refusal)),
    }
}

/// Accepts a change, or refuses it and changes nothing.
///
/// While the order is being placed, only a cancellation of the whole order is accepted. The caller then asks the place saga to compensate, and
/// [`super::fail_placement`] ends both.
pub fn accept(order: &mut Order, submission: Submission<'_>) -> Result<(ChangeOrder, Happened), Refusal> {
    let request = submission.request;
    cancelability::may_submit(order, request.change_type())?;
    let standing = standing(submission.policy, order, &submission.actor, submission.now);
    standing.check(request, submission.catalogue)?;
    partners_understand(order, request)?;
    label_known(order, request)?;
    let priced = price_change(order, request, &submission.policy.document)?;
    let quoted = match submission.quote {
        Some((key, presented)) => quote::redeem(key, presented, order, request, &priced, submission.now)?,
        None => None,
    };

    let mut change = accepted(order, &submission, &standing, priced);
    change.terms.quoted = quoted;
    let hold = if change.terms.allow_shipped { Quantities::hold_shipped_too } else { Quantities::hold };
    move_units(order, &change, hold).expect("the price takes only units that may be held");
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = Money::new(order.currency, change.amounts.amount)?;
    let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
    let plural = if units == 1 { "" } else { "s" };
    let summary = format!("change {} was accepted: cancel {units} unit{plural}, {amount}", change.number);
    let staff_note = (!request.said.staff_note.is_empty()).then(|| {
        let summary = format!("a note of our own on change {}", change.number);
        Entry::new(submission.now, submission.actor.clone(), "change_order.staff_note", summary)
            .about(&change)
            .because("", &request.said.staff_note)
            .visible_to(Visibility::Internal)
    });
    let entry = Entry::new(submission.now, submission.actor, "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    let happened = staff_note.into_iter().fold(Happened::default().entry(entry), Happened::entry);
    Ok((change, happened.fact(fact)))
}

/// Checks the reason against those that the order's partners accept. Only the inventory knows which partner holds the units of a single
/// line, so this is done for whole orders.
fn partners_understand(order: &Order, request: &ChangeRequest) -> Result<(), Refusal> {
    match request.selection {
        Selection::Everything => order.outside.check_reason(&request.reason_code),
        Selection::AllEligible | Selection::Items(_) => Ok(()),
    }
}

/// Refuses to void a label that the order does not have. The inventory has the last word.
fn label_known(order: &Order, request: &ChangeRequest) -> Result<(), Refusal> {
    match request.label_action {
        LabelAction::Keep => Ok(()),
        LabelAction::Void if order.outside.has_label() => Ok(()),
        LabelAction::Void => {
            Err(Refusal::new(Reason::NoLabel, "the order has no label to void").field("change.label_action"))
        }
    }
}

fn accepted(
    order: &Order,
    submission: &Submission<'_>,
    standing: &Standing<'_>,
    priced: PricedChange,
) -> ChangeOrder {
    let request = submission.request;
    let said = &request.said;
    let terms = Terms {
        carts: told_with(order, &priced.lines),
        shipping: submission.policy.document.shipping,
        explicit_shipping: said.shipping.clone(),
        tenders: said.tenders.clone(),
        money: standing.money_terms(request),
        unconfirmed: submission.policy.document.unconfirmed,
        allow_shipped: submission.policy.document.units == Units::OpenOrShipped,
        only_unallocated: submission.policy.document.units == Units::Unallocated,
        grant: standing.grant,
        supplier_contacted: said.supplier_contacted,
        supplier_contact_ref: said.supplier_contact_ref.clone(),
        confirmed: said.confirmed,
        forced: said.force,
        without_mail_to: said.without_mail_to.clone(),
        fee_rule: priced.fee_rule,
        fee: priced.fee,
        skipped: priced.skipped,
        without_parent: priced.without_parent,
        retry_of: None,
        counter_of: None,
        return_id: None,
        came_back: Vec::new(),
        pay_out: None,
        quoted: None,
        proposed_by: None,
        added: Vec::new(),
    };
    ChangeOrder {
        tenant: order.tenant.clone(),
        change_order_id: submission.change_order_id.clone(),
        order_id: order.order_id.clone(),
        number: human_number("CO", submission.change_order_id.as_str()),
        change_type: request.change_type(),
        state: ChangeState::Executing,
        saga_id: submission.saga_id.clone(),
        settlement: standing.settlement(request),
        label_action: request.label_action,
        channel: request.channel,
        stage: order.state(),
        reason_code: request.reason_code.clone(),
        note: request.note.clone(),
        requested_by: submission.actor.clone(),
        quote_id: submission.quote.map_or_else(String::new, |(_, presented)| presented.quote_id.clone()),
        policy_version: submission.policy.version_text(),
        rule: standing.rule.clone(),
        terms,
        in_confidence: InConfidence::default(),
        expires_at: None,
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
        shipped_groups: Vec::new(),
        attention_open: 0,
        lines: priced.lines,
    }
}
