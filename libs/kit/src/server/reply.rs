//! Statuses that tonic makes by itself, put into our words.
//!
//! tonic answers a message above the limit with OUT_OF_RANGE and one it cannot read with INTERNAL,
//! both bare. Callers retry neither sensibly: the first is unknown to their tables, the second reads
//! as a defect of ours. Both are the request's fault, so both become INVALID_ARGUMENT.

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};
use types::Reason;

use crate::failure::Failure;

/// tonic 0.14's own sentences; a test sends such messages to a real server and would notice a change.
const TOO_LARGE: &str = "Error, decoded message length too large";
const UNREADABLE: [&str; 5] = [
    "failed to decode Protobuf message",
    "Missing request message",
    "Unexpected EOF decoding stream",
    "protocol error: received message with",
    "Error decompressing",
];

/// Leaves every reply alone but a bare refusal. Ours always carry details.
pub(super) fn explain(response: Response<Body>) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else {
        return response;
    };
    if !status.details().is_empty() {
        return response;
    }
    match failure(&status) {
        Some(failure) => Status::from(failure).into_http(),
        None => response,
    }
}

fn failure(status: &Status) -> Option<Failure> {
    let message = status.message();
    match status.code() {
        Code::OutOfRange if message.starts_with(TOO_LARGE) => {
            Some(Failure::new(Reason::MessageTooLarge, "the request is larger than this service takes"))
        }
        Code::Internal if UNREADABLE.iter().any(|start| message.starts_with(start)) => {
            Some(Failure::new(Reason::MalformedMessage, "the request cannot be read as its message type"))
        }
        // A bare INTERNAL or UNKNOWN is a handler that bypassed Failure: its text is for the log.
        Code::Internal | Code::Unknown => Some(Failure::internal(message)),
        _ => None,
    }
}
