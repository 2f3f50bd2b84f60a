//! A gRPC refusal as a sentence for a person: what was refused, why, and what to do next.

use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::say::one_line;

/// `message (REASON; name=value, …)`, with the fields that are wrong.
pub fn sentence(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = one_line(status.message());
    if let Some(info) = details.error_info() {
        let mut metadata: Vec<String> =
            info.metadata.iter().map(|(name, value)| format!("{name}={}", one_line(value))).collect();
        metadata.sort();
        metadata.insert(0, info.reason.clone());
        text = format!("{text} ({})", metadata.join("; "));
    }
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            text = format!("{text}\n  {}: {}", one_line(&violation.field), one_line(&violation.description));
        }
    }
    match next_step(status.code()) {
        Some(hint) => format!("{text}\n  {hint}"),
        None => text,
    }
}

fn next_step(code: Code) -> Option<&'static str> {
    match code {
        Code::Unavailable => Some(
            "Is the suite running? Start it with `countermand up`, or name its addresses with --order-url and the others.",
        ),
        Code::DeadlineExceeded => {
            Some("The outcome is unknown; the same command with the same --request-id is safe to repeat.")
        }
        Code::Aborted => Some("Look again with `countermand order show`, then try again."),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

/// Nobody answered (sysexits.h calls it that), so that a script can tell it from a refusal and from broken books.
const EXIT_UNAVAILABLE: u8 = 69;

/// 1 for a refusal and for whatever is wrong; [`EXIT_UNAVAILABLE`] if the suite cannot be reached.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let silent = |status: &Status| matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded);
    if error.chain().filter_map(|cause| cause.downcast_ref::<Status>()).any(silent) {
        return ExitCode::from(EXIT_UNAVAILABLE);
    }
    ExitCode::FAILURE
}

/// What `main` prints of an error: a refusal as a sentence, anything else with its causes.
pub fn report(error: &anyhow::Error) -> String {
    let mut text: Vec<String> = Vec::new();
    for cause in error.chain() {
        match cause.downcast_ref::<Status>() {
            Some(status) => text.push(sentence(status)),
            None => text.push(cause.to_string()),
        }
        if cause.is::<Status>() {
            break; // what is below is the transport's own words, which the sentence has already
        }
    }
    format!("countermand: {}", text.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_tell_silence_from_a_refusal() {
        let silence = anyhow::Error::new(Status::unavailable("nobody is there")).context("reading the books");
        let refusal = anyhow::Error::new(Status::failed_precondition("shipped")).context("cancelling");
        assert_eq!(exit_code(&silence), ExitCode::from(EXIT_UNAVAILABLE));
        assert_eq!(exit_code(&refusal), ExitCode::FAILURE);
        assert_eq!(exit_code(&anyhow::anyhow!("a book is wrong")), ExitCode::FAILURE);
    }
}
