//! Names of our own making that travel between services: of sagas, steps, aggregates, events.

use types::{Reason, Refusal};

const LENGTH_MAX: usize = 128;

/// Visible ASCII, so that no name holds the separator of a key's parts.
pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        Err(Refusal::new(Reason::FieldRequired, "the name is empty"))
    } else if is_name(text) {
        Ok(text.to_owned())
    } else {
        let message = format!("a name is 1 to {LENGTH_MAX} visible ASCII characters");
        Err(Refusal::new(Reason::FieldInvalid, message))
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
