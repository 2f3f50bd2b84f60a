//! RequestWithdrawal: its receipt is stored before this answers, and says nothing of accepting it.

use kit::server::Origin;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::Reason;

use crate::api::convert::{NOTE_LENGTH_MAX, free_text, request_id, required, required_line};
use crate::api::orders::new_order::NUMBER_LENGTH_MAX;
use crate::ops::Orders;
use crate::ops::guesses::{Guess, Guesses};

const CONTACT_LENGTH_MAX: usize = 255;

pub async fn answer(
    orders: &Orders,
    guesses: &Guesses,
    request: Request<wire::RequestWithdrawalRequest>,
) -> Result<wire::RequestWithdrawalResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let origin = Origin::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let number = required("order_number", NUMBER_LENGTH_MAX, &request.order_number)?;
    let contact = required_line("client_contact", CONTACT_LENGTH_MAX, &request.client_contact)?;
    let note = free_text("note", NOTE_LENGTH_MAX, &request.note)?;
    let guess = Guess::new(&caller, origin, &number, &contact);
    // Those who run the place see the order anyway: what they get wrong is no guess.
    let guesses = (!caller.sees_everything()).then_some(guesses);
    if let Some(guesses) = guesses {
        guesses.may_try(&guess)?;
    }
    let received = orders.request_withdrawal(&caller, request_id, number, contact, note).await;
    if let (Some(guesses), Err(failure)) = (guesses, &received)
        && failure.reason() == Reason::ResourceNotFound
    {
        guesses.was_wrong(&guess);
    }
    let view = received?;
    let received_at = view.change.created_at.to_string();
    Ok(wire::RequestWithdrawalResponse {
        change_order_id: view.change.change_order_id.to_string(),
        number: view.change.number.clone(),
        acknowledgement: format!(
            "Your withdrawal from order {} was received at {received_at} under the number {}. \
             This confirms its receipt only.",
            view.order_number, view.change.number
        ),
        received_at,
    })
}
