//! The caller's own name for one request, which makes repeating it harmless.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Reason, Refusal};

const LENGTH_MAX: usize = 128;

/// 1 to 128 printable ASCII characters, without a blank at either end: ids differing only by a
/// blank that some client trims would turn a repeat into a second request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestIdError {
    #[error("a mutation needs a request_id, so that it can be repeated safely")]
    Missing,
    #[error("a request_id has at most {LENGTH_MAX} characters, not {length}")]
    TooLong { length: usize },
    #[error("a request_id is printable ASCII without a blank at either end")]
    NotPrintable,
}

impl RequestId {
    pub fn parse(text: &str) -> Result<Self, RequestIdError> {
        if text.is_empty() {
            return Err(RequestIdError::Missing);
        }
        if text.len() > LENGTH_MAX {
            return Err(RequestIdError::TooLong { length: text.chars().count() });
        }
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !printable || text.trim() != text {
            return Err(RequestIdError::NotPrintable);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RequestId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, RequestIdError> {
        Self::parse(&text)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl From<RequestIdError> for Refusal {
    fn from(error: RequestIdError) -> Self {
        let reason = match error {
            RequestIdError::Missing => Reason::RequestIdRequired,
            RequestIdError::TooLong { .. } => Reason::FieldTooLong,
            RequestIdError::NotPrintable => Reason::FieldInvalid,
        };
        Self::new(reason, error.to_string()).field("request_id")
    }
}
