//! What the payment service tells of money that is owed, read and taken in.

use proto::events::v1::OwedChanged;
use proto::payment::v1::OwedPosition;
use types::{ChangeOrderId, OrderId, Refusal, Tenant, Timestamp};

use super::books::Books;
use crate::domain::change::ChangeOrder;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, LeftOwed};
use crate::domain::order::Order;
use crate::domain::outside::{Leg, LegState};
use crate::domain::position::Position;

/// The event, parsed.
pub(super) struct Told {
    pub order_id: OrderId,
    pub positions: Vec<Position>,
    pub left: Vec<LeftOwed>,
}

pub fn position(owed: &OwedPosition) -> Position {
    Position { sequence: owed.sequence, worth_version: owed.worth_version, owed_minor: owed.owed_minor }
}

pub(super) fn read(event: &OwedChanged) -> Result<Told, types::IdError> {
    let left = event.left.iter().map(|left| {
        Ok(LeftOwed {
            change_order_id: ChangeOrderId::parse(&left.change_order_id)?,
            owed_minor: left.owed_minor,
            mended: left.mended,
        })
    });
    Ok(Told {
        order_id: OrderId::parse(&event.order_id)?,
        positions: event.positions.iter().map(position).collect(),
        left: left.collect::<Result<_, types::IdError>>()?,
    })
}

/// Shows what is owed from now on, on the order and on the changes that left it so.
pub(super) fn record(books: &mut Books, mut order: Order, told: &Told, traceparent: Option<&str>) {
    let now = books.now;
    let happened = lifecycle::record_owed(&mut order, &told.positions, now);
    books.put(order.clone(), None, happened, traceparent);
    for left in &told.left {
        // A change that this order does not know is none of the payment service's inventions: it is read with its order.
        let key = (order.tenant.clone(), left.change_order_id.clone());
        let Some(mut change) = books.changes.get(&key).cloned() else { continue };
        let happened = lifecycle::record_left(&order, &mut change, left, now);
        books.put(order.clone(), Some(change), happened, traceparent);
    }
}

/// A partner's late word settles what was listed against the change for want of it.
pub(super) fn heard_late(
    books: &Books,
    tenant: &Tenant,
    order: &Order,
    leg: &Leg,
    now: Timestamp,
) -> Option<(ChangeOrder, Happened)> {
    if leg.state != LegState::Acked {
        return None;
    }
    let change_order_id = ChangeOrderId::parse(&leg.change_order_id).ok()?;
    let mut change = books.changes.get(&(tenant.clone(), change_order_id)).cloned()?;
    let is_its = |exception: &Refusal| exception.details.get("task_id") == Some(&leg.task_id);
    let happened = lifecycle::settle_exceptions(order, &mut change, is_its, now);
    Some((change, happened))
}
