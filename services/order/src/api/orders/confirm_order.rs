//! ConfirmOrder: PENDING becomes CONFIRMED.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{order_id, request_id};
use crate::ops::Orders;
use crate::ops::use_cases::ConfirmOrder;
use crate::wire::order;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ConfirmOrderRequest>,
) -> Result<wire::ConfirmOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let order_id = order_id("order_id", &request.order_id)?;
    let confirmed = orders.ask(&caller, request_id, ConfirmOrder { order_id }).await?;
    Ok(wire::ConfirmOrderResponse { order: Some(order(&confirmed)) })
}
