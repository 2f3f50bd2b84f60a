//! Giving money back without taking units: reserved, decided, sent.

use saga::{Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::cancel::{
    carried, finish_change, hear, money_reply, refunds, reject_change, release_refund, reserve_refund,
    settle_refund,
};
use crate::domain::lifecycle;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{REFUND_ONLY, REFUND_ONLY_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(REFUND_ONLY, REFUND_ONLY_VERSION)
        // accepted by ops::use_cases::RefundOrder: one local commit, together with the saga's row
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("lower_total", lower_total)
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .finish(finish_change)
        .unwound(reject_change)
}

/// The decision: the order comes to less, and no unit of it moves.
fn lower_total(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    hear(&mut order, log)?;
    let happened = lifecycle::commit_refund(&mut order, &mut change, books.now()).map_err(defect)?;
    change.refunds = refunds(&money_reply(log, "reserve_refund")?.legs)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
