//! What of a wish is there for who wishes it: an order that the caller's role does not see is answered as one that does
//! not exist, before anything else is said about it.

use std::collections::BTreeSet;

use kit::Failure;
use types::{ChangeOrderId, OrderId, Refusal, ReturnId};

use super::batch::{Asked, Wish};
use super::books::Books;
use super::desk::DeskWish;
use super::orders::Orders;
use super::remedies::RemedyWish;
use super::returns::ReturnWish;
use crate::domain::order::{Actor, Order};
use crate::domain::readers::Reader;
use crate::store::keys::OrderKey;
use crate::store::{lists, orders};

/// What of an order a wish names.
enum Named<'a> {
    Order(&'a OrderId),
    Change(&'a ChangeOrderId),
    Return(&'a ReturnId),
}

impl Named<'_> {
    fn absent(&self) -> Refusal {
        match self {
            Self::Order(id) => Refusal::not_found("Order", id.as_str()),
            Self::Change(id) => Refusal::not_found("ChangeOrder", id.as_str()),
            Self::Return(id) => Refusal::not_found("Return", id.as_str()),
        }
    }
}

impl Orders {
    /// Whoever does not see everything is told that something is absent by one statement, whether it is or is hidden: what
    /// is read for a decision is more of an order that exists than of one that does not.
    pub(super) async fn is_there_for(&self, asked: &Asked, wish: &Wish) -> Result<(), Failure> {
        let Some(named) = named(wish).filter(|_| !asked.reach.is_tenant()) else { return Ok(()) };
        let tenant = &asked.tenant;
        let head = self
            .reading(async |tx| match &named {
                Named::Order(id) => {
                    let key: OrderKey = (tenant.clone(), (*id).clone());
                    Ok(orders::heads(tx, &BTreeSet::from([key])).await?.pop())
                }
                Named::Change(id) => lists::head_of_change(tx, &(tenant.clone(), (*id).clone())).await,
                Named::Return(id) => lists::head_of_return(tx, &(tenant.clone(), (*id).clone())).await,
            })
            .await?;
        match head.filter(|order| Reader::of(asked.reach, &asked.actor, order).sees_the_order()) {
            Some(_) => Ok(()),
            None => Err(Failure::from(named.absent())),
        }
    }
}

pub(super) fn check(books: &Books, asked: &Asked, wish: &Wish) -> Result<(), Refusal> {
    // Work of the services themselves was decided when it was accepted.
    if asked.actor == Actor::system() {
        return Ok(());
    }
    let Some(named) = named(wish) else { return Ok(()) };
    let found = order_of(books, asked, &named).ok_or_else(|| named.absent())?;
    if sees(books, asked, found) { Ok(()) } else { Err(named.absent()) }
}

/// Whether the order is there for who asks.
pub(super) fn sees(books: &Books, asked: &Asked, order: &Order) -> bool {
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

/// None where the caller's role alone decides, or a proof that the wish itself brings.
fn named(wish: &Wish) -> Option<Named<'_>> {
    match wish {
        Wish::ConfirmOrder(order_id)
        | Wish::StartProcessing(order_id)
        | Wish::Desk(DeskWish::MoveOrder { order_id, .. }) => Some(Named::Order(order_id)),
        Wish::SubmitChange { request, .. } => Some(Named::Order(&request.order_id)),
        Wish::WithdrawChange { change_order_id, .. } => Some(Named::Change(change_order_id)),
        Wish::Desk(DeskWish::AddNote(new)) => Some(Named::Order(&new.order_id)),
        Wish::Remedy(wish) => of_remedy(wish),
        Wish::Return(ReturnWish::Open(opening)) => Some(Named::Order(&opening.order_id)),
        Wish::Return(ReturnWish::Move { return_id, .. }) => Some(Named::Return(return_id)),
        Wish::CreateOrder(_)
        | Wish::RetryStep { .. }
        | Wish::AbortBeforePivot { .. }
        | Wish::WritePolicy { .. }
        | Wish::ChoosePolicy { .. }
        | Wish::OfferReason(_)
        | Wish::PutOnEdition(_)
        | Wish::GrantRoles(_)
        | Wish::RaiseFindings(_)
        | Wish::Acknowledge { .. }
        | Wish::Desk(DeskWish::UpsertFolder(_) | DeskWish::DeleteFolder(_) | DeskWish::UpsertRule(_)) => None,
    }
}

fn of_remedy(wish: &RemedyWish) -> Option<Named<'_>> {
    match wish {
        RemedyWish::Reissue(wish) => Some(Named::Order(&wish.order_id)),
        RemedyWish::Restore(request) => Some(Named::Order(&request.order_id)),
        RemedyWish::Pay(request) => Some(Named::Order(&request.order_id)),
        RemedyWish::Refund(request) | RemedyWish::PayOut(request) => Some(Named::Order(&request.order_id)),
        RemedyWish::ShortShip(request) => Some(Named::Order(&request.order_id)),
        RemedyWish::Propose { order_id, .. } => Some(Named::Order(order_id)),
        RemedyWish::Approve { change_order_id, .. } | RemedyWish::Decline { change_order_id, .. } => {
            Some(Named::Change(change_order_id))
        }
        RemedyWish::WarnOfExpiry(_)
        | RemedyWish::ExpireUnpaid(_)
        | RemedyWish::Expire(_)
        | RemedyWish::ReceiveWithdrawal { .. } => None,
    }
}
