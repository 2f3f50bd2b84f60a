//! VerifyOrder: the order's own equations, computed over again.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::order_id;
use crate::domain::verify::verify;
use crate::ops::Orders;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::VerifyOrderRequest>,
) -> Result<wire::VerifyOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let order_id = order_id("order_id", &request.get_ref().order_id)?;

    let (order, changes) = orders.order_with_changes(&caller, &order_id).await?;
    let broken = verify(&order, &changes);
    let row = |broken: crate::domain::verify::Broken| wire::BrokenEquation {
        equation: broken.equation.to_owned(),
        row: broken.row,
    };
    Ok(wire::VerifyOrderResponse { holds: broken.is_empty(), broken: broken.into_iter().map(row).collect() })
}
