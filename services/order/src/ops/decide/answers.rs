//! Changes that one side asks for and the other answers, decided in the batch.

use types::{ChangeOrderId, OrderId, PaymentId, Refusal};

use crate::domain::change::ChangeOrder;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, Proposal};
use crate::domain::order::Order;
use crate::domain::placing::NewTender;
use crate::ops::books::{Books, views};
use crate::ops::command::{After, Answer, Asked, Done};
use crate::ops::decide::context::{Context, author, begin, changes_of, find};
use crate::ops::plans::amend;

pub fn propose(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    order_id: &OrderId,
    proposal: &Proposal,
    counter_of: Option<&ChangeOrderId>,
) -> Done {
    let order = find(books, asked, order_id)?;
    let mut countered = match counter_of {
        None => None,
        Some(id) => {
            let not_found = || Refusal::not_found("ChangeOrder", id.as_str()).field("counter_of");
            let change = books.changes.get(&(asked.tenant.clone(), id.clone())).cloned();
            Some(change.filter(|change| change.order_id == *order_id).ok_or_else(not_found)?)
        }
    };
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    shelf.check_reason(&order, &proposal.reason_code, &proposal.note)?;
    let (change, happened) = lifecycle::propose(&order, proposal, countered.as_mut(), &author, &books.ids)?;
    if let Some(countered) = countered {
        books.put(order.clone(), Some(countered), Happened::default(), asked.traceparent.as_deref());
    }
    Ok(written(context, books, asked, order, &change, happened))
}

pub fn receive_withdrawal(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    (order_id, number): (&OrderId, &str),
    contact: &str,
    note: &str,
) -> Done {
    let order = find(books, asked, order_id).map_err(|_| Refusal::not_found("Order", number))?;
    let earlier = changes_of(books, &order);
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    let (change, happened) = lifecycle::receive_withdrawal(&order, &earlier, contact, note, &author)?;
    Ok(written(context, books, asked, order, &change, happened))
}

/// The other side agrees: the saga that carries the change out starts in the same commit.
pub fn approve(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    change_order_id: &ChangeOrderId,
    tenders: &[NewTender],
    after: &mut After,
) -> Done {
    let (mut order, mut change) = requested(books, asked, change_order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let policy = shelf.of(&order);
    let offered = if tenders.is_empty() { change.in_confidence.pays.clone() } else { tenders.to_vec() };
    let before = order.clone();
    let happened = lifecycle::approve(&mut order, &mut change, &offered, &asked.actor, policy, books.now)?;
    let tenders: Vec<(PaymentId, NewTender)> =
        offered.into_iter().map(|tender| (books.ids.mint(), tender)).collect();
    let (lease, traceparent) = (context.lease.clone(), asked.traceparent.clone());
    let saga = amend::agreed(&before, &change, &tenders, lease, traceparent);
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}

pub fn decline(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    change_order_id: &ChangeOrderId,
    note: &str,
) -> Done {
    let (order, mut change) = requested(books, asked, change_order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let policy = shelf.of(&order);
    let happened = lifecycle::decline(&order, &mut change, &asked.actor, policy, note, books.now)?;
    Ok(written(context, books, asked, order, &change, happened))
}

/// One that was answered meanwhile stays as it is.
pub fn expire(context: &Context, books: &mut Books, asked: &Asked, change_order_id: &ChangeOrderId) -> Done {
    let (order, mut change) = requested(books, asked, change_order_id)?;
    Ok(match lifecycle::expire(&order, &mut change, books.now) {
        Some(happened) => written(context, books, asked, order, &change, happened),
        None => shown(context, books, &order, &change),
    })
}

fn requested(
    books: &Books,
    asked: &Asked,
    change_order_id: &ChangeOrderId,
) -> Result<(Order, ChangeOrder), Refusal> {
    let not_found = || Refusal::not_found("ChangeOrder", change_order_id.as_str());
    let change = books.changes.get(&(asked.tenant.clone(), change_order_id.clone())).cloned();
    let change = change.ok_or_else(not_found)?;
    let order = books.orders.get(&(asked.tenant.clone(), change.order_id.clone())).cloned();
    Ok((order.ok_or_else(not_found)?, change))
}

/// Writes a change down that holds nothing of its order.
fn written(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    mut order: Order,
    change: &ChangeOrder,
    happened: Happened,
) -> (Answer, String) {
    order.version += 1;
    books.put(order.clone(), Some(change.clone()), happened, asked.traceparent.as_deref());
    shown(context, books, &order, change)
}

fn shown(context: &Context, books: &Books, order: &Order, change: &ChangeOrder) -> (Answer, String) {
    let view = views::of_books(&context.registry, books, order, change);
    (Answer::Change(Box::new(view)), change.change_order_id.to_string())
}
