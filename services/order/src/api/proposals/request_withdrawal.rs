//! RequestWithdrawal: its receipt is stored before this answers, and says nothing of accepting it.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{NOTE_LENGTH_MAX, optional, request_id, required};
use crate::api::orders::new_order::NUMBER_LENGTH_MAX;
use crate::ops::Orders;

const CONTACT_LENGTH_MAX: usize = 255;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::RequestWithdrawalRequest>,
) -> Result<wire::RequestWithdrawalResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let number = required("order_number", NUMBER_LENGTH_MAX, &request.order_number)?;
    let contact = required("client_contact", CONTACT_LENGTH_MAX, &request.client_contact)?;
    let note = optional("note", NOTE_LENGTH_MAX, &request.note)?;
    let view = orders.request_withdrawal(&caller, request_id, number, contact, note).await?;
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
