//! Taking units off an order that cannot be shipped: held, decided, written down instead of released, paid back.
//!
//! Nobody has to be stopped: who was to ship them says that they are not there.

use std::sync::Arc;

use proto::inventory::v1::WriteDown;
use proto::inventory::v1::goods_command::Command as Goods;
use saga::{Answer, Call, Definition, Retry, completes, undo};

use super::cancel::{
    commit_change, finish_change, hold_goods, reject_change, release_refund, reserve_refund, resume_goods,
    settle_refund,
};
use super::plan_of;
use crate::ops::Books;
use crate::ops::plans::{CancelPlan, SHORT_SHIP, SHORT_SHIP_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(SHORT_SHIP, SHORT_SHIP_VERSION)
        // accepted by ops::use_cases::ShortShip: one local commit, together with the saga's row
        .reversible("hold_goods", hold_goods, undo(resume_goods), Retry::quick())
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("commit_change", commit_change)
        .forward("write_down", write_down, completes("hold_goods"))
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .finish(finish_change)
        .unwound(reject_change)
}

async fn write_down(ports: Arc<Ports>, call: Call) -> Answer {
    let plan: CancelPlan = plan_of(&call);
    ports.goods.run(&call, Goods::WriteDown(WriteDown { order_id: plan.order_id })).await
}
