//! SubmitChangeOrder: accepted in one commit, or refused without a trace.

use kit::{Deadline, Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::change_request::change_request;
use super::shown;
use crate::api::convert::{condition, request_id, wait};
use crate::domain::quote::Presented;
use crate::ops::use_cases::SubmitChange;
use crate::ops::{Orders, bearer};

/// No quote of ours is longer.
const QUOTE_LENGTH_MAX: usize = 1_024;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::SubmitChangeOrderRequest>,
) -> Result<wire::SubmitChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let quote_id = condition("quote_id", QUOTE_LENGTH_MAX, &request.quote_id)?;
    let submit = SubmitChange {
        request: change_request(request.change.as_ref())?,
        quote: quote_id.map(|quote_id| Presented { quote_id, by: bearer(&caller) }),
    };
    let view = orders.ask_for_change(&caller, request_id, submit, (wait, deadline)).await?;
    Ok(wire::SubmitChangeOrderResponse { change_order: Some(shown(&view)) })
}
