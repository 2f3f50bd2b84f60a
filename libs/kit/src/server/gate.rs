//! [`Gate`]: what every call passes before its handler, in one readable order.
//!
//! It is one service and not a tower of layers, so that the order is a function that can be read.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;
use tracing::{Instrument as _, Span};
use types::Reason;

use super::{panic, reply, stream};
use crate::auth::{self, Verifier};
use crate::deadline::{CAP, Deadline};
use crate::failure::Failure;
use crate::principal::{Principal, unauthenticated};
use crate::span;

/// Calls of one listener that run at a time, over all its connections.
const CALLS_MAX: usize = 1_024;
/// How long a call may wait for its turn; longer queues only turn overload into timeouts.
const ADMISSION_WAIT_MAX: Duration = Duration::from_millis(100);
const OVERLOADED_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Who may call, and how they are known.
#[derive(Clone)]
pub(super) enum Callers {
    /// Users: by a token where tokens are configured, by the development headers where those are believed. Without
    /// either every call is UNAUTHENTICATED.
    Users { tokens: Option<Arc<Verifier>>, development_headers: bool },
    /// Our own services; the tenant is in the message.
    Services,
}

/// The rules of one listener.
pub(super) struct Rules {
    callers: Callers,
    calls: Semaphore,
    draining: CancellationToken,
}

impl Rules {
    pub(super) fn new(callers: Callers, draining: CancellationToken) -> Self {
        Self { callers, calls: Semaphore::new(CALLS_MAX), draining }
    }

    async fn admit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let turn = tokio::time::timeout(ADMISSION_WAIT_MAX, self.calls.acquire());
        match turn.await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Failure::unavailable(
                Reason::Overloaded,
                "too many calls at once; send the same request again later",
                OVERLOADED_RETRY_AFTER,
            )),
        }
    }

    fn identify(&self, request: &mut Request<Body>) -> Result<(), Failure> {
        let (tokens, development_headers) = match &self.callers {
            Callers::Services => return Ok(()),
            Callers::Users { tokens, development_headers } => (tokens, *development_headers),
        };
        let token = auth::bearer(request.headers())?;
        let principal = match (tokens, token) {
            // A token that does not hold is never saved by headers beside it.
            (Some(tokens), Some(token)) => tokens.verify(token)?,
            (_, None) | (None, Some(_)) if development_headers => {
                Principal::from_development_headers(request.headers())?
            }
            (_, None) | (None, Some(_)) => return Err(unauthenticated()),
        };
        request.extensions_mut().insert(principal);
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Gate {
    routes: tonic::service::Routes,
    rules: Arc<Rules>,
}

impl Gate {
    pub(super) fn new(routes: tonic::service::Routes, rules: Arc<Rules>) -> Self {
        Self { routes: routes.prepare(), rules }
    }
}

impl Service<Request<Body>> for Gate {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Taken before tonic starts its own timer on the same header, so that ours ends first.
        let arrived = Instant::now();
        let Self { routes, rules } = self.clone();
        let method = request.uri().path().to_owned();
        let span = span::server(request.uri().path(), request.headers());
        let call = async move {
            let response = answer(routes, &rules, request, arrived)
                .await
                .unwrap_or_else(|failure| Status::from(failure).into_http());
            record(&Span::current(), &method, &response, arrived);
            Ok(stream::end_when_draining(response, rules.draining.clone()))
        };
        Box::pin(call.instrument(span))
    }
}

async fn answer(
    mut routes: tonic::service::Routes,
    rules: &Rules,
    mut request: Request<Body>,
    arrived: Instant,
) -> Result<Response<Body>, Failure> {
    let deadline = Deadline::grant(request.headers(), arrived, CAP)?;
    // Health must answer an overloaded server's prober, and neither it nor reflection has a tenant.
    let is_infrastructure = request.uri().path().starts_with("/grpc.");
    let _turn = if is_infrastructure { None } else { Some(rules.admit().await?) };
    if !is_infrastructure {
        rules.identify(&mut request)?;
    }
    request.extensions_mut().insert(deadline);

    let handled = panic::caught(async move { routes.call(request).await });
    let response = deadline.bound(handled).await??;
    Ok(reply::explain(response))
}

/// Only a refusal has its status in the headers; a success tells in its trailers.
fn record(span: &Span, method: &str, response: &Response<Body>, arrived: Instant) {
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let is_error = span::is_server_error(code);
    span::finish(span, code, is_error);
    let code = span::name(code);
    let elapsed_us = u64::try_from(arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
    if is_error {
        tracing::warn!(method, code, elapsed_us, "answered");
    } else {
        tracing::debug!(method, code, elapsed_us, "answered");
    }
}

#[cfg(test)]
mod tests;
