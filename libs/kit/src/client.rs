//! [`Channel`]: how one service calls another.
//!
//! It connects when first used and again when the peer was lost, forwards the deadline and the trace,
//! and reports an elapsed time as DEADLINE_EXCEEDED. It never retries: the caller that knows whether
//! a call may be repeated does, and two retrying layers multiply.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use serde::{Deserialize, Serialize};
use tonic::body::Body;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};
use tracing::{Instrument as _, Span};

use crate::config::{Internal, SecretError};
use crate::deadline::Deadline;
use crate::secret_file;
use crate::server::{Gate, SECRET_HEADER};
use crate::span;

/// Room for error details beyond HTTP/2's usual 16 KiB.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// For a call that sets no timeout of its own.
    pub timeout_ms: u64,
    pub connect_timeout_ms: u64,
    /// How often a connection is asked whether it lives, in use or not. A peer that vanished without
    /// a word is noticed after this and the next.
    pub ping_interval_ms: u64,
    pub ping_timeout_ms: u64,
    pub tls: Option<ClientTls>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            timeout_ms: 2_000,
            connect_timeout_ms: 1_000,
            ping_interval_ms: 10_000,
            ping_timeout_ms: 10_000,
            tls: None,
        }
    }
}

/// Whom the client believes, and how it shows who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientTls {
    pub server_ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The name in the server's certificate, where it is not the address.
    pub domain: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("reading the certificates for {url}")]
    Certificates { url: String, source: io::Error },
    #[error("setting the channel to {url} up")]
    Transport { url: String, source: tonic::transport::Error },
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// A connection to one peer. Cheap to clone; hand it to a generated client's `new`.
#[derive(Clone)]
pub struct Channel {
    peer: Peer,
    timeout: Duration,
    /// Whether a call that sets no timeout still tells the peer one.
    tells_timeout: bool,
    /// Told with every call to a peer that knows us by it.
    secret: Option<HeaderValue>,
}

#[derive(Clone)]
enum Peer {
    Remote(tonic::transport::Channel),
    /// A service of this same process, called without a socket.
    Local(Gate),
}

/// Makes a channel to `url` ("http://host:port", "https://…" with `tls`). Nothing is sent before the
/// first call, so the peer may start later.
pub fn connect(url: &str, config: &ClientConfig) -> Result<Channel, ConnectError> {
    let transport = |source| ConnectError::Transport { url: url.to_owned(), source };
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(transport)?
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_millis(config.ping_interval_ms))
        .keep_alive_timeout(Duration::from_millis(config.ping_timeout_ms))
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX);
    if let Some(tls) = &config.tls {
        let tls =
            tls_config(tls).map_err(|source| ConnectError::Certificates { url: url.to_owned(), source })?;
        endpoint = endpoint.tls_config(tls).map_err(transport)?;
    }
    let timeout = Duration::from_millis(config.timeout_ms);
    let peer = Peer::Remote(endpoint.connect_lazy());
    Ok(Channel { peer, timeout, tells_timeout: true, secret: None })
}

/// As [`connect`], to the internal listener of another service of the suite: says the secret that both hold, if they do.
pub fn connect_peer(url: &str, config: &ClientConfig, internal: &Internal) -> Result<Channel, ConnectError> {
    let channel = connect(url, config)?;
    let Some(secret) = internal.shared_secret()? else { return Ok(channel) };
    let mut secret = HeaderValue::from_str(secret.expose()).map_err(|_| SecretError::Weak)?;
    secret.set_sensitive(true);
    Ok(Channel { secret: Some(secret), ..channel })
}

fn tls_config(tls: &ClientTls) -> io::Result<ClientTlsConfig> {
    let identity = Identity::from_pem(std::fs::read(&tls.certificate)?, secret_file::read(&tls.key)?);
    let config = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(std::fs::read(&tls.server_ca)?))
        .identity(identity);
    Ok(match &tls.domain {
        None => config,
        Some(domain) => config.domain_name(domain),
    })
}

impl Channel {
    pub(crate) fn local(gate: Gate) -> Self {
        let timeout = Duration::from_millis(ClientConfig::default().timeout_ms);
        Self { peer: Peer::Local(gate), timeout, tells_timeout: true, secret: None }
    }

    /// The same peer with another default timeout.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// The same peer for calls that stream their reply: the timeout covers the wait for the stream to
    /// begin, and is not told, because a proxy between would cut the stream off by it.
    #[must_use]
    pub fn for_streams(&self) -> Self {
        Self { tells_timeout: false, ..self.clone() }
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    /// Always ready: waiting for a connection happens inside the call, under its deadline.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let peer = self.peer.clone();
        let deadline = Deadline::budget(request.headers(), self.timeout);
        let span = span::client(request.uri().path());
        span::inject(&span, request.headers_mut());
        if self.tells_timeout || Deadline::is_told(request.headers()) {
            deadline.forward(request.headers_mut());
        }
        if let Some(secret) = &self.secret {
            request.headers_mut().insert(SECRET_HEADER, secret.clone());
        }
        let call = async move {
            let outcome = match deadline.bound(send(peer, request)).await {
                Ok(outcome) => outcome,
                Err(failure) => Err(Status::from(failure)),
            };
            let code = match &outcome {
                Ok(response) => {
                    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
                }
                Err(status) => status.code(),
            };
            span::finish(&Span::current(), code, code != Code::Ok);
            outcome
        };
        Box::pin(call.instrument(span))
    }
}

async fn send(peer: Peer, request: Request<Body>) -> Result<Response<Body>, Status> {
    match peer {
        Peer::Remote(channel) => channel.oneshot(request).await.map_err(status),
        Peer::Local(gate) => gate.oneshot(request).await.map_err(|never| match never {}),
    }
}

/// tonic starts its own timer on the header we forward; when that one ends first, it says CANCELLED.
fn status(error: tonic::transport::Error) -> Status {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return Status::from(crate::failure::Failure::deadline_exceeded());
        }
        cause = error.source();
    }
    Status::from_error(Box::new(error))
}
