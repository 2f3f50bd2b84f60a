//! GetChangeOrder.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::shown;
use crate::api::convert::change_order_id;
use crate::ops::Orders;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::GetChangeOrderRequest>,
) -> Result<wire::GetChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let change_order_id = change_order_id(&request.get_ref().change_order_id)?;

    let view = orders.get_change(&caller, &change_order_id).await?;
    Ok(wire::GetChangeOrderResponse { change_order: Some(shown(&view)) })
}
