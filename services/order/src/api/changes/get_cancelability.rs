//! GetCancelability: what may be cancelled now, and why not the rest.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::Refusal;

use crate::api::convert::order_id;
use crate::domain::cancelability::{Advice, LineCancelability, cancelability};
use crate::ops::Orders;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::GetCancelabilityRequest>,
) -> Result<wire::GetCancelabilityResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let order_id = order_id("order_id", &request.get_ref().order_id)?;

    let found = cancelability(&orders.get_order(&caller, &order_id).await?);
    Ok(wire::GetCancelabilityResponse {
        allowed: found.allowed,
        blockers: found.blockers.iter().map(blocker).collect(),
        lines: found.lines.iter().map(line).collect(),
        advice: advice(found.advice).into(),
        allowed_actions: found.allowed_actions.into_iter().map(str::to_owned).collect(),
        policy_version: found.policy_version.to_owned(),
    })
}

fn blocker(refusal: &Refusal) -> wire::Blocker {
    wire::Blocker { reason: refusal.reason.as_str().to_owned(), message: refusal.message.clone() }
}

fn line(line: &LineCancelability) -> wire::LineCancelability {
    wire::LineCancelability {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        available_to_cancel: line.available_to_cancel,
        blockers: line.blockers.iter().map(blocker).collect(),
    }
}

fn advice(advice: Advice) -> wire::CancelAdvice {
    match advice {
        Advice::Safe => wire::CancelAdvice::Safe,
        Advice::ContactFirst => wire::CancelAdvice::ContactFirst,
        Advice::Urgent => wire::CancelAdvice::Urgent,
        Advice::TooLate => wire::CancelAdvice::TooLate,
    }
}
