//! RetryStep: the step a saga stands at is asked again, now, with the same key.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::sagas::shown;
use crate::api::convert::{NOTE_LENGTH_MAX, free_text, request_id, saga_id};
use crate::ops::Orders;
use crate::ops::use_cases::RetryStep;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::RetryStepRequest>,
) -> Result<wire::RetryStepResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let saga_id = saga_id(&request.saga_id)?;
    let note = free_text("note", NOTE_LENGTH_MAX, &request.note)?;
    let image = orders.ask(&caller, request_id, RetryStep { saga_id, note }).await?;
    Ok(wire::RetryStepResponse { saga: Some(shown(&image)) })
}
