//! RefundOrder: money goes back without units.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Fingerprint, PaymentId, Reason, RefundId, Refusal};

use crate::api::changes::shown;
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, free_text, minor, optional, order_id, request_id, wait,
};
use crate::domain::lifecycle::{Given, RefundRequest};
use crate::ops::Orders;
use crate::ops::use_cases::RefundOrder;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::RefundOrderRequest>,
) -> Result<wire::RefundOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let refund = RefundOrder(parsed(&request)?);
    let view = orders.ask_for_change(&caller, request_id, refund, (wait, deadline)).await?;
    Ok(wire::RefundOrderResponse { change_order: Some(shown(&view)) })
}

fn parsed(request: &wire::RefundOrderRequest) -> Result<RefundRequest, Refusal> {
    let canonical = wire::RefundOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Ok(RefundRequest {
        order_id: order_id("order_id", &request.order_id)?,
        what: what(request)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

fn what(request: &wire::RefundOrderRequest) -> Result<Given, Refusal> {
    if request.retry_of.is_empty() {
        if !request.payment_id.is_empty() {
            let message =
                "a tender is named with retry_of alone; goodwill goes back as the policy divides it";
            return Err(Refusal::new(Reason::FieldInvalid, message).field("payment_id"));
        }
        return Ok(Given::Goodwill { amount_minor: minor("amount_minor", 1, request.amount_minor)? });
    }
    if request.amount_minor != 0 {
        let message = "what is owed is given back as it is; no amount can be named with retry_of";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("amount_minor"));
    }
    let retry_of =
        RefundId::parse(&request.retry_of).map_err(|error| Refusal::from(error).field("retry_of"))?;
    let payment_id = match request.payment_id.as_str() {
        "" => None,
        id => Some(PaymentId::parse(id).map_err(|error| Refusal::from(error).field("payment_id"))?),
    };
    Ok(Given::Again { retry_of, payment_id })
}
