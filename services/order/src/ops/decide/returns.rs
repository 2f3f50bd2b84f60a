//! Deciding a wish about a return in the batch. Accepting starts the saga of its change in the same commit.

use types::{Refusal, ReturnId};

use crate::domain::change::ChangeOrder;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, Opening};
use crate::domain::order::Order;
use crate::domain::returns::Return;
use crate::ops::books::Books;
use crate::ops::command::{After, Answer, Asked, Done, ReturnWish, Step};
use crate::ops::decide::context::{Context, author, begin, find};
use crate::ops::plans;
use crate::store::returns;

pub fn decide(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    wish: &ReturnWish,
    after: &mut After,
) -> Done {
    match wish {
        ReturnWish::Open(opening) => open(books, asked, opening),
        ReturnWish::Move { return_id, step } => {
            let (order, returned) = known(books, asked, return_id)?;
            match step {
                Step::Accept { lines, note } => {
                    let shelf = books.policies.shelf(&asked.tenant);
                    let author = author(books, asked, shelf.of(&order));
                    let mut order = order;
                    let (change, happened) =
                        lifecycle::accept_return(&mut order, &returned, lines, note, &author)?;
                    Ok(accept(context, books, asked, (order, change, happened), after))
                }
                Step::Receive { .. } | Step::Reject { .. } | Step::Close { .. } | Step::Expire => {
                    move_on(books, asked, order, returned, step)
                }
            }
        }
    }
}

fn open(books: &mut Books, asked: &Asked, opening: &Opening) -> Done {
    let order = find(books, asked, &opening.order_id)?;
    let others: Vec<Return> =
        books.returns.values().filter(|other| other.order_id == order.order_id).cloned().collect();
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    shelf.check_reason(&order, &opening.reason_code, &opening.note)?;
    let (opened, happened) = lifecycle::open_return(&order, opening, &others, books.ids.mint(), &author)?;
    Ok(written(books, asked, order, opened, happened))
}

fn accept(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    (order, change, happened): (Order, ChangeOrder, Happened),
    after: &mut After,
) -> (Answer, String) {
    let (lease, traceparent) = (context.lease.clone(), asked.traceparent.clone());
    let saga = plans::take_back(&order, &change, lease, traceparent);
    begin(context, books, asked, (order, change, happened), saga, after)
}

/// What moves the return alone.
fn move_on(books: &mut Books, asked: &Asked, order: Order, mut returned: Return, step: &Step) -> Done {
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    let happened = match step {
        Step::Receive { lines, note } => {
            lifecycle::receive_return(&order, &mut returned, lines, note, &author)?
        }
        Step::Reject { lines, note } => {
            lifecycle::reject_return(&order, &mut returned, lines, note, &author)?
        }
        Step::Close { note } => lifecycle::close_return(&order, &mut returned, note, &author)?,
        // One that was closed meanwhile stays as it is.
        Step::Expire => match lifecycle::expire_return(&order, &mut returned, books.now)? {
            Some(happened) => happened,
            None => return Ok(shown(returned)),
        },
        Step::Accept { .. } => unreachable!("accepting has a change order of its own"),
    };
    Ok(written(books, asked, order, returned, happened))
}

fn written(
    books: &mut Books,
    asked: &Asked,
    mut order: Order,
    returned: Return,
    happened: Happened,
) -> (Answer, String) {
    order.version += 1;
    books.put(order, None, happened, asked.traceparent.as_deref());
    books.put_return(returned.clone());
    shown(returned)
}

fn shown(returned: Return) -> (Answer, String) {
    let resource = returned.return_id.to_string();
    (Answer::Return(Box::new(returned)), resource)
}

fn known(books: &Books, asked: &Asked, return_id: &ReturnId) -> Result<(Order, Return), Refusal> {
    let not_found = || Refusal::not_found("Return", return_id.as_str());
    let key: returns::ReturnKey = (asked.tenant.clone(), return_id.clone());
    let returned = books.returns.get(&key).cloned().ok_or_else(not_found)?;
    let order = books.orders.get(&(asked.tenant.clone(), returned.order_id.clone())).cloned();
    Ok((order.ok_or_else(not_found)?, returned))
}
