//! The span of one call, on either side. The attribute keys live here alone, because the RPC
//! conventions are still being renamed.

use http::HeaderMap;
use tonic::Code;
use tracing::Span;

use crate::telemetry;

const TRACEPARENT: &str = "traceparent";

/// The span of a call being answered, continuing the caller's trace. `path` is `/package.Service/Method`.
pub(crate) fn server(path: &str, headers: &HeaderMap) -> Span {
    let method = path.trim_start_matches('/');
    let span = tracing::info_span!(
        "rpc.server",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = tracing::field::Empty,
    );
    if let Some(traceparent) = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        telemetry::continue_from(&span, traceparent);
    }
    span
}

/// The span of a call being made; a child of whatever runs now.
pub(crate) fn client(path: &str) -> Span {
    let method = path.trim_start_matches('/');
    tracing::info_span!(
        "rpc.client",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = tracing::field::Empty,
    )
}

/// Sends the trace on with a request.
pub(crate) fn inject(span: &Span, headers: &mut HeaderMap) {
    let Some(traceparent) = telemetry::traceparent_of(span) else {
        return;
    };
    let value = traceparent.try_into().expect("a traceparent is hexadecimal digits and dashes");
    headers.insert(TRACEPARENT, value);
}

/// Writes the outcome. A server span is an error only for the codes that mean a defect or an outage
/// here; a refusal is a success of the service. A client span is an error for every code but OK.
pub(crate) fn finish(span: &Span, code: Code, is_error: bool) {
    span.record("rpc.response.status_code", name(code));
    if is_error {
        span.record("otel.status_code", "ERROR");
    }
}

pub(crate) fn is_server_error(code: Code) -> bool {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => false,
    }
}

/// The conventions want the code's name in the specification's spelling.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
