//! The transitions of an order and of its changes.
//!
//! ```text
//!  placing:     (placed) ──open_order──▶ open ──confirm──▶ ──start_processing──▶
//!                   └──────fail_placement──▶ failed
//!  acceptance:  accept: open → cancel_pending, the order is locked        [EXECUTING]
//!               take_what_is_held: what was not held is open again     [EXECUTING]
//!  decision:    commit: cancel_pending → cancelled, unlocked              [SETTLING]
//!               begin_unwinding … reject: cancel_pending → open, unlocked [UNWINDING, REJECTED]
//!  ending:      finish                                                    [COMPLETED …]
//! ```
//!
//! Every transition moves the versions of what it changed and returns what happened. A
//! transition that a caller may ask for at a bad time answers a refusal; one that only a saga asks
//! for answers a [`Defect`], because the saga's log would then contradict the order.

mod acceptance;
mod amending;
mod authored;
mod decision;
mod ending;
mod expiring;
mod goodwill;
mod offering;
mod paying;
mod picturing;
mod placement;
mod proposing;
mod restoring;
mod returned_bundles;
mod returning;
mod short_shipping;
mod shrinking;

use types::LineId;

pub use self::acceptance::{Previewed, Submission, accept, preview};
pub use self::amending::{Difference, commit_address, costs_more, difference};
pub use self::authored::Author;
pub use self::decision::{Withdrawal, begin_unwinding, commit, learn_shipped, reject, withdraw};
pub use self::ending::{
    LeftOwed, Settled, finish, record_found, record_left, record_owed, record_refund, settle_exceptions,
};
pub use self::expiring::{Due, accept_expiry, due, warn_of_expiry};
pub use self::goodwill::{Given, RefundRequest, accept_refund, commit_refund};
pub use self::offering::{Proposal, Proposed};
pub use self::paying::{PayRequest, accept_payment, commit_payment};
pub use self::picturing::{Picture, picture_change, picture_proposal};
pub use self::placement::{confirm, fail_placement, open_order, start_processing};
pub use self::proposing::{approve, decline, expire, propose, receive_withdrawal};
pub use self::restoring::{RestoreRequest, accept_restore, commit_restore};
pub use self::returning::{
    Accepted, Counted, Opening, accept_return, close_return, commit_return, expire_return, open_return,
    receive_return, reject_return,
};
pub use self::short_shipping::{ShortShipRequest, accept_short_ship};
pub use self::shrinking::{LeftOut, take_what_is_held};
use super::change::{ChangeEvent, ChangeOrder, IllegalTransition};
use super::order::Order;
use super::quantities::{Quantities, QuantitiesError};

/// A saga asks for something that the order's state does not allow. A person has to look, and nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    #[error(transparent)]
    Quantities(#[from] QuantitiesError),
    #[error("the change names line {0}, which the order does not have")]
    UnknownLine(LineId),
    #[error("the order is not being placed")]
    NotPlacing,
    #[error("the order is held by {held_by}, not by {change}")]
    NotTheHolder { held_by: String, change: String },
    #[error("the change was accepted at {accepted_minor} and now comes to {repriced_minor}")]
    PriceMoved { accepted_minor: i64, repriced_minor: i64 },
}

impl ChangeOrder {
    /// Moves the state and raises the version that watchers resume by.
    fn step(&mut self, event: ChangeEvent) -> Result<(), Defect> {
        self.state = self.state.after(event)?;
        self.version += 1;
        Ok(())
    }
}

/// Moves the units of every line of a change from one bucket to another: all or none.
fn move_units(
    order: &mut Order,
    change: &ChangeOrder,
    movement: fn(Quantities, i64) -> Result<Quantities, QuantitiesError>,
) -> Result<(), Defect> {
    let mut lines = order.lines.clone();
    for taken in &change.lines {
        let line = lines
            .iter_mut()
            .find(|line| line.line_id == taken.line_id)
            .ok_or_else(|| Defect::UnknownLine(taken.line_id.clone()))?;
        line.quantities = movement(line.quantities, taken.quantity)?;
    }
    order.lines = lines;
    Ok(())
}

/// Frees the order for the next change.
fn unlock(order: &mut Order, change: &ChangeOrder) -> Result<(), Defect> {
    match &order.change_in_progress {
        Some(holder) if *holder == change.change_order_id => {
            order.change_in_progress = None;
            Ok(())
        }
        holder => Err(Defect::NotTheHolder {
            held_by: holder.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string),
            change: change.change_order_id.to_string(),
        }),
    }
}
