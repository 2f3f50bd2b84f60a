//! Reads the whole body of a request before it takes anybody's turn.
//!
//! No RPC of ours streams its request, so a body is bounded in size and in time, and a caller who never finishes one
//! holds nothing but a place among those who are read.

use std::pin::Pin;
use std::time::Duration;

use http::Request;
use http_body::Body as _;
use http_body_util::Full;
use tonic::body::Body;
use tonic::codegen::Bytes;
use types::Reason;

use crate::failure::Failure;

/// gRPC writes one byte of compression and four of length before a message.
const PREFIX_BYTES: usize = 5;
/// Of a refused request as much is taken, and for so long; a connection has a bounded number of streams.
const DISCARDED_BYTES_MAX: usize = 64 * 1024;
const DISCARDED_FOR_MAX: Duration = Duration::from_secs(2);

/// A gRPC request with its message, which is no longer than `bytes_max`. One that says it is longer is not waited for.
pub(super) async fn read(
    request: Request<Body>,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Request<Body>, Failure> {
    read_while(request, time_max, |pieces, length| {
        length.max(told_length(pieces)) <= bytes_max.saturating_add(PREFIX_BYTES)
    })
    .await
}

/// A request whose body has no length in front.
pub(super) async fn read_plain(
    request: Request<Body>,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Request<Body>, Failure> {
    read_while(request, time_max, |_, length| length <= bytes_max).await
}

/// Takes what is still to come of a request that was refused, and forgets it. A stream that is answered and dropped before
/// its request has ended is reset; HTTP/2 counts what comes after that, and ends the connection of all who share it.
pub(super) fn discard(request: Request<Body>) {
    let mut body = request.into_body();
    if body.is_end_stream() {
        return;
    }
    let rest = async move {
        let mut left = DISCARDED_BYTES_MAX;
        while let Some(Ok(frame)) =
            std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
        {
            let length = frame.into_data().map_or(0, |piece| piece.len());
            if length > left {
                return;
            }
            left -= length;
        }
    };
    tokio::spawn(tokio::time::timeout(DISCARDED_FOR_MAX, rest));
}

async fn read_while(
    request: Request<Body>,
    time_max: Duration,
    fits: impl Fn(&[Bytes], usize) -> bool,
) -> Result<Request<Body>, Failure> {
    let (head, body) = request.into_parts();
    let whole = tokio::time::timeout(time_max, collect(body, fits))
        .await
        .map_err(|_| Failure::new(Reason::DeadlineExceeded, "the request was not sent in time"))??;
    Ok(Request::from_parts(head, Body::new(Full::new(whole))))
}

async fn collect(mut body: Body, fits: impl Fn(&[Bytes], usize) -> bool) -> Result<Bytes, Failure> {
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| {
            Failure::new(Reason::MalformedMessage, "the request was broken off before its end")
        })?;
        // What is no data is trailers, which mean nothing in a request.
        let Ok(piece) = frame.into_data() else { continue };
        length += piece.len();
        if !piece.is_empty() {
            pieces.push(piece);
        }
        if !fits(&pieces, length) {
            let message = "the request is larger than this service takes";
            return Err(Failure::new(Reason::MessageTooLarge, message));
        }
    }
    Ok(match pieces.pop() {
        Some(only) if pieces.is_empty() => only,
        last => pieces.into_iter().chain(last).flatten().collect(),
    })
}

/// The length that the message says it has, with its prefix; 0 while that is unknown.
fn told_length(pieces: &[Bytes]) -> usize {
    let prefix: Vec<u8> = pieces.iter().flatten().copied().take(PREFIX_BYTES).collect();
    let [_compression, a, b, c, d] = prefix[..] else { return 0 };
    usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX).saturating_add(PREFIX_BYTES)
}
