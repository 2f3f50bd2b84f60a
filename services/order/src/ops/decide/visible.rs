//! Whether the caller may see what a request names. An order that is hidden from the caller is answered like one that does not exist,
//! before anything else is said about it.

use types::Refusal;

use crate::domain::order::{Actor, Order};
use crate::domain::readers::Reader;
use crate::ops::books::Books;
use crate::ops::command::{Asked, Named};
use crate::store::keys::OrderKey;

pub fn check(books: &Books, asked: &Asked, about: Option<Named<'_>>) -> Result<(), Refusal> {
    // Work of the services themselves was decided when it was accepted.
    if asked.actor == Actor::system() {
        return Ok(());
    }
    let Some(named) = about else { return Ok(()) };
    let found = order_of(books, asked, &named).ok_or_else(|| named.absent())?;
    if sees(books, asked, found) { Ok(()) } else { Err(named.absent()) }
}

/// Whether the caller may see the order.
pub fn sees(books: &Books, asked: &Asked, order: &Order) -> bool {
    let shelf = books.policies.shelf(&asked.tenant);
    Reader::of(shelf.of(order).grants(&asked.actor.role).reach, &asked.actor, order).sees_the_order()
}

fn order_of<'a>(books: &'a Books, asked: &Asked, named: &Named<'_>) -> Option<&'a Order> {
    let tenant = &asked.tenant;
    let order_id = match named {
        Named::Order(id) => (*id).clone(),
        Named::Change(id) => books.changes.get(&(tenant.clone(), (*id).clone()))?.order_id.clone(),
        Named::Return(id) => books.returns.get(&(tenant.clone(), (*id).clone()))?.order_id.clone(),
    };
    let key: OrderKey = (tenant.clone(), order_id);
    books.orders.get(&key)
}
