//! Reply streams end when the server drains.
//!
//! A watch never ends by itself, and a connection with a live stream never closes: without this
//! every deployment would wait for its full drain limit. A stream that has something to send is
//! never cut, only one that has been silent since the drain began.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, ready};
use http::Response;
use http_body::{Body as _, Frame, SizeHint};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use types::Reason;

use crate::failure::Failure;

/// How long a stream may be silent while the server drains.
const SILENCE_MAX: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Wraps the reply's body. A unary reply has all it needs at once and never notices.
pub(super) fn end_when_draining(response: Response<Body>, draining: CancellationToken) -> Response<Body> {
    response.map(|body| {
        if body.is_end_stream() {
            body
        } else {
            Body::new(Replies { body, draining, silence: None, ended: false })
        }
    })
}

struct Replies {
    body: Body,
    draining: CancellationToken,
    /// Runs out when the server has drained for [`SILENCE_MAX`] since the last frame; made at the first
    /// wait, so that replies that are ready cost no timer.
    silence: Option<BoxFuture<'static, ()>>,
    ended: bool,
}

impl http_body::Body for Replies {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.silence = None;
            return Poll::Ready(frame);
        }
        let draining = self.draining.clone();
        let silence = self.silence.get_or_insert_with(|| silence(draining).boxed());
        ready!(silence.poll_unpin(context));
        self.ended = true;
        Poll::Ready(Some(trailers().map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn silence(draining: CancellationToken) {
    draining.cancelled_owned().await;
    tokio::time::sleep(SILENCE_MAX).await;
}

fn trailers() -> Result<http::HeaderMap, Status> {
    let failure = Failure::unavailable(Reason::ShuttingDown, "the server is shutting down", RETRY_AFTER);
    let mut trailers = http::HeaderMap::new();
    Status::from(failure).add_header(&mut trailers)?;
    Ok(trailers)
}
