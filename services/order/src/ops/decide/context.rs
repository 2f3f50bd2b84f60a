//! What all decisions about changes share.

use std::collections::BTreeSet;
use std::sync::Arc;

use saga::{Lease, NewSaga, Registry};
use types::{Clock, Ids, OrderId, Refusal};

use crate::domain::change::ChangeOrder;
use crate::domain::history::Happened;
use crate::domain::lifecycle::Author;
use crate::domain::order::Order;
use crate::domain::policy::Policy;
use crate::domain::quote::QuoteKey;
use crate::ops::books::policies::Shelves;
use crate::ops::books::{Books, views};
use crate::ops::command::{After, Answer, Asked};
use crate::ports::Ports;
use crate::store::orders;

/// What decisions are made with, beside the overlay.
pub struct Context {
    pub registry: Arc<Registry<Ports, Books>>,
    /// What a saga that is accepted here begins with.
    pub lease: Lease,
    pub quote_key: QuoteKey,
    pub clock: Clock,
    pub ids: Ids,
    pub shelves: Shelves,
}

pub fn find(books: &Books, asked: &Asked, order_id: &OrderId) -> Result<Order, Refusal> {
    let order = books.orders.get(&(asked.tenant.clone(), order_id.clone())).cloned();
    order.ok_or_else(|| Refusal::not_found("Order", order_id.as_str()))
}

pub fn author<'a>(books: &Books, asked: &Asked, policy: &'a Policy) -> Author<'a> {
    Author {
        policy,
        change_order_id: books.ids.mint(),
        saga_id: books.ids.mint(),
        actor: asked.actor.clone(),
        now: books.now,
    }
}

/// Writes an accepted change down and starts the saga that carries it out.
pub fn begin(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    (order, change, happened): (Order, ChangeOrder, Happened),
    saga: NewSaga,
    after: &mut After,
) -> (Answer, String) {
    books.put(order.clone(), Some(change.clone()), happened, asked.traceparent.as_deref());
    after.start = Some(books.sagas.start(saga));
    let view = views::of_books(&context.registry, books, &order, &change);
    (Answer::Change(Box::new(view)), change.change_order_id.to_string())
}

/// The changes of an order, as the commands before this one have left them. One that another command of the batch has
/// just made holds the order or has ended it, and is found by that.
pub fn changes_of(books: &Books, order: &Order) -> Vec<ChangeOrder> {
    let key = orders::key(order);
    let known = books.histories.get(&key).into_iter().flatten();
    let last = order.cancelled_by_change.iter();
    let ids: BTreeSet<_> = known.chain(last).collect();
    ids.into_iter().filter_map(|id| books.changes.get(&(order.tenant.clone(), id.clone())).cloned()).collect()
}
