//! A gRPC call written by hand, for what no client library would send: deadlines already over, broken frames.

use std::io::Cursor;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tonic::Status;

/// Posts `body` to `path` ("/package.Service/Method") at `address` and returns the status, wherever it stands.
pub async fn call(address: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Status> {
    let stream = TcpStream::connect(address).await.context("connecting")?;
    let (client, connection) = h2::client::Builder::new().handshake::<_, Cursor<Vec<u8>>>(stream).await?;
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await?;

    let mut request = http::Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (response, mut send) = client.send_request(request.body(())?, false)?;
    send.send_data(Cursor::new(body), true)?;
    let (head, mut body) = response.await?.into_parts();
    // A call that is refused before it is read has its status in the headers.
    let mut status = Status::from_header_map(&head.headers);
    if status.is_none() {
        while let Some(chunk) = body.data().await {
            let length = chunk?.len();
            body.flow_control().release_capacity(length)?;
        }
        status = body.trailers().await?.and_then(|trailers| Status::from_header_map(&trailers));
    }
    connection.abort();
    status.context("the answer has no status")
}

/// A call whose reply nobody reads.
pub struct Abandoned {
    response: h2::client::ResponseFuture,
    /// Kept, because a stream that is dropped is cancelled.
    head: Option<http::Response<h2::RecvStream>>,
    _sending: h2::client::SendRequest<Cursor<Vec<u8>>>,
    connection: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Abandoned {
    /// Waits for the head of the reply.
    pub async fn begun(&mut self) -> Result<()> {
        let head = (&mut self.response).await?;
        anyhow::ensure!(Status::from_header_map(head.headers()).is_none(), "{head:?}");
        self.head = Some(head);
        Ok(())
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Posts an empty message in a role, with room for one kibibyte of the reply.
pub async fn abandon(address: &str, path: &str, role: &str) -> Result<Abandoned> {
    let stream = TcpStream::connect(address).await.context("connecting")?;
    let (sending, connection) =
        h2::client::Builder::new().initial_window_size(1_024).handshake(stream).await?;
    let connection = tokio::spawn(connection);
    let mut sending = sending.ready().await?;
    let request = http::Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-countermand-role", role)
        .body(())?;
    let (response, mut body) = sending.send_request(request, false)?;
    body.send_data(Cursor::new(frame(&[])?), true)?;
    Ok(Abandoned { response, head: None, _sending: sending, connection })
}

/// `message` as one uncompressed gRPC message.
pub fn frame(message: &[u8]) -> Result<Vec<u8>> {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).context("a message has at most 4 GiB")?.to_be_bytes());
    framed.extend(message);
    Ok(framed)
}
