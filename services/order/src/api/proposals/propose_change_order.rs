//! ProposeChangeOrder: stored with its price; nothing of the order moves.

use kit::{Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{ChangeOrderId, Fingerprint, Refusal};

use super::proposed::proposal;
use crate::api::changes::shown;
use crate::api::convert::{order_id, request_id};
use crate::api::stating;
use crate::ops::Orders;
use crate::ops::use_cases::ProposeChange;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ProposeChangeOrderRequest>,
) -> Result<wire::ProposeChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let canonical = wire::ProposeChangeOrderRequest { request_id: String::new(), ..request.clone() };
    let content = Fingerprint::of(&[&canonical.encode_to_vec()]);
    let request_id = request_id(&request.request_id)?;
    let order_id = order_id("order_id", &request.order_id)?;
    let proposal = proposal(&request, orders.now())?;
    stating::may_pay_with(&caller, &proposal.pays)?;
    let counter_of = match request.counter_of.as_str() {
        "" => None,
        id => Some(ChangeOrderId::parse(id).map_err(|error| Refusal::from(error).field("counter_of"))?),
    };
    let propose = ProposeChange { order_id, proposal, counter_of, content };
    let view = orders.ask(&caller, request_id, propose).await?;
    Ok(wire::ProposeChangeOrderResponse { change_order: Some(shown(&view)) })
}
