//! [`Failure`]: how a handler says no, and what of it crosses the wire.
//!
//! The caller gets one sentence, a reason from the published enum and machine-readable details
//! (`google.rpc.ErrorInfo` always; `BadRequest`, `PreconditionFailure`, `ResourceInfo`, `RetryInfo`
//! where they fit). The operator's context goes to the log under a correlation id and stays here.

mod database;

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use types::{Class, Reason, Refusal};

use crate::telemetry;

/// The `google.rpc.ErrorInfo` domain of every reason in the published enum.
pub const ERROR_DOMAIN: &str = "countermand";

/// The metadata key of `ErrorInfo` under which an operator finds the log line.
const CORRELATION_ID: &str = "correlation_id";

/// A refusal on its way out, with what only the wire needs beside it. Boxed, because every handler's
/// `Result` carries it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.refusal)]
pub struct Failure(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    refusal: Refusal,
    retry_after: Option<Duration>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(Content { refusal, retry_after: None }))
    }
}

impl Failure {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self::from(Refusal::new(reason, message))
    }

    /// What is wrong with one field of the request itself.
    pub fn invalid(field: impl Into<String>, reason: Reason, message: impl Into<String>) -> Self {
        Self::from(Refusal::new(reason, message).field(field))
    }

    /// A resource the caller named does not exist, or is another tenant's: both read the same.
    pub fn not_found(resource_type: &str, name: impl Display) -> Self {
        Self::from(Refusal::not_found(resource_type, name))
    }

    /// Not now; the same request may be sent again with the same id after `retry_after`.
    pub fn unavailable(reason: Reason, message: impl Into<String>, retry_after: Duration) -> Self {
        let mut failure = Self::new(reason, message);
        failure.0.retry_after = Some(retry_after);
        failure
    }

    /// A defect of ours. `context` is logged under a fresh correlation id; the caller sees the id only.
    pub fn internal(context: impl Display) -> Self {
        let correlation = telemetry::correlation();
        tracing::error!(correlation_id = %correlation, context = %context, "internal error");
        Self::from(
            Refusal::new(Reason::Internal, "an internal error; quote the correlation id")
                .detail(CORRELATION_ID, correlation),
        )
    }

    /// The call's time is over; what became of the work is unknown to the caller.
    pub fn deadline_exceeded() -> Self {
        Self::new(Reason::DeadlineExceeded, "the deadline of the call passed before an answer was ready")
    }

    /// Adds one variable of the message.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.0.refusal = self.0.refusal.detail(name, value);
        self
    }

    pub fn reason(&self) -> Reason {
        self.0.refusal.reason
    }

    pub fn refusal(&self) -> &Refusal {
        &self.0.refusal
    }

    pub fn code(&self) -> Code {
        code(self.0.refusal.reason)
    }
}

/// The one place where a class of reasons becomes a gRPC code.
pub(crate) fn code(reason: Reason) -> Code {
    match reason.class() {
        Class::InvalidArgument => Code::InvalidArgument,
        Class::FailedPrecondition => Code::FailedPrecondition,
        Class::Aborted => Code::Aborted,
        Class::AlreadyExists => Code::AlreadyExists,
        Class::NotFound => Code::NotFound,
        Class::PermissionDenied => Code::PermissionDenied,
        Class::Unauthenticated => Code::Unauthenticated,
        Class::ResourceExhausted => Code::ResourceExhausted,
        Class::Unavailable => Code::Unavailable,
        Class::Internal => Code::Internal,
        Class::DeadlineExceeded => Code::DeadlineExceeded,
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let code = failure.code();
        let Content { refusal, retry_after } = *failure.0;
        let resource = refusal.missing_resource().map(|(kind, name)| (kind.to_owned(), cut(name.to_owned())));
        let reason = refusal.reason.as_str();
        let message = cut(refusal.message);
        let metadata: HashMap<String, String> =
            refusal.details.into_iter().take(DETAILS_MAX).map(|(name, value)| (name, cut(value))).collect();

        let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, metadata);
        if let Some(field) = &refusal.field {
            details.add_bad_request_violation(field, &message);
        }
        if code == Code::FailedPrecondition {
            let subject = refusal.field.as_deref().unwrap_or_default();
            details.add_precondition_failure_violation(reason, subject, &message);
        }
        if let Some((kind, name)) = resource {
            details.set_resource_info(kind, name, "", &message);
        }
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        Status::with_error_details(code, message, details)
    }
}

/// A status travels in headers, and a peer resets a stream whose headers are too long: the answer
/// would arrive as "unknown". So its parts are bounded, whatever the refusal holds.
const TEXT_BYTES_MAX: usize = 512;
const DETAILS_MAX: usize = 12;

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}
