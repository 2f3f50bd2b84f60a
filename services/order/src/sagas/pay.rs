//! Paying what is missing of an order that was restored before.

use saga::{Definition, LocalError, Log, Retry, SagaRow, alone, completes, undo};

use super::cancel::{carried, hear, reject_change};
use super::place::{authorise_payments, capture_payments, void_authorisations};
use super::restore::{finish_restoring, goods_paid};
use crate::domain::lifecycle;
use crate::ops::Books;
use crate::ops::books::defect;
use crate::ops::plans::{PAY, PAY_VERSION};
use crate::ports::Ports;

pub fn definition() -> Definition<Ports, Books> {
    Definition::new(PAY, PAY_VERSION)
        // accepted by ops::use_cases::PayOrder: one local commit, together with the saga's row
        .reversible(
            "authorise_payments",
            authorise_payments,
            undo(void_authorisations),
            Retry::until_deadline(),
        )
        // ───────────────── decided: from here only forward ─────────────────
        .pivot("record_payment", record_payment)
        .forward("capture_payments", capture_payments, completes("authorise_payments"))
        .forward("goods_paid", goods_paid, alone())
        .finish(finish_restoring)
        .unwound(reject_change)
}

/// The decision: nothing of the order is awaited any more.
fn record_payment(books: &mut Books, row: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    let (mut order, mut change) = carried(books, row)?;
    hear(&mut order, log)?;
    let happened = lifecycle::commit_payment(&mut order, &mut change, books.now()).map_err(defect)?;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
    Ok(Vec::new())
}
