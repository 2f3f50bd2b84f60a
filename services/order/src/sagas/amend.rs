//! Changing what an order is made of by agreement: goods come, goods may go, and the difference is paid before it is decided
//! or given back after it.
//!
//! Of `reserve_refund` and `authorise_payments` one has nothing to do: an order comes to less, or to more. What is paid is
//! authorised before the decision, because a card may decline, and captured after it, because a capture is no promise that
//! can be taken back.

use std::sync::Arc;

use proto::inventory::v1::goods_command::Command as Goods;
use proto::inventory::v1::{ResumeGoods, StopPartner, UnreserveStock, WithdrawStop};
use proto::payment::v1::refund_command::Command as Money;
use proto::payment::v1::{CapturePayments, ReleaseRefund, SettleRefund, VoidAuthorisations};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::cancel::{
    carried, commit_change, hear_end, money_reply, nothing_with_a_partner, reject_change, settled,
};
use super::plan_of;
use crate::domain::lifecycle;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::amend::AmendPlan;
use crate::ops::plans::{AMEND, AMEND_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(AMEND, AMEND_VERSION)
        // accepted by ops::use_cases::ApproveChange: one local commit, together with the saga's row
        .reversible("reserve_stock", reserve_stock, undo(unreserve_stock), Retry::quick())
        .reversible("hold_goods", hold_goods, undo(resume_goods), Retry::quick())
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        .reversible("stop_partner", stop_partner, undo(withdraw_stop), Retry::until_deadline())
        .unless(nothing_with_a_partner)
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("commit_change", commit_change)
        .forward("release_goods", release_goods, completes("hold_goods"))
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .finish(finish_amending)
        .unwound(reject_change)
}

// ── reserve_stock ──

async fn reserve_stock(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    ports.goods.run(&call, Goods::ReserveStock(plan.reserve)).await
}

async fn unreserve_stock(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    ports.goods.run(&call, Goods::UnreserveStock(UnreserveStock { order_id: plan.order_id })).await
}

// ── hold_goods ──

async fn hold_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if nothing_goes(&plan) {
        return Answer::NothingToDo;
    }
    ports.goods.run(&call, Goods::HoldGoods(plan.cancel.hold)).await
}

async fn resume_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if nothing_goes(&plan) {
        return Answer::NothingToDo;
    }
    ports.goods.run(&call, Goods::ResumeGoods(ResumeGoods { order_id: plan.order_id })).await
}

fn nothing_goes(plan: &AmendPlan) -> bool {
    plan.cancel.hold.lines.is_empty()
}

// ── reserve_refund ──

async fn reserve_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if plan.authorise.is_some() {
        return Answer::NothingToDo;
    }
    ports.refunds.run(&call, Money::ReserveRefund(plan.cancel.reserve)).await
}

async fn release_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if plan.authorise.is_some() {
        return Answer::NothingToDo;
    }
    ports.refunds.run(&call, Money::ReleaseRefund(ReleaseRefund { order_id: plan.order_id })).await
}

// ── authorise_payments ──

async fn authorise_payments(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    match plan.authorise {
        None => Answer::NothingToDo,
        Some(authorise) => ports.refunds.run(&call, Money::AuthorisePayments(authorise)).await,
    }
}

async fn void_authorisations(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if plan.authorise.is_none() {
        return Answer::NothingToDo;
    }
    ports.refunds.run(&call, Money::VoidAuthorisations(VoidAuthorisations { order_id: plan.order_id })).await
}

// ── stop_partner ──

async fn stop_partner(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if nothing_goes(&plan) {
        return Answer::NothingToDo;
    }
    let stop = StopPartner { order_id: plan.order_id, ..plan.cancel.stop };
    ports.goods.run(&call, Goods::StopPartner(stop)).await
}

async fn withdraw_stop(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if nothing_goes(&plan) {
        return Answer::NothingToDo;
    }
    ports.goods.run(&call, Goods::WithdrawStop(WithdrawStop { order_id: plan.order_id })).await
}

// ── release_goods, capture_payments, settle_refund ──

async fn release_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    match plan.cancel.release {
        Some(release) if !plan.cancel.hold.lines.is_empty() => {
            ports.goods.run(&call, Goods::ReleaseGoods(release)).await
        }
        Some(_) | None => Answer::NothingToDo,
    }
}

/// The tenders that asked for it, and all of them where what the order has paid so far was captured.
async fn capture_payments(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if plan.authorise.is_none() {
        return Answer::NothingToDo;
    }
    ports.refunds.run(&call, Money::CapturePayments(CapturePayments { order_id: plan.order_id })).await
}

async fn settle_refund(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: AmendPlan = plan_of(&call);
    if plan.authorise.is_some() {
        return Answer::NothingToDo;
    }
    ports
        .refunds
        .run(&call, Money::SettleRefund(SettleRefund { order_id: plan.order_id, ..SettleRefund::default() }))
        .await
}

// ── finish ──

/// What was kept beyond the price before, and is beyond it still, stays owed.
fn finish_amending(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let mut settled = settled(&change, log)?;
    hear_end(&mut order, log, "settle_refund")?;
    settled.owed_minor += money_reply(log, "authorise_payments")?.owed_minor;
    let happened = lifecycle::finish(&mut order, &mut change, settled, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
