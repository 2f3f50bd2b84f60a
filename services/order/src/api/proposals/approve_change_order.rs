//! ApproveChangeOrder: the other side agrees.

use kit::{Deadline, Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::changes::shown;
use crate::api::convert::{change_order_id, request_id, wait};
use crate::ops::Orders;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ApproveChangeOrderRequest>,
) -> Result<wire::ApproveChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let change_order_id = change_order_id(&request.change_order_id)?;
    let view = orders.approve_change(&caller, request_id, change_order_id, wait, deadline).await?;
    Ok(wire::ApproveChangeOrderResponse { change_order: Some(shown(&view)) })
}
