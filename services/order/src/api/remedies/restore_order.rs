//! RestoreOrder: a wholly cancelled order stands again, or stays as it is.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Fingerprint, Refusal};

use crate::api::changes::shown;
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, free_text, optional, order_id, request_id, wait,
};
use crate::api::orders::new_order::{SIDE_ROWS_MAX, each, tender};
use crate::api::stating;
use crate::domain::lifecycle::RestoreRequest;
use crate::ops::Orders;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::RestoreOrderRequest>,
) -> Result<wire::RestoreOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let restored = parsed(&request)?;
    stating::may_pay_with(&caller, &restored.tenders)?;
    let view = orders.restore_order(&caller, request_id, restored, (wait, deadline)).await?;
    Ok(wire::RestoreOrderResponse { change_order: Some(shown(&view)) })
}

fn parsed(request: &wire::RestoreOrderRequest) -> Result<RestoreRequest, Refusal> {
    let canonical = wire::RestoreOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Ok(RestoreRequest {
        order_id: order_id("order_id", &request.order_id)?,
        tenders: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        lacking: None,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}
