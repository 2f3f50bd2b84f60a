//! A refusal in three columns: reason, message, and the variables of the message as a JSON object.

use std::collections::BTreeMap;

use storage::{DbError, Record, Row, Value};
use types::{Reason, Refusal};

/// A refusal in its three columns (reason, message, details), all NULL without one.
pub fn record([reason, message, details]: [&'static str; 3], refusal: Option<&Refusal>) -> Record {
    let texts = refusal.map(|refusal| {
        serde_json::to_string(&refusal.details).expect("a map of texts always has a JSON form")
    });
    Record::new(vec![
        (reason, Value::from(refusal.map(|refusal| refusal.reason.as_str()))),
        (message, Value::from(refusal.map(|refusal| refusal.message.as_str()))),
        (details, Value::from(texts)),
    ])
}

/// Reads the columns back; the field of a request is not kept, because the request is over.
pub fn read(row: &Row, reason: &str, message: &str, details: &str) -> Result<Option<Refusal>, DbError> {
    let unknown = |_: &str| "no such reason";
    let Some(reason) = row.opt_parsed(reason, |text| Reason::parse(text).ok_or_else(|| unknown(text)))?
    else {
        return Ok(None);
    };
    let message = row.text(message)?;
    let details = row.parsed(details, |text| serde_json::from_str::<BTreeMap<String, String>>(text))?;
    Ok(Some(Refusal { reason, message, field: None, details }))
}
