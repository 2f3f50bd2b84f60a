//! Restoring a wholly cancelled order: stock, then what is missing of its price, then it stands again.

use std::sync::Arc;

use proto::inventory::v1::goods_command::Command as Goods;
use proto::inventory::v1::{GoodsPaid, Reship};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, Version, alone, completes, undo};

use super::cancel::{carried, hear, money_reply, reject_change};
use super::place::{
    authorise_payments, capture_payments, reserve_stock, unreserve_stock, void_authorisations,
};
use super::plan_of;
use crate::domain::lifecycle::{self, Settled};
use crate::domain::propagation;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{PlacePlan, RESTORE, RESTORE_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(RESTORE, RESTORE_VERSION)
        // accepted by ops::use_cases::RestoreOrder: one local commit, together with the saga's row
        .reversible("reserve_stock", reserve_stock, undo(unreserve_stock), Retry::quick())
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("restore_order", restore_order)
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .forward("goods_paid", goods_paid_already, alone())
        .forward("reship", reship, alone())
        .finish(finish_restoring)
        .unwound(reject_change)
}

/// The table of restorations that were accepted before units that had left could be restored.
pub fn version_2() -> Definition<Ports, Books> {
    Definition::new(RESTORE, Version(2))
        // accepted by ops::use_cases::RestoreOrder: one local commit, together with the saga's row
        .reversible("reserve_stock", reserve_stock, undo(unreserve_stock), Retry::quick())
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("restore_order", restore_order)
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .forward("goods_paid", goods_paid_already, alone())
        .finish(finish_restoring)
        .unwound(reject_change)
}

/// The table of restorations that were accepted before an order could await its payment.
pub fn version_1() -> Definition<Ports, Books> {
    Definition::new(RESTORE, Version(1))
        // accepted by ops::use_cases::RestoreOrder: one local commit, together with the saga's row
        .reversible("reserve_stock", reserve_stock, undo(unreserve_stock), Retry::quick())
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("restore_order", restore_order)
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .finish(finish_restoring)
        .unwound(reject_change)
}

/// The decision: every cancelled unit is open again, and the buyer's where it had left.
fn restore_order(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    hear(&mut order, log)?;
    let missing = money_reply(log, "authorise_payments")?.missing_minor;
    let happened =
        lifecycle::commit_restore(&mut order, &mut change, missing, books.now()).map_err(defect)?;
    let told = propagation::told_of_the_cancellation(&order);
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    books.ask_to_take_back(row, &told);
    Ok(Vec::new())
}

// ── goods_paid ──

/// Goods that were reserved until they are paid are free at once where nothing is missing.
async fn goods_paid_already(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    let missing = money_reply(&call.log, "authorise_payments").map_or(0, |reply| reply.missing_minor);
    if !plan.reserve.until_paid || missing > 0 {
        return Answer::NothingToDo;
    }
    goods_paid(ports, call).await
}

pub(super) async fn goods_paid(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    ports.goods.run(&call, Goods::GoodsPaid(GoodsPaid { order_id: plan.order_id })).await
}

// ── reship ──

/// Units that had left before they were cancelled are the buyer's again.
async fn reship(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    if plan.reserve.reshipped.is_empty() {
        return Answer::NothingToDo;
    }
    ports.goods.run(&call, Goods::Reship(Reship { order_id: plan.order_id })).await
}

/// What is kept beyond the price, where less went back than was cancelled, is owed.
pub(super) fn finish_restoring(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let owed_minor = money_reply(log, "authorise_payments")?.owed_minor;
    let settled = Settled { owed_minor, ..Settled::default() };
    let happened = lifecycle::finish(&mut order, &mut change, settled, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
