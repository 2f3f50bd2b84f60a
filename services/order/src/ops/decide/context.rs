//! What decisions are made with, beside the overlay.

use std::collections::BTreeSet;
use std::sync::Arc;

use saga::{Lease, Registry};
use types::{Clock, Ids};

use crate::domain::change::ChangeOrder;
use crate::domain::order::Order;
use crate::domain::quote::QuoteKey;
use crate::ops::books::Books;
use crate::ops::books::policies::Shelves;
use crate::ports::Ports;
use crate::store::orders;

pub struct Context {
    pub registry: Arc<Registry<Ports, Books>>,
    /// What a saga that is accepted here begins with.
    pub lease: Lease,
    pub quote_key: QuoteKey,
    pub clock: Clock,
    pub ids: Ids,
    pub shelves: Shelves,
}

/// The changes of an order, as the commands before this one have left them. A change that was made in this batch holds the order or has
/// ended it, and is found through the order.
pub fn changes_of(books: &Books, order: &Order) -> Vec<ChangeOrder> {
    let key = orders::key(order);
    let known = books.histories.get(&key).into_iter().flatten();
    let last = order.cancelled_by_change.iter();
    let ids: BTreeSet<_> = known.chain(last).collect();
    ids.into_iter().filter_map(|id| books.changes.get(&(order.tenant.clone(), id.clone())).cloned()).collect()
}
