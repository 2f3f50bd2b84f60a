//! Sending an order's goods elsewhere by agreement: held so that nothing leaves for the old address, decided, let go.

use std::sync::Arc;

use proto::inventory::v1::goods_command::Command as Goods;
use proto::inventory::v1::{KeepGoods, ResumeGoods};
use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::cancel::{carried, reject_change};
use super::plan_of;
use crate::domain::lifecycle::{self, Settled};
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::amend::ReaddressPlan;
use crate::ops::plans::{READDRESS, READDRESS_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(READDRESS, READDRESS_VERSION)
        // accepted by ops::use_cases::ApproveChange: one local commit, together with the saga's row
        .reversible("hold_goods", hold_goods, undo(resume_goods), Retry::quick())
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("change_address", change_address)
        .forward("keep_goods", keep_goods, completes("hold_goods"))
        .finish(finish_readdressing)
        .unwound(reject_change)
}

async fn hold_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: ReaddressPlan = plan_of(&call);
    ports.goods.run(&call, Goods::HoldGoods(plan.hold)).await
}

async fn resume_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: ReaddressPlan = plan_of(&call);
    ports.goods.run(&call, Goods::ResumeGoods(ResumeGoods { order_id: plan.order_id })).await
}

/// The decision: whatever is sent from now on goes to the new address.
fn change_address(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let happened = lifecycle::commit_address(&mut order, &mut change, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}

async fn keep_goods(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: ReaddressPlan = plan_of(&call);
    ports.goods.run(&call, Goods::KeepGoods(KeepGoods { order_id: plan.order_id })).await
}

fn finish_readdressing(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let happened =
        lifecycle::finish(&mut order, &mut change, Settled::default(), books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
