//! Replies on their way to their readers.
//!
//! A watch never ends by itself, and a connection with a live stream never closes: without the first rule here every
//! deployment would wait for its full drain limit. A stream that has something to send is never cut by it, only one that
//! has been silent since the drain began. The second rule is for readers who do not read: what their reply holds is let
//! go after a while, and they find out when they read on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, ready};
use http::Response;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use types::Reason;

use super::connection::Call;
use crate::failure::Failure;

/// How long a stream may be silent while the server drains.
const SILENCE_MAX: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Wraps the reply's body, which ends the call. A unary reply has all it needs at once and never notices.
pub(super) fn deliver(
    response: Response<Body>,
    draining: CancellationToken,
    call: Option<Call>,
) -> Response<Body> {
    response.map(|body| {
        if body.is_end_stream() {
            body
        } else {
            Body::new(Replies { delivery: Delivery::begin(body, call), draining, silence: None })
        }
    })
}

/// A reply that is being read, or should be.
pub(super) struct Delivery(Mutex<State>);

struct State {
    /// None once the reply is over, and what it held is free.
    body: Option<Body>,
    call: Option<Call>,
    /// Since when the next piece waits for its reader; none while the reader waits for it.
    unread_since: Option<Instant>,
    /// Whether the reader knows how it ended.
    told: bool,
}

impl Delivery {
    fn begin(body: Body, call: Option<Call>) -> Arc<Self> {
        let unread_since = Some(Instant::now());
        let state = State { body: Some(body), call: None, unread_since, told: false };
        let delivery = Arc::new(Self(Mutex::new(state)));
        if let Some(call) = call {
            call.delivers(&delivery);
            delivery.state().call = Some(call);
        }
        delivery
    }

    /// Lets go of a reply whose reader has not taken anything for so long.
    pub(super) fn end_if_unread(&self, limit: Duration) {
        let mut state = self.state();
        if state.unread_since.is_some_and(|since| since.elapsed() > limit) {
            tracing::info!(monotonic_counter.replies_unread = 1_u64, "a reply was not read and is ended");
            let held = state.end();
            drop(state);
            drop(held);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What was held, to be dropped without the lock.
    fn end(&mut self) -> (Option<Body>, Option<Call>) {
        self.unread_since = None;
        (self.body.take(), self.call.take())
    }
}

struct Replies {
    delivery: Arc<Delivery>,
    draining: CancellationToken,
    /// Runs out when the server has drained for [`SILENCE_MAX`] since the last frame; made at the first
    /// wait, so that replies that are ready cost no timer.
    silence: Option<BoxFuture<'static, ()>>,
}

impl http_body::Body for Replies {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let delivery = Arc::clone(&self.delivery);
        let mut state = delivery.state();
        if state.told {
            return Poll::Ready(None);
        }
        let Some(body) = state.body.as_mut() else {
            state.told = true;
            return Poll::Ready(Some(trailers(unread()).map(Frame::trailers)));
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            state.unread_since = Some(Instant::now());
            state.told = frame.is_none();
            self.silence = None;
            return Poll::Ready(frame);
        }
        state.unread_since = None;
        drop(state);
        let draining = self.draining.clone();
        let silence = self.silence.get_or_insert_with(|| silence(draining).boxed());
        ready!(silence.poll_unpin(context));
        let mut state = delivery.state();
        state.told = true;
        let held = state.end();
        drop(state);
        drop(held);
        Poll::Ready(Some(trailers(shutting_down()).map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        let state = self.delivery.state();
        state.told || state.body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.delivery.state().body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

async fn silence(draining: CancellationToken) {
    draining.cancelled_owned().await;
    tokio::time::sleep(SILENCE_MAX).await;
}

fn shutting_down() -> Failure {
    Failure::unavailable(Reason::ShuttingDown, "the server is shutting down", RETRY_AFTER)
}

fn unread() -> Failure {
    let message = "the reply was not read in time; ask again from where you are";
    Failure::unavailable(Reason::ReaderTooSlow, message, RETRY_AFTER)
}

fn trailers(failure: Failure) -> Result<http::HeaderMap, Status> {
    let mut trailers = http::HeaderMap::new();
    Status::from(failure).add_header(&mut trailers)?;
    Ok(trailers)
}
