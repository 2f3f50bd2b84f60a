//! What of an order a command names, for whoever may not see every order.

use types::{ChangeOrderId, OrderId, Refusal, ReturnId};

use super::desk::DeskWish;
use super::remedies::RemedyWish;
use super::request::Wish;
use super::returns::ReturnWish;

/// What of an order a wish names.
pub enum Named<'a> {
    Order(&'a OrderId),
    Change(&'a ChangeOrderId),
    Return(&'a ReturnId),
}

impl Named<'_> {
    pub fn absent(&self) -> Refusal {
        match self {
            Self::Order(id) => Refusal::not_found("Order", id.as_str()),
            Self::Change(id) => Refusal::not_found("ChangeOrder", id.as_str()),
            Self::Return(id) => Refusal::not_found("Return", id.as_str()),
        }
    }
}

/// None where the caller's role alone decides, or a proof that the wish itself brings.
pub fn named(wish: &Wish) -> Option<Named<'_>> {
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
        | Wish::Desk(DeskWish::UpsertFolder(_) | DeskWish::DeleteFolder(_)) => None,
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
