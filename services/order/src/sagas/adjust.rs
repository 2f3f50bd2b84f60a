//! Lowering an order's price without taking units: reserved, decided, sent.

use saga::{Definition, Retry, completes, undo};

use super::cancel::{
    commit_change, finish_change, reject_change, release_refund, reserve_refund, settle_refund,
};
use crate::ops::Books;
use crate::ops::plans::{ADJUST, ADJUST_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(ADJUST, ADJUST_VERSION)
        // accepted by ops::use_cases::ApproveChange: one local commit, together with the saga's row
        .reversible("reserve_refund", reserve_refund, undo(release_refund), Retry::quick())
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("commit_change", commit_change)
        .forward("settle_refund", settle_refund, completes("reserve_refund"))
        .finish(finish_change)
        .unwound(reject_change)
}
