//! DeclineChangeOrder: the other side does not agree.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::changes::shown;
use crate::api::convert::{NOTE_LENGTH_MAX, change_order_id, free_text, request_id};
use crate::ops::Orders;
use crate::ops::use_cases::DeclineChange;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::DeclineChangeOrderRequest>,
) -> Result<wire::DeclineChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let change_order_id = change_order_id(&request.change_order_id)?;
    let note = free_text("note", NOTE_LENGTH_MAX, &request.note)?;
    let view = orders.ask(&caller, request_id, DeclineChange { change_order_id, note }).await?;
    Ok(wire::DeclineChangeOrderResponse { change_order: Some(shown(&view)) })
}
