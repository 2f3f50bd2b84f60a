//! Sends the same request again while the answer is unknown: the service may be restarting.
//!
//! Safe because every mutation carries a request id: an accepted request answers its resource, however often it is sent.

use std::time::{Duration, Instant};

use tonic::{Code, Response, Status};

/// How long an unanswered call is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub total: Duration,
}

const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

impl Patience {
    /// Calls until there is an answer, or `total` is over: then the last error is returned.
    pub async fn call<T>(self, call: impl AsyncFn() -> Result<Response<T>, Status>) -> Result<T, Status> {
        let started = Instant::now();
        let mut pause = PAUSE_FIRST;
        loop {
            match call().await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) if is_answer(&status) || started.elapsed() >= self.total => return Err(status),
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Another change in progress (ABORTED) ends by itself; everything transport-like may be asked again.
fn is_answer(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::Unknown => false,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => true,
    }
}
