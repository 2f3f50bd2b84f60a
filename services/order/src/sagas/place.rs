//! Placing an order: stock, then payment, then the order stands.

use std::sync::Arc;

use proto::inventory::v1::UnreserveStock;
use proto::inventory::v1::goods_command::Command as Goods;
use proto::payment::v1::refund_command::Command as Money;
use proto::payment::v1::{CapturePayments, VoidAuthorisations};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::{plan, plan_of};
use crate::domain::lifecycle;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{PLACE, PLACE_VERSION, PlacePlan};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(PLACE, PLACE_VERSION)
        // accepted by ops::use_cases::CreateOrder: one local commit, together with the saga's row
        .reversible("reserve_stock", reserve_stock, undo(unreserve_stock), Retry::quick())
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("open_order", open_order)
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .finish(finish_placing)
        .unwound(fail_placement)
}

// ── reserve_stock ──

pub(super) async fn reserve_stock(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    ports.goods.run(&call, Goods::ReserveStock(plan.reserve)).await
}

pub(super) async fn unreserve_stock(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    ports.goods.run(&call, Goods::UnreserveStock(UnreserveStock { order_id: plan.order_id })).await
}

// ── authorise_payments ──

pub(super) async fn authorise_payments(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    ports.refunds.run(&call, Money::AuthorisePayments(plan.authorise)).await
}

pub(super) async fn void_authorisations(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    ports.refunds.run(&call, Money::VoidAuthorisations(VoidAuthorisations { order_id: plan.order_id })).await
}

// ── open_order ──

/// The decision: the order stands, and is confirmed unless somebody is to confirm it.
fn open_order(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let plan: PlacePlan = plan(row)?;
    let (mut order, _) = books.subject(row)?;
    let happened = lifecycle::open_order(&mut order, plan.confirm, books.now()).map_err(defect)?;
    books.put(order, None, happened, row.traceparent.as_deref());
    Ok(Vec::new())
}

// ── capture_payments ──

pub(super) async fn capture_payments(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: PlacePlan = plan_of(&call);
    // A placed order came to what it comes to from the beginning; a later change is known here once it is told.
    if !plan.capture_now && plan.authorise.change_order_id.is_empty() {
        return Answer::NothingToDo;
    }
    ports.refunds.run(&call, Money::CapturePayments(CapturePayments { order_id: plan.order_id })).await
}

// ── finish, unwound ──

/// The order stood from the pivot on; its captures are the payment service's to show.
#[expect(clippy::unnecessary_wraps, reason = "every local step of a table has this form")]
fn finish_placing(_: &mut Books, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    Ok(Vec::new())
}

/// The order was not placed. A change that waited for that has what it asked for.
fn fail_placement(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = books.subject(row)?;
    let cause = row.unwind_cause.clone().ok_or_else(|| defect("the saga was unwound without a cause"))?;
    let happened =
        lifecycle::fail_placement(&mut order, change.as_mut(), cause, books.now()).map_err(defect)?;
    books.put(order, change, happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
