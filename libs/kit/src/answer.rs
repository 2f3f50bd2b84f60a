//! Reading a participant's status: is it an *answer*, or is what happened unknown?
//!
//! Only five codes that carry our own `ErrorInfo` are answers, and the word that a quote is stale. Everything else,
//! ABORTED, CANCELLED and OUT_OF_RANGE included, says nothing about what the participant did: the caller sends the
//! same request again under the same key.

mod wire;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use types::{Reason, Refusal};

use crate::failure::ERROR_DOMAIN;

pub use self::wire::{UnreadableRefusal, classify_wire, decode, encode, from_wire, to_wire};

/// What a failed call tells its caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The participant decided no, and will say so again.
    Answered(Refusal),
    /// The caller's lease is lost: it must neither undo nor advance.
    Stale,
    /// No answer; the text is for the log.
    Unknown(String),
}

/// Sorts the status of a failed call.
pub fn classify(status: &Status) -> Verdict {
    match refusal(status) {
        Some(refusal) if refusal.reason == Reason::StaleEpoch => Verdict::Stale,
        Some(refusal) if is_answer(status.code()) || refusal.reason == Reason::QuoteStale => {
            Verdict::Answered(refusal)
        }
        Some(_) | None => Verdict::Unknown(format!("{:?}: {}", status.code(), status.message())),
    }
}

/// The refusal inside a status, whatever its code; none if it is not one of ours.
///
/// A reason that this build does not know (a newer peer's) is not read as a refusal: asking again
/// is safe, guessing is not.
pub fn refusal(status: &Status) -> Option<Refusal> {
    let details = status.check_error_details().ok()?;
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    Some(Refusal {
        reason: Reason::parse(&info.reason)?,
        message: status.message().to_owned(),
        field: field(&details),
        details: info.metadata.clone().into_iter().collect(),
    })
}

fn field(details: &ErrorDetails) -> Option<String> {
    let violation = details.bad_request()?.field_violations.first()?;
    Some(violation.field.clone())
}

/// Every code is named, so that a new one is placed by a person.
fn is_answer(code: Code) -> bool {
    match code {
        Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::AlreadyExists
        | Code::NotFound
        | Code::PermissionDenied => true,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}
