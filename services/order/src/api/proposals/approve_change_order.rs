//! ApproveChangeOrder: the other side agrees.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::Fingerprint;

use crate::api::changes::shown;
use crate::api::convert::{change_order_id, request_id, wait};
use crate::api::orders::new_order::{SIDE_ROWS_MAX, each, tender};
use crate::api::stating;
use crate::ops::Orders;
use crate::ops::use_cases::ApproveChange;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ApproveChangeOrderRequest>,
) -> Result<wire::ApproveChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let canonical = wire::ApproveChangeOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    let approval = ApproveChange {
        change_order_id: change_order_id(&request.change_order_id)?,
        tenders: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    };
    stating::may_pay_with(&caller, &approval.tenders)?;
    let view = orders.ask_for_change(&caller, request_id, approval, (wait, deadline)).await?;
    Ok(wire::ApproveChangeOrderResponse { change_order: Some(shown(&view)) })
}
