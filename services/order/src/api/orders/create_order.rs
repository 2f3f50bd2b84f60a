//! CreateOrder: accepts an order in one commit; its saga then places it.

use kit::{Deadline, Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::new_order::new_order;
use crate::api::convert::{request_id, wait};
use crate::api::stating;
use crate::ops::Orders;
use crate::ops::use_cases::CreateOrder;
use crate::wire::order;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::CreateOrderRequest>,
) -> Result<wire::CreateOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let new = new_order(&request)?;
    stating::may_place(&caller, &new)?;
    let placed = orders.ask_for_order(&caller, request_id, CreateOrder(new), (wait, deadline)).await?;
    Ok(wire::CreateOrderResponse { order: Some(order(&placed)) })
}
