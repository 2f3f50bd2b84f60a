//! Accepting a remedy in the batch, together with the saga that carries it out.

use types::{OrderId, PaymentId, Reason, Refusal};

use crate::domain::change::ChangeState;
use crate::domain::history::Entry;
use crate::domain::lifecycle::{self, PayRequest, RefundRequest, RestoreRequest, ShortShipRequest};
use crate::domain::placing::NewTender;
use crate::domain::policy::grant;
use crate::domain::reissue::{self, Reissue};
use crate::ops::books::Books;
use crate::ops::command::{After, Answer, Asked, Done, RemedyWish};
use crate::ops::decide::context::{Context, author, begin, changes_of, find};
use crate::ops::decide::{accept, answers};
use crate::ops::plans;
use crate::store::orders;

pub fn decide(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    wish: &RemedyWish,
    after: &mut After,
) -> Done {
    if let Some(needed) = wish.needs() {
        books.policies.shelf(&asked.tenant).edition.check(needed)?;
    }
    match wish {
        RemedyWish::Reissue(wish) => reissue(context, books, asked, wish, after),
        RemedyWish::Restore(request) => restore(context, books, asked, request, after),
        RemedyWish::Pay(request) => pay(context, books, asked, request, after),
        RemedyWish::Refund(request) | RemedyWish::PayOut(request) => {
            refund(context, books, asked, request, after)
        }
        RemedyWish::WarnOfExpiry(order_id) => warn_of_expiry(books, asked, order_id),
        RemedyWish::ExpireUnpaid(order_id) => expire_unpaid(context, books, asked, order_id, after),
        RemedyWish::ShortShip(request) => short_ship(context, books, asked, request, after),
        RemedyWish::Propose { order_id, proposal, counter_of } => {
            answers::propose(context, books, asked, order_id, proposal, counter_of.as_ref())
        }
        RemedyWish::ReceiveWithdrawal { order_id, number, contact, note } => {
            answers::receive_withdrawal(context, books, asked, (order_id, number), contact, note)
        }
        RemedyWish::Approve { change_order_id, tenders } => {
            answers::approve(context, books, asked, change_order_id, tenders, after)
        }
        RemedyWish::Decline { change_order_id, note } => {
            answers::decline(context, books, asked, change_order_id, note)
        }
        RemedyWish::Expire(change_order_id) => answers::expire(context, books, asked, change_order_id),
    }
}

/// A new order, placed like any other; the timeline of the one it is made of tells of it.
fn reissue(context: &Context, books: &mut Books, asked: &Asked, wish: &Reissue, after: &mut After) -> Done {
    let source = find(books, asked, &wish.order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let policy = shelf.of(&source);
    if grant(policy, &source, &asked.actor).is_none() {
        let message = "neither the current role nor the relation to the order allows to make it again";
        return Err(Refusal::new(Reason::PermissionDenied, message)
            .detail("policy_version", policy.version_text())
            .detail("role", &asked.actor.role));
    }
    let is_free = |number: &String| books.numbers.get(&(asked.tenant.clone(), number.clone())).is_none();
    let Some(number) = reissue::numbers(&source.number).find(is_free) else {
        let message = format!("order {} was made again too often", source.number);
        return Err(Refusal::new(Reason::StateConflict, message));
    };
    let summary = format!("the order was placed again as {number}");
    let created = accept::create(context, books, asked, &reissue::new_order(&source, wish, number)?, after)?;
    let entry = Entry::new(books.now, asked.actor.clone(), "order.reissued", summary);
    books.note(&orders::key(&source), entry);
    Ok(created)
}

fn restore(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    request: &RestoreRequest,
    after: &mut After,
) -> Done {
    let mut order = find(books, asked, &request.order_id)?;
    let mut settling = changes_of(books, &order);
    settling.retain(|change| change.state == ChangeState::Settling);
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    let (change, happened) = lifecycle::accept_restore(&mut order, request, &settling, &author)?;
    let tenders = minted(books, &request.tenders);
    let saga = plans::restore(&order, &change, &tenders, context.lease.clone(), asked.traceparent.clone());
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}

/// Pays what is missing; whose tenders are refused may try again.
fn pay(context: &Context, books: &mut Books, asked: &Asked, request: &PayRequest, after: &mut After) -> Done {
    let mut order = find(books, asked, &request.order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    let (change, happened) = lifecycle::accept_payment(&mut order, &author)?;
    let tenders = minted(books, &request.tenders);
    let saga = plans::pay(&order, &change, &tenders, context.lease.clone(), asked.traceparent.clone());
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}

/// The ids of payments, before the first step.
fn minted(books: &Books, tenders: &[NewTender]) -> Vec<(PaymentId, NewTender)> {
    tenders.iter().map(|tender| (books.ids.mint(), tender.clone())).collect()
}

fn refund(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    request: &RefundRequest,
    after: &mut After,
) -> Done {
    let mut order = find(books, asked, &request.order_id)?;
    let changes = changes_of(books, &order);
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    shelf.check_reason(&order, &request.reason_code, &request.note)?;
    let (change, happened) = lifecycle::accept_refund(&mut order, request, &changes, &author)?;
    let (lease, traceparent) = (context.lease.clone(), asked.traceparent.clone());
    let saga = plans::cancel(&order, &change, lease, traceparent);
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}

fn short_ship(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    request: &ShortShipRequest,
    after: &mut After,
) -> Done {
    let mut order = find(books, asked, &request.order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    shelf.check_reason(&order, &request.reason_code, &request.note)?;
    let (change, happened) = lifecycle::accept_short_ship(&mut order, request, &author)?;
    let (lease, traceparent) = (context.lease.clone(), asked.traceparent.clone());
    let saga = plans::cancel(&order, &change, lease, traceparent);
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}

/// One that was paid meanwhile stays as it is.
fn warn_of_expiry(books: &mut Books, asked: &Asked, order_id: &OrderId) -> Done {
    let mut order = find(books, asked, order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    if let Some(happened) = lifecycle::warn_of_expiry(&order, shelf.of(&order), books.now) {
        order.version += 1;
        books.put(order.clone(), None, happened, asked.traceparent.as_deref());
    }
    Ok((Answer::Order(Box::new(order)), order_id.to_string()))
}

fn expire_unpaid(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    order_id: &OrderId,
    after: &mut After,
) -> Done {
    let mut order = find(books, asked, order_id)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let author = author(books, asked, shelf.of(&order));
    let (change, happened) = lifecycle::accept_expiry(&mut order, &author)?;
    let (lease, traceparent) = (context.lease.clone(), asked.traceparent.clone());
    let saga = plans::cancel(&order, &change, lease, traceparent);
    Ok(begin(context, books, asked, (order, change, happened), saga, after))
}
