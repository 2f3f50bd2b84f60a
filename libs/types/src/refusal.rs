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

/// The details under which a refusal names the resource that is missing.
const RESOURCE_TYPE: &str = "resource_type";
const RESOURCE_NAME: &str = "resource_name";

impl Refusal {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), field: None, details: BTreeMap::new() }
    }

    /// A resource that was named does not exist, or is another tenant's: both read the same.
    pub fn not_found(resource_type: &str, name: impl fmt::Display) -> Self {
        Self::new(Reason::ResourceNotFound, format!("{resource_type} {name} does not exist"))
            .detail(RESOURCE_TYPE, resource_type)
            .detail(RESOURCE_NAME, name)
    }

    /// Type and name of the resource that is missing.
    pub fn missing_resource(&self) -> Option<(&str, &str)> {
        let named = (self.details.get(RESOURCE_TYPE)?, self.details.get(RESOURCE_NAME)?);
        (self.reason == Reason::ResourceNotFound).then_some((named.0.as_str(), named.1.as_str()))
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
