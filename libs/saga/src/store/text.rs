//! Refusals and causes as one column each: small JSON objects, so that an operator can read them in SQL.

use serde_json::{Map, Value, json};
use types::{Reason, Refusal};

use crate::row::{Cause, CauseKind};

pub(super) fn of_refusal(refusal: &Refusal) -> String {
    json!({
        "reason": refusal.reason.as_str(),
        "message": refusal.message,
        "field": refusal.field,
        "details": refusal.details,
    })
    .to_string()
}

/// Never fails: a refusal that cannot be read is still a refusal, and its saga must still end.
pub(super) fn to_refusal(text: &str) -> Refusal {
    let whole = || Refusal::new(Reason::Internal, format!("an unreadable refusal: {text}"));
    let Some(object) = object(text) else { return whole() };
    let Some(reason) = string(&object, "reason").and_then(|name| Reason::parse(&name)) else {
        return whole();
    };
    let mut refusal = Refusal::new(reason, string(&object, "message").unwrap_or_default());
    refusal.field = string(&object, "field");
    if let Some(Value::Object(details)) = object.get("details") {
        for (name, value) in details {
            refusal.details.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
    }
    refusal
}

pub(super) fn of_cause(cause: &Cause) -> String {
    json!({ "kind": cause.kind.as_str(), "step": cause.step, "message": cause.message }).to_string()
}

/// Never fails: attention that cannot be read is still attention.
pub(super) fn to_cause(text: &str) -> Cause {
    let object = object(text).unwrap_or_default();
    let kind = string(&object, "kind").and_then(|name| CauseKind::parse(&name));
    match kind {
        Some(kind) => {
            let message = string(&object, "message").unwrap_or_default();
            Cause { kind, step: string(&object, "step"), message }
        }
        None => Cause { kind: CauseKind::Unreadable, step: None, message: text.to_owned() },
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        Ok(_) | Err(_) => None,
    }
}

fn string(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests;
