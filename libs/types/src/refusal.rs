//! A business "no".

use std::collections::BTreeMap;
use std::fmt;

use crate::Reason;

/// Why a request was refused: a published [`Reason`] for programs, a sentence for people, and the
/// numbers behind it. A refusal is an answer, not a failure: everything worked, and the result is no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refusal {
    pub reason: Reason,
    /// One sentence for a developer or an operator; it must hold nothing the caller may not see.
    pub message: String,
    /// The path of the field at fault, such as `lines[0].quantity`.
    pub field: Option<String>,
    /// The variables of the message by name, so that programs need not read the sentence.
    pub details: BTreeMap<String, String>,
}

impl Refusal {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), field: None, details: BTreeMap::new() }
    }

    #[must_use]
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.details.insert(name.into(), value.to_string());
        self
    }
}
