//! What of a change is stored as one JSON text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal};

use crate::domain::change::{ChangeOrder, InConfidence};

/// Most changes say nothing in confidence.
pub(super) fn in_confidence(change: &ChangeOrder) -> String {
    if change.in_confidence == InConfidence::default() {
        return String::new();
    }
    serde_json::to_string(&change.in_confidence).expect("texts and numbers always have a JSON form")
}

pub(super) fn read_in_confidence(text: &str) -> Result<InConfidence, serde_json::Error> {
    if text.is_empty() { Ok(InConfidence::default()) } else { serde_json::from_str(text) }
}

/// An exception as it is stored: a refusal without a field.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredException {
    reason: String,
    message: String,
    details: BTreeMap<String, String>,
}

pub(super) fn exceptions_text(exceptions: &[Refusal]) -> String {
    let stored: Vec<StoredException> = exceptions
        .iter()
        .map(|refusal| StoredException {
            reason: refusal.reason.as_str().to_owned(),
            message: refusal.message.clone(),
            details: refusal.details.clone(),
        })
        .collect();
    serde_json::to_string(&stored).expect("texts always have a JSON form")
}

pub(super) fn read_exceptions(text: &str) -> Result<Vec<Refusal>, String> {
    let stored: Vec<StoredException> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    stored
        .into_iter()
        .map(|exception| {
            let reason = Reason::parse(&exception.reason).ok_or("no such reason")?;
            Ok(Refusal { reason, message: exception.message, field: None, details: exception.details })
        })
        .collect()
}
