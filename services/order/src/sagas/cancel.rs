//! Cancelling an order or some of its units.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use proto::inventory::v1::goods_command::Command as Goods;
use proto::inventory::v1::{
    GoodsReply, LabelLeg, PartnerLeg, ReleaseGoods, ResumeGoods, StopPartner, VoidLabels, WithdrawStop,
};
use proto::payment::v1::refund_command::Command as Money;
use proto::payment::v1::{RefundKind, RefundReply, RefundState, ReleaseRefund, SettleRefund, SettledLeg};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, alone, completes, undo};
use types::{LineId, Reason, RefundId, Refusal};

use super::plan_of;
use crate::domain::change::{ChangeOrder, Refund, Settlement};
use crate::domain::lifecycle::{self, Settled};
use crate::domain::order::Order;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{CANCEL, CANCEL_VERSION, CancelPlan, SUBJECT_CHANGE};
use crate::ops::position;
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(CANCEL, CANCEL_VERSION)
        // accepted by ops::use_cases::SubmitChange: one local commit, together with the saga's row
        .reversible("hold_goods", hold_goods, undo(resume_goods), Retry::quick())
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        .reversible("stop_partner", stop_partner, undo(withdraw_stop), Retry::until_deadline())
        .unless(nothing_with_a_partner)
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("commit_change", commit_change)
        .forward("release_goods", release_goods, completes("hold_goods"))
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .forward("void_labels", void_labels, alone())
        .finish(finish_change)
        .unwound(reject_change)
}

// ── hold_goods ──

pub(super) async fn hold_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.goods.run(&call, Goods::HoldGoods(plan.hold)).await
}

pub(super) async fn resume_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.goods.run(&call, Goods::ResumeGoods(ResumeGoods { order_id: plan.order_id })).await
}

// ── reserve_refund ──

pub(super) async fn reserve_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.refunds.run(&call, Money::ReserveRefund(plan.reserve)).await
}

pub(super) async fn release_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.refunds.run(&call, Money::ReleaseRefund(ReleaseRefund { order_id: plan.order_id })).await
}

// ── stop_partner ──

pub(super) async fn stop_partner(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.goods.run(&call, Goods::StopPartner(StopPartner { order_id: plan.order_id, ..plan.stop })).await
}

pub(super) async fn withdraw_stop(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.goods.run(&call, Goods::WithdrawStop(WithdrawStop { order_id: plan.order_id })).await
}

/// Only units that a partner has must be stopped there, and hold_goods said whether there are any.
pub(super) fn nothing_with_a_partner(log: &Log) -> bool {
    log.reply("hold_goods")
        .and_then(|reply| GoodsReply::decode(reply).ok())
        .is_some_and(|reply| reply.with_partner == 0)
}

// ── commit_change ──

/// The decision: quantities, totals, states and events in our own commit. Nothing else may be in doubt here.
pub(super) fn commit_change(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    lifecycle::learn_shipped(&mut order, &change, &shipped(log)?).map_err(defect)?;
    hear(&mut order, log)?;
    let happened = lifecycle::commit(&mut order, &mut change, books.now()).map_err(defect)?;
    change.refunds = refunds(&money_reply(log, "reserve_refund")?.legs)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}

/// What will be owed by this decision, as the reply to the reservation told.
pub(super) fn hear(order: &mut Order, log: &Log) -> Result<(), LocalError> {
    for step in ["reserve_refund", "authorise_payments"] {
        if let Some(owed) = money_reply(log, step)?.owed {
            order.hear(position(&owed));
        }
    }
    Ok(())
}

/// What is owed as a forward step ended.
pub(super) fn hear_end(order: &mut Order, log: &Log, step: &str) -> Result<(), LocalError> {
    if let Some(owed) = money_reply(log, step)?.owed {
        order.hear(position(&owed));
    }
    Ok(())
}

/// What the hold had found gone already, by line.
fn shipped(log: &Log) -> Result<BTreeMap<LineId, i64>, LocalError> {
    let lines = goods_reply(log, "hold_goods")?.lines;
    let gone = lines.iter().filter(|line| line.shipped > 0);
    gone.map(|line| Ok((LineId::parse(&line.line_id).map_err(defect)?, line.shipped))).collect()
}

pub(super) fn goods_reply(log: &Log, step: &str) -> Result<GoodsReply, LocalError> {
    log.reply(step)
        .map_or_else(|| Ok(GoodsReply::default()), |reply| GoodsReply::decode(reply).map_err(defect))
}

// ── release_goods, settle_refund, void_labels ──

pub(super) async fn release_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    let release =
        plan.release.unwrap_or_else(|| ReleaseGoods { order_id: plan.order_id, ..ReleaseGoods::default() });
    ports.goods.run(&call, Goods::ReleaseGoods(release)).await
}

pub(super) async fn settle_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    let settle =
        plan.settle.unwrap_or_else(|| SettleRefund { order_id: plan.order_id, ..SettleRefund::default() });
    ports.refunds.run(&call, Money::SettleRefund(settle)).await
}

/// Only if it was asked for; a change that keeps the label has nothing to void.
pub(super) async fn void_labels(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    if !plan.hold.void_label {
        return Answer::NothingToDo;
    }
    ports.goods.run(&call, Goods::VoidLabels(VoidLabels { order_id: plan.order_id, ..plan.void })).await
}

// ── finish, unwound ──

/// COMPLETED, or COMPLETED_WITH_EXCEPTIONS with what is still owed and why.
pub(super) fn finish_change(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let settled = settled(&change, log)?;
    hear_end(&mut order, log, "settle_refund")?;
    let happened = lifecycle::finish(&mut order, &mut change, settled, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}

/// Everything is put back: the units are open again and the cause is shown.
pub(super) fn reject_change(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let cause = row.unwind_cause.clone().ok_or_else(|| defect("the saga was unwound without a cause"))?;
    let happened = lifecycle::reject(&mut order, &mut change, cause, books.now()).map_err(defect)?;
    let (tenant, id) = (change.tenant.clone(), change.change_order_id.to_string());
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    // What was forced has come to nothing, so nobody has to look at it any more.
    books.close(&tenant, SUBJECT_CHANGE, &id);
    Ok(Vec::new())
}

pub(super) fn carried(books: &Books, row: &SagaRow) -> Result<(Order, ChangeOrder), LocalError> {
    match books.subject(row)? {
        (order, Some(change)) => Ok((order, change)),
        (_, None) => Err(defect("the saga carries no change")),
    }
}

/// How the money ended. By settlement NONE nothing was to move, and what was reserved to be owed is owed.
pub(super) fn settled(change: &ChangeOrder, log: &Log) -> Result<Settled, LocalError> {
    let ended = money_reply(log, "settle_refund")?;
    let owed_minor = match change.settlement {
        Settlement::Auto | Settlement::Explicit => ended.owed_minor,
        Settlement::None => money_reply(log, "reserve_refund")?.owed_minor,
    };
    let mut refunds = refunds(&ended.legs)?;
    for refund in &mut refunds {
        // A word that came after the step's own reply is newer.
        if let Some(later) = change.refunds.iter().find(|known| is_later_word(known, refund)) {
            refund.clone_from(later);
        }
    }
    let labels = goods_reply(log, "void_labels")?.labels;
    let partners = goods_reply(log, "stop_partner")?.partners;
    let exceptions = ended.legs.iter().filter_map(exception);
    let exceptions = exceptions
        .chain(labels.iter().filter_map(label_exception))
        .chain(partners.iter().filter_map(partner_exception))
        .collect();
    Ok(Settled { refunds, owed_minor, exceptions })
}

/// A label that the carrier did not void is paid for nothing: its cost stands with the change.
fn label_exception(label: &LabelLeg) -> Option<Refusal> {
    if label.state == "voided" && label.credit != "denied" {
        return None;
    }
    let why = if label.state == "voided" { "its refund was denied" } else { &label.refusal };
    let cost = label.cost.clone().unwrap_or_default();
    let message = format!("label {} stays paid: {why}", label.tracking_number);
    let refusal = Refusal::new(Reason::LabelVoidRefused, message).detail("label_id", &label.label_id);
    Some(refusal.detail("cost_minor", cost.minor_units).detail("currency_code", cost.currency_code))
}

/// Until its word comes, a partner's part is not called cancelled.
fn partner_exception(leg: &PartnerLeg) -> Option<Refusal> {
    (leg.state == "unconfirmed").then(|| {
        let message =
            format!("{} has not confirmed that {} is stopped", leg.integration, leg.external_number);
        Refusal::new(Reason::PartnerUnconfirmed, message).detail("task_id", &leg.task_id)
    })
}

fn is_later_word(known: &Refund, refund: &Refund) -> bool {
    known.refund_id == refund.refund_id && ["reversed", "resolved_externally"].contains(&known.state.as_str())
}

pub(super) fn money_reply(log: &Log, step: &str) -> Result<RefundReply, LocalError> {
    log.reply(step)
        .map_or_else(|| Ok(RefundReply::default()), |reply| RefundReply::decode(reply).map_err(defect))
}

pub(super) fn refunds(legs: &[SettledLeg]) -> Result<Vec<Refund>, LocalError> {
    legs.iter()
        .map(|leg| {
            Ok(Refund {
                refund_id: RefundId::parse(&leg.refund_id).map_err(defect)?,
                state: state(leg.state()),
                amount_minor: leg.amount_minor,
                void_of_authorisation: leg.kind() == RefundKind::Void,
            })
        })
        .collect()
}

/// The payment service's own word in lower case, such as "succeeded".
fn state(state: RefundState) -> String {
    let name = state.as_str_name();
    name.strip_prefix("REFUND_STATE_").unwrap_or(name).to_ascii_lowercase()
}

/// A leg that failed and was made good by another is history, not an exception.
fn exception(leg: &SettledLeg) -> Option<Refusal> {
    match leg.state() {
        _ if leg.made_good => None,
        RefundState::Declined | RefundState::Manual | RefundState::Reversed => {
            let message = format!("refund {} is {}: {}", leg.refund_id, state(leg.state()), leg.detail);
            let refusal = Refusal::new(Reason::RefundDeclined, message).detail("refund_id", &leg.refund_id);
            Some(refusal.detail("amount_minor", leg.amount_minor))
        }
        _ => None,
    }
}
