//! Applying what the payment service tells about owed money.

use types::{ChangeOrderId, Refusal, Tenant, Timestamp};

use crate::domain::change::ChangeOrder;
use crate::domain::history::Happened;
use crate::domain::lifecycle;
use crate::domain::order::Order;
use crate::domain::outside::{Leg, LegState};
use crate::ops::books::Books;
use crate::ops::command::OwedTold;

/// Records what is owed from now on, on the order and on the changes that left it owed.
pub fn record(books: &mut Books, mut order: Order, told: &OwedTold, traceparent: Option<&str>) {
    let now = books.now;
    let happened = lifecycle::record_owed(&mut order, &told.positions, now);
    books.put(order.clone(), None, happened, traceparent);
    for left in &told.left {
        // The changes of the order were loaded with it; one that is not among them belongs to another order.
        let key = (order.tenant.clone(), left.change_order_id.clone());
        let Some(mut change) = books.changes.get(&key).cloned() else { continue };
        let happened = lifecycle::record_left(&order, &mut change, left, now);
        books.put(order.clone(), Some(change), happened, traceparent);
    }
}

/// A partner's late confirmation settles the exception that the change ended with.
pub fn heard_late(
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
