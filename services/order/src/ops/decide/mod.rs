//! What each command does to the overlay. Rules are `domain`'s; here its decisions are taken down, with the saga that
//! carries them out.

pub mod accept;
mod answers;
pub mod arrivals;
mod attention;
pub mod carry;
mod context;
mod desk;
mod findings;
mod outside;
mod owed;
mod policies;
pub mod queue;
mod remedies;
mod returns;
mod steer;
pub mod visible;

pub use context::Context;

use crate::ops::books::Books;
use crate::ops::command::{After, Asked, Done, Wish};

/// Decides one request.
pub fn decide(context: &Context, books: &mut Books, asked: &Asked, wish: &Wish, after: &mut After) -> Done {
    match wish {
        Wish::CreateOrder(new) => accept::create(context, books, asked, new, after),
        Wish::ConfirmOrder(order_id) => accept::confirm(books, asked, order_id),
        Wish::StartProcessing(order_id) => accept::start_processing(books, asked, order_id),
        Wish::SubmitChange { request, quote } => {
            accept::submit(context, books, asked, request, quote.as_ref(), after)
        }
        Wish::WithdrawChange { change_order_id, note } => {
            steer::withdraw(context, books, asked, change_order_id, note, after)
        }
        Wish::RetryStep { saga_id, note } => steer::retry(books, asked, saga_id, note, after),
        Wish::AbortBeforePivot { saga_id, note } => steer::abort(books, asked, saga_id, note, after),
        Wish::WritePolicy { policy_id, document } => policies::write(books, asked, policy_id, document),
        Wish::ChoosePolicy { policy_id, version, selector } => {
            policies::choose(books, asked, policy_id, *version, selector)
        }
        Wish::OfferReason(reason) => policies::offer(books, asked, reason),
        Wish::PutOnEdition(edition) => Ok(policies::put_on(books, asked, edition)),
        Wish::GrantRoles(granted) => policies::grant(books, asked, granted),
        Wish::RaiseFindings(findings) => Ok(findings::raise(books, asked, findings)),
        Wish::Acknowledge { attention_id, note } => attention::acknowledge(books, asked, attention_id, note),
        Wish::Desk(wish) => desk::decide(books, asked, wish),
        Wish::Remedy(wish) => remedies::decide(context, books, asked, wish, after),
        Wish::Return(wish) => returns::decide(context, books, asked, wish, after),
    }
}
