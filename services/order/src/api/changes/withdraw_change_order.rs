//! WithdrawChangeOrder: before the decision everything is put back; after it nothing is.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::shown;
use crate::api::convert::{NOTE_LENGTH_MAX, change_order_id, free_text, request_id};
use crate::ops::Orders;
use crate::ops::use_cases::WithdrawChange;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::WithdrawChangeOrderRequest>,
) -> Result<wire::WithdrawChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let change_order_id = change_order_id(&request.change_order_id)?;
    let note = free_text("note", NOTE_LENGTH_MAX, &request.note)?;
    let view = orders.ask(&caller, request_id, WithdrawChange { change_order_id, note }).await?;
    Ok(wire::WithdrawChangeOrderResponse { change_order: Some(shown(&view)) })
}
