//! Previewing a proposal: the order as it would be, for both sides before they decide. Changes nothing.

use types::{Ids, Refusal, Timestamp};

use super::amending::{Difference, difference};
use super::authored::Author;
use super::decision::decide;
use super::move_units;
use super::offering::Proposal;
use super::proposing::{answerable, drafted, price_again, still_agreed};
use crate::domain::cancelability;
use crate::domain::change::{ChangeOrder, ChangeState};
use crate::domain::order::Order;
use crate::domain::quantities::Quantities;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The change at today's price.
    pub change: ChangeOrder,
    /// The order after the change, or as it is now if the change is impossible.
    pub order: Order,
    pub difference: Difference,
    /// Why it would be refused now.
    pub blockers: Vec<Refusal>,
}

/// Previews a proposal before it is made.
pub fn picture_proposal(
    order: &Order,
    proposal: &Proposal,
    author: &Author<'_>,
    ids: &Ids,
) -> Result<Picture, Refusal> {
    let change = drafted(order, proposal, author, ids)?;
    Ok(picture(order, change, author.now))
}

/// Previews a proposal that waits for an answer.
pub fn picture_change(order: &Order, change: ChangeOrder, now: Timestamp) -> Picture {
    let waits = answerable(&change, now).err();
    let mut pictured = picture(order, change, now);
    pictured.blockers.splice(0..0, waits);
    pictured
}

fn picture(order: &Order, mut change: ChangeOrder, now: Timestamp) -> Picture {
    let busy = cancelability::may_submit(order, change.change_type).err();
    let moved = still_agreed(order, &change).err();
    if let Ok(priced) = price_again(order, &change) {
        change.lines = priced.lines;
        change.amounts = priced.amounts;
        change.new_total_minor = priced.total_after_minor;
    }
    let difference = difference(order, &change);
    let blockers = busy.into_iter().chain(moved).collect();
    let order = carried_out(order, &change, now).unwrap_or_else(|| order.clone());
    Picture { change, order, difference, blockers }
}

fn carried_out(order: &Order, change: &ChangeOrder, now: Timestamp) -> Option<Order> {
    let mut after = order.clone();
    let mut agreed = ChangeOrder { state: ChangeState::Executing, ..change.clone() };
    if agreed.change_type.takes_units() {
        move_units(&mut after, &agreed, Quantities::hold).ok()?;
    }
    after.change_in_progress = Some(agreed.change_order_id.clone());
    decide(&mut after, &mut agreed, now).ok()?;
    Some(after)
}
