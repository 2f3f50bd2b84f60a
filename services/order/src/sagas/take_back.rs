//! Taking units back that a buyer has sent: claimed where they stand, decided, put on the shelf or written off, paid back.

use std::sync::Arc;

use proto::inventory::v1::goods_command::Command as Goods;
use proto::inventory::v1::{ClaimReturned, TakeBack, UnclaimReturned};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::cancel::{
    carried, finish_change, hear, money_reply, refunds, reject_change, release_refund, reserve_refund,
    settle_refund,
};
use super::plan_of;
use crate::domain::lifecycle;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{CancelPlan, TAKE_BACK, TAKE_BACK_VERSION, TakeBackPlan};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(TAKE_BACK, TAKE_BACK_VERSION)
        // accepted by ops::use_cases::AcceptReturn: one local commit, together with the saga's row
        .reversible("claim_returned", claim_returned, undo(unclaim_returned), Retry::quick())
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("commit_return", commit_return)
        .forward("take_back", take_back, completes("claim_returned"))
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .finish(finish_change)
        .unwound(reject_change)
}

async fn claim_returned(ports: Arc<Ports>, call: Call) -> Answer {
    let (order_id, lines) = said(&call);
    ports.goods.run(&call, Goods::ClaimReturned(ClaimReturned { order_id, lines })).await
}

async fn unclaim_returned(ports: Arc<Ports>, call: Call) -> Answer {
    let (order_id, _) = said(&call);
    ports.goods.run(&call, Goods::UnclaimReturned(UnclaimReturned { order_id })).await
}

async fn take_back(ports: Arc<Ports>, call: Call) -> Answer {
    let (order_id, lines) = said(&call);
    ports.goods.run(&call, Goods::TakeBack(TakeBack { order_id, lines })).await
}

fn said(call: &Call) -> (String, Vec<proto::inventory::v1::ReturnedLine>) {
    let (plan, goods): (CancelPlan, TakeBackPlan) = (plan_of(call), plan_of(call));
    (plan.order_id, goods.lines)
}

/// The decision: the units count as returned, on the order and on the return, and the totals are lowered.
fn commit_return(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let mut returned = books.return_of(row)?;
    hear(&mut order, log)?;
    let happened = lifecycle::commit_return(&mut order, &mut change, &mut returned, books.now());
    let happened = happened.map_err(defect)?;
    change.refunds = refunds(&money_reply(log, "reserve_refund")?.legs)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    books.put_return(returned);
    Ok(Vec::new())
}
