//! One bound port: who is let in, and for how long.
//!
//! Neither tonic nor hyper bounds how many connect, how long they take to say something, or how long they stay without
//! calling. Each of them costs a descriptor, so the connections are accepted, counted and looked after here.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::Service as _;

use super::connection::{Connection, Counted, Verdict};
use super::origin::network;
use super::seats::{Seat, Seats};
use super::{Gate, ServerError, tls};
use crate::config::{Identity, Limits};

/// Calls at a time on one connection. A service's peers are few and busy, users many and slow.
const STREAMS_MAX_PUBLIC: u32 = 128;
const STREAMS_MAX_INTERNAL: u32 = 1_024;
const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams a peer opens and resets at once before the connection is closed (rapid reset).
const PENDING_RESETS_MAX: usize = 20;
const LOCAL_RESETS_MAX: usize = 256;
/// Accepting fails when there are no descriptors left; they come back when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a connection is looked after, at most and at least.
const LOOK_MIN: Duration = Duration::from_millis(10);
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Which of the listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Public,
    Internal,
    /// Health alone, for probes.
    Health,
}

impl Side {
    fn streams_max(self) -> u32 {
        match self {
            Self::Public | Self::Health => STREAMS_MAX_PUBLIC,
            Self::Internal => STREAMS_MAX_INTERNAL,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Health => "health",
        })
    }
}

pub(super) struct Listener {
    side: Side,
    address: SocketAddr,
    socket: TcpListener,
    door: Door,
}

/// What every connection of a listener needs.
#[derive(Clone)]
struct Door {
    gate: Gate,
    tls: Option<TlsAcceptor>,
    limits: Arc<Limits>,
    http: http2::Builder<TokioExecutor>,
}

impl Listener {
    pub(super) fn open(
        side: Side,
        address: SocketAddr,
        identity: Option<&Identity>,
        gate: Gate,
        limits: &Limits,
    ) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { listener: side, address, source };
        let socket = open(address).map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        let tls = identity
            .map(|identity| {
                tls::acceptor(identity).map_err(|source| ServerError::Certificates { listener: side, source })
            })
            .transpose()?;
        let door = Door { gate, tls, limits: Arc::new(limits.clone()), http: http(side) };
        Ok(Self { side, address, socket, door })
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn gate(&self) -> Gate {
        self.door.gate.clone()
    }

    /// Accepts until `stop` fires, then ends when the last connection has.
    pub(super) async fn serve(self, stop: CancellationToken) {
        let Self { socket, door, .. } = self;
        let limits = Arc::clone(&door.limits);
        let stopping = stop.clone();
        let serve = move |stream, peer| door.clone().serve(stream, peer, stop.clone());
        accept(socket, &limits, &stopping, serve).await;
    }
}

/// A listening socket that a tokio runtime serves.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// Accepts and counts connections until `stop` fires, then waits for the last one.
pub(super) async fn accept<Served>(
    socket: TcpListener,
    limits: &Limits,
    stop: &CancellationToken,
    serve: impl Fn(TcpStream, IpAddr) -> Served,
) where
    Served: Future<Output = ()> + Send + 'static,
{
    let seats = Seats::new(connections_max(limits), limits.connections_per_address_max);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let Some(seat) = seat(&seats, limits, address.ip()) else {
                    tracing::debug!(%address, monotonic_counter.connections_refused = 1_u64, "too many connections");
                    continue;
                };
                // Without it replies of more than one segment wait 40 ms each.
                if stream.set_nodelay(true).is_ok() {
                    let served = serve(stream, address.ip());
                    connections.spawn(async move {
                        served.await;
                        drop(seat);
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on nobody connects any more, while the last ones end.
    drop(socket);
    while connections.join_next().await.is_some() {}
}

/// Whoever stands in front of us for many is not counted as one.
fn seat(seats: &Arc<Seats<IpAddr>>, limits: &Limits, peer: IpAddr) -> Option<Seat<IpAddr>> {
    seats.take((!limits.trusts(peer)).then(|| network(peer)))
}

/// A process that has spent its descriptors on connections opens no file and calls nobody.
fn connections_max(limits: &Limits) -> usize {
    let descriptors = std::fs::read_to_string("/proc/self/limits").ok().and_then(|limits| {
        let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
        line.split_whitespace().nth(3)?.parse::<usize>().ok()
    });
    descriptors.map_or(limits.connections_max, |most| limits.connections_max.min(most / 4))
}

fn http(side: Side) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(side.streams_max())
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(LOCAL_RESETS_MAX);
    http
}

impl Door {
    async fn serve(self, stream: TcpStream, peer: IpAddr, stop: CancellationToken) {
        let Some(tls) = &self.tls else {
            let connection = Connection::new(peer, Vec::new());
            return self.talk(stream, connection, stop).await;
        };
        let Ok(Ok(stream)) = tokio::time::timeout(self.limits.handshake(), tls.accept(stream)).await else {
            return;
        };
        let names = tls::names(stream.get_ref().1.peer_certificates());
        let connection = Connection::new(peer, names);
        self.talk(stream, connection, stop).await;
    }

    /// Answers calls until the peer leaves or is let go.
    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        connection: Arc<Connection>,
        stop: CancellationToken,
    ) {
        let io = TokioIo::new(Counted::new(stream, &connection));
        let service = Answers { gate: self.gate.clone(), connection: Arc::clone(&connection) };
        let mut talking = pin!(self.http.serve_connection(io, service));
        let mut looks = tokio::time::interval(look_every(&self.limits));
        let mut leaving = None;
        loop {
            tokio::select! {
                // How it ended is the peer's affair.
                _ = &mut talking => return,
                () = stop.cancelled(), if leaving.is_none() => {
                    talking.as_mut().graceful_shutdown();
                    leaving = Some(Instant::now());
                }
                _ = looks.tick() => {
                    connection.end_unread(self.limits.send());
                    match connection.verdict(&self.limits, leaving) {
                        Verdict::Stays => {}
                        Verdict::Leaves => {
                            talking.as_mut().graceful_shutdown();
                            leaving = Some(Instant::now());
                        }
                        Verdict::CutOff => return,
                    }
                }
            }
        }
    }
}

fn look_every(limits: &Limits) -> Duration {
    let shortest = limits.handshake().min(limits.first_call()).min(limits.idle()).min(limits.send());
    (shortest / 4).clamp(LOOK_MIN, LOOK_MAX)
}

/// Passes a connection's requests to the gate, and says which connection they came by.
struct Answers {
    gate: Gate,
    connection: Arc<Connection>,
}

impl hyper::service::Service<Request<Incoming>> for Answers {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&self.connection));
        self.gate.clone().call(request)
    }
}
