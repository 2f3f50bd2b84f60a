//! What one caller takes up is bounded: connections, time, turns, and how often they call.

mod connections;
mod rates;
mod streams;
mod turns;

use std::time::Duration;

use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use kit::config::Limits;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::codegen::Bytes;

/// For what must happen; nothing here waits for it when it does.
const PATIENCE: Duration = Duration::from_secs(30);
/// An empty message.
const EMPTY: &[u8] = b"\0\0\0\0\0";

/// Everything in tenths of a second, and nothing that a test does not set itself.
fn strict() -> Limits {
    Limits {
        handshake_ms: 200,
        first_call_ms: 400,
        idle_ms: 400,
        body_ms: 400,
        send_ms: 200,
        ..Limits::default()
    }
}

async fn tcp(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// A connection whose calls a test holds open as it likes, and the task that ends with it.
async fn raw(url: &str) -> (SendRequest<Bytes>, JoinHandle<()>) {
    let (sending, connection) =
        h2::client::Builder::new().initial_window_size(1_024).handshake(tcp(url).await).await.unwrap();
    let ended = tokio::spawn(async move { drop(connection.await) });
    (sending.ready().await.unwrap(), ended)
}

/// Begins a call as `user`, whose message is still to come.
fn begin(sending: &mut SendRequest<Bytes>, method: &str, user: &str) -> (ResponseFuture, SendStream<Bytes>) {
    try_begin(sending, method, user).unwrap()
}

/// As [`begin`], where the server may be asking its clients to go.
fn try_begin(
    sending: &mut SendRequest<Bytes>,
    method: &str,
    user: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
    let request = Request::post(format!("http://localhost/countermand.audit.v1.AuditService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-countermand-user", user)
        .body(())
        .unwrap();
    sending.send_request(request, false)
}

/// The code in an answer that is nothing but a refusal.
fn refused(response: &http::Response<h2::RecvStream>) -> &str {
    response.headers().get("grpc-status").map_or("", |code| code.to_str().unwrap())
}
