//! CreateBatch.

use std::collections::BTreeSet;

use kit::Failure;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Reason, Refusal};

use super::operator;
use super::shown::batch;
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, free_text, missing, optional, request_id,
    required, unknown_value,
};
use crate::batches::ask::{Batches, NewBatch};
use crate::batches::domain::ITEMS_MAX;
use crate::batches::domain::means::{PER_MINUTE_MAX, RATES_MAX, Rates};
use crate::domain::change::LabelAction;

pub async fn answer(
    batches: &Batches,
    request: Request<wire::CreateBatchRequest>,
) -> Result<wire::CreateBatchResponse, Failure> {
    let caller = operator(&request)?;
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let new = NewBatch {
        orders: names(&request)?,
        sku: optional("sku", REFERENCE_LENGTH_MAX, &request.sku)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        label_action: label_action(request.label_action)?,
        rates: rates(&request.rates)?,
        dry_run: request.dry_run,
    };
    let created = batches.create_batch(&caller, request_id, new).await?;
    Ok(wire::CreateBatchResponse { batch: Some(batch(&created)) })
}

/// The orders that are named, each once; none where an article is.
fn names(request: &wire::CreateBatchRequest) -> Result<Vec<String>, Refusal> {
    match (request.orders.len(), request.sku.as_str()) {
        (0, "") => return Err(missing("orders", "a batch names orders, or an article")),
        (0, _) => return Ok(Vec::new()),
        (_, sku) if !sku.is_empty() => {
            let message = "a batch names orders or an article, not both";
            return Err(Refusal::new(Reason::FieldInvalid, message).field("sku"));
        }
        (count, _) if count > ITEMS_MAX => {
            let message = format!("a batch has at most {ITEMS_MAX} orders, not {count}");
            let refusal = Refusal::new(Reason::FieldInvalid, message).field("orders");
            return Err(refusal.detail("max", ITEMS_MAX));
        }
        (_, _) => {}
    }
    let mut seen = BTreeSet::new();
    let mut names = Vec::with_capacity(request.orders.len());
    for (index, given) in request.orders.iter().enumerate() {
        let name = required(&format!("orders[{index}]"), REFERENCE_LENGTH_MAX, given)?;
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// How fast the batch may go, each integration once.
fn rates(given: &[wire::BatchRate]) -> Result<Rates, Refusal> {
    if given.len() > RATES_MAX {
        let message = format!("a batch has at most {RATES_MAX} rates, not {}", given.len());
        return Err(Refusal::new(Reason::FieldInvalid, message).field("rates").detail("max", RATES_MAX));
    }
    let mut rates = Rates::new();
    for (index, rate) in given.iter().enumerate() {
        let at = |name: &str| format!("rates[{index}].{name}");
        let integration = optional(&at("integration"), REFERENCE_LENGTH_MAX, &rate.integration)?;
        let per_minute = i64::from(rate.per_minute);
        if !(1..=PER_MINUTE_MAX).contains(&per_minute) {
            let message = format!("a rate is 1 to {PER_MINUTE_MAX} orders a minute");
            return Err(Refusal::new(Reason::FieldInvalid, message).field(at("per_minute")));
        }
        if rates.insert(integration, per_minute).is_some() {
            let message = "each integration has one rate";
            return Err(Refusal::new(Reason::FieldInvalid, message).field(at("integration")));
        }
    }
    Ok(rates)
}

fn label_action(given: i32) -> Result<LabelAction, Refusal> {
    match wire::LabelAction::try_from(given) {
        Ok(wire::LabelAction::Unspecified | wire::LabelAction::Keep) => Ok(LabelAction::Keep),
        Ok(wire::LabelAction::Void) => Ok(LabelAction::Void),
        Err(_) => Err(unknown_value("label_action", given)),
    }
}
