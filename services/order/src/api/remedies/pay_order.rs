//! PayOrder: what is missing of an order that awaits payment is paid.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Fingerprint, Refusal};

use crate::api::changes::shown;
use crate::api::convert::{order_id, request_id, wait};
use crate::api::orders::new_order::{SIDE_ROWS_MAX, each, tender};
use crate::api::stating;
use crate::domain::lifecycle::PayRequest;
use crate::ops::Orders;
use crate::ops::use_cases::PayOrder;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::PayOrderRequest>,
) -> Result<wire::PayOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let paid = parsed(&request)?;
    stating::may_pay_with(&caller, &paid.tenders)?;
    let view = orders.ask_for_change(&caller, request_id, PayOrder(paid), (wait, deadline)).await?;
    Ok(wire::PayOrderResponse { change_order: Some(shown(&view)) })
}

fn parsed(request: &wire::PayOrderRequest) -> Result<PayRequest, Refusal> {
    let canonical = wire::PayOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Ok(PayRequest {
        order_id: order_id("order_id", &request.order_id)?,
        tenders: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}
