//! GetCancelability: what the caller may cancel now, and why not the rest.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::standing::{acks, advice, advice_key, blocker, impact, warning};
use crate::api::convert::order_id;
use crate::domain::cancelability::{LineCancelability, cancelability};
use crate::domain::workflow::{Stage, Step};
use crate::ops::{Orders, actor};
use crate::wire::outside;
use crate::wire::{granted_by, timestamp};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::GetCancelabilityRequest>,
) -> Result<wire::GetCancelabilityResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let order_id = order_id("order_id", &request.get_ref().order_id)?;

    let order = orders.get_order(&caller, &order_id).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let found = cancelability(&order, shelf.of(&order), &shelf.edition, &actor(&caller), orders.now());
    let foreseen = orders.foresee_targets(&caller, &order, true).await?;
    Ok(wire::GetCancelabilityResponse {
        allowed: found.allowed,
        blockers: found.blockers.iter().map(blocker).collect(),
        lines: found.lines.iter().map(line).collect(),
        advice: advice(found.advice).into(),
        allowed_actions: found.allowed_actions.into_iter().map(str::to_owned).collect(),
        policy_version: found.policy_version,
        warnings: found.warnings.iter().map(warning).collect(),
        required_acks: acks(&found.required_acks),
        window_closes_at: timestamp(found.window_closes_at),
        rule_id: found.rule,
        granted_by: granted_by(found.grant),
        advice_key: advice_key(found.advice),
        impact: Some(impact(found.impact)),
        steps: found.steps.into_iter().map(step).collect(),
        partner_handovers: outside::handovers(&order.outside),
        label_options: outside::label_options(&order.outside),
        propagation: outside::forecasts(&foreseen.targets),
        propagation_unavailable: !foreseen.is_whole,
        edition_blockers: found.edition_blockers.iter().map(blocker).collect(),
    })
}

fn step(step: Step) -> wire::FulfilmentStep {
    let stage = match step.stage {
        Stage::Unallocated => wire::FulfilmentStage::Unallocated,
        Stage::Allocated => wire::FulfilmentStage::Allocated,
        Stage::Submitted => wire::FulfilmentStage::Submitted,
        Stage::Shipped => wire::FulfilmentStage::Shipped,
        Stage::Delivered => wire::FulfilmentStage::Delivered,
    };
    wire::FulfilmentStep {
        stage: stage.into(),
        units: step.units,
        fulfillment_id: step.fulfillment_id,
        allowed_actions: step.allowed_actions.into_iter().map(str::to_owned).collect(),
    }
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
