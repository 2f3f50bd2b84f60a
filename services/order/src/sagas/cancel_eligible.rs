//! Cancelling whatever can be: as `cancel`, but what others took before it could be held stays, and the rest goes on at
//! its own price.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use proto::payment::v1::ReserveRefund;
use proto::payment::v1::refund_command::Command as Money;
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, alone, completes, undo};
use types::LineId;

use super::cancel::{
    carried, commit_change, finish_change, goods_reply, hold_goods, nothing_with_a_partner, reject_change,
    release_goods, release_refund, resume_goods, settle_refund, stop_partner, void_labels, withdraw_stop,
};
use super::plan;
use crate::domain::lifecycle::{self, LeftOut};
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{self, CANCEL_ELIGIBLE, CANCEL_ELIGIBLE_VERSION, CancelPlan};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(CANCEL_ELIGIBLE, CANCEL_ELIGIBLE_VERSION)
        // accepted by ops::use_cases::SubmitChange: one local commit, together with the saga's row
        .reversible("hold_goods", hold_goods, undo(resume_goods), Retry::quick())
        .noting("take_what_is_held", take_what_is_held)
        .reversible("reserve_refund", reserve_rest, undo(release_refund), Retry::quick())
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

// ── take_what_is_held ──

/// Lets go of what was not held. Its reply is what has to be reserved for the rest.
fn take_what_is_held(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let plan: CancelPlan = plan(row)?;
    let (mut order, mut change) = carried(books, row)?;
    let left_out = left_out(log)?;
    let now = books.now();
    let shrunk = lifecycle::take_what_is_held(&mut order, &mut change, &left_out, now).map_err(defect)?;
    let Some(happened) = shrunk else { return Ok(plan.reserve.encode_to_vec()) };
    let reserve = plans::reserve_rest(plan.reserve, &change, order.fees_minor);
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(reserve.encode_to_vec())
}

fn left_out(log: &Log) -> Result<BTreeMap<LineId, LeftOut>, LocalError> {
    let lines = goods_reply(log, "hold_goods")?.lines;
    let refused = lines.into_iter().filter(|line| line.refused > 0);
    refused
        .map(|line| {
            let line_id = LineId::parse(&line.line_id).map_err(defect)?;
            Ok((line_id, LeftOut { units: line.refused, reason: line.refused_reason }))
        })
        .collect()
}

// ── reserve_refund ──

async fn reserve_rest(ports: Arc<Ports>, call: Call) -> Answer {
    let noted = call.log.reply("take_what_is_held").expect("the step before notes what is to be reserved");
    let reserve = ReserveRefund::decode(noted).expect("it was noted in this form");
    ports.refunds.run(&call, Money::ReserveRefund(reserve)).await
}
