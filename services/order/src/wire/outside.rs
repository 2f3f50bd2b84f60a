//! Labels, goods at partners, and what partners were asked.

use proto::common::v1::Money;
use proto::order::v1 as wire;

use crate::domain::outside::{Handed, Label, Leg, LegState, Outside};
use crate::domain::propagation::{Forecast, Outlook};

pub fn labels(outside: &Outside) -> Vec<wire::OrderLabel> {
    outside.labels.iter().map(label).collect()
}

pub fn handovers(outside: &Outside) -> Vec<wire::PartnerHandover> {
    outside.handed.iter().map(handover).collect()
}

pub fn propagation(legs: &[Leg]) -> Vec<wire::PropagationTarget> {
    legs.iter().map(target).collect()
}

/// Every outsider that was asked has given its word.
pub fn is_confirmed(legs: &[Leg]) -> bool {
    let mut asked = legs.iter().filter(|leg| !leg.task_id.is_empty());
    asked.all(|leg| matches!(leg.state, LegState::Acked | LegState::Rejected | LegState::Withdrawn))
}

pub fn forecasts(forecasts: &[Forecast]) -> Vec<wire::PropagationForecast> {
    let shown = forecasts.iter().map(|forecast| wire::PropagationForecast {
        target: forecast.target.clone(),
        reference: forecast.reference.clone(),
        upstream: forecast.upstream,
        told: forecast.outlook.is_told(),
        by_rule: forecast.outlook == Outlook::ToldByRule,
        why_not: forecast.outlook.why_not().to_owned(),
        message: forecast.outlook.message().to_owned(),
        method: forecast.method.clone(),
    });
    shown.collect()
}

/// What may be said of labels: nothing, where there is none to void.
pub fn label_options(outside: &Outside) -> Vec<i32> {
    if outside.has_label() {
        vec![wire::LabelAction::Keep.into(), wire::LabelAction::Void.into()]
    } else {
        Vec::new()
    }
}

fn label(label: &Label) -> wire::OrderLabel {
    wire::OrderLabel {
        label_id: label.label_id.clone(),
        fulfillment_id: label.fulfillment_id.clone(),
        tracking_number: label.tracking_number.clone(),
        state: label.state.clone(),
        credit: label.credit.clone(),
        refusal: label.refusal.clone(),
        cost: Some(Money { currency_code: label.currency.clone(), minor_units: label.cost_minor }),
    }
}

fn handover(handed: &Handed) -> wire::PartnerHandover {
    wire::PartnerHandover {
        fulfillment_id: handed.fulfillment_id.clone(),
        integration: handed.integration.clone(),
        external_number: handed.external_number.clone(),
        submitted_at: handed.submitted_at.clone(),
        method: handed.method.clone(),
        window_closes_at: handed.window_closes_at.clone(),
        confirmation_required: handed.confirmation_required,
        needs_reason: handed.needs_reason,
    }
}

fn target(leg: &Leg) -> wire::PropagationTarget {
    let state = match leg.state {
        LegState::NotSent => wire::PropagationState::NotSent,
        LegState::Sent => wire::PropagationState::Sent,
        LegState::Acked => wire::PropagationState::Acked,
        LegState::Rejected => wire::PropagationState::Rejected,
        LegState::Unconfirmed => wire::PropagationState::Unconfirmed,
        LegState::Manual => wire::PropagationState::Manual,
        LegState::Withdrawn => wire::PropagationState::Withdrawn,
    };
    wire::PropagationTarget {
        task_id: leg.task_id.clone(),
        change_order_id: leg.change_order_id.clone(),
        target: leg.integration.clone(),
        fulfillment_id: leg.fulfillment_id.clone(),
        external_number: leg.external_number.clone(),
        state: state.into(),
        method: leg.method.clone(),
        detail: leg.detail.clone(),
        shipped_after_cancel: leg.shipped_after_cancel,
        updated_at: leg.updated_at.clone(),
        upstream: leg.is_upstream(),
    }
}
