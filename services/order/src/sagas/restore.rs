//! Restoring a wholly cancelled order: stock, then what is missing of its price, then it stands again.

use saga::{Definition, LocalError, Log, Retry, SagaRow, completes, undo};

use super::cancel::{carried, money_reply, reject_change};
use super::place::{
    authorise_payments, capture_payments, reserve_stock, unreserve_stock, void_authorisations,
};
use crate::domain::lifecycle::{self, Settled};
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{RESTORE, RESTORE_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(RESTORE, RESTORE_VERSION)
        // accepted by ops::remedies: one local commit, together with the saga's row
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

/// The decision: every cancelled unit is open again.
fn restore_order(books: &mut Books, row: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let happened = lifecycle::commit_restore(&mut order, &mut change, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}

/// What is kept beyond the price, where less went back than was cancelled, is owed.
fn finish_restoring(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    let owed_minor = money_reply(log, "authorise_payments")?.owed_minor;
    let settled = Settled { owed_minor, ..Settled::default() };
    let happened = lifecycle::finish(&mut order, &mut change, settled, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
