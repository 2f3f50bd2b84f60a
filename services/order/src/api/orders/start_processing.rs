//! StartProcessing: work on the order has begun.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{order_id, request_id};
use crate::ops::Orders;
use crate::ops::use_cases::StartProcessing;
use crate::wire::order;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::StartProcessingRequest>,
) -> Result<wire::StartProcessingResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let order_id = order_id("order_id", &request.order_id)?;
    let started = orders.ask(&caller, request_id, StartProcessing { order_id }).await?;
    Ok(wire::StartProcessingResponse { order: Some(order(&started)) })
}
