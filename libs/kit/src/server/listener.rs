//! One bound port and its transport settings.
//!
//! tonic's defaults have no limit on streams, no keepalive and no age: a peer that vanished without
//! a word would be served for ever.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity as Pem, ServerTlsConfig};

use super::{Gate, ServerError};
use crate::config::Identity;

/// Calls at a time on one connection. A service's peers are few and busy, users many and slow.
const STREAMS_MAX_PUBLIC: u32 = 128;
const STREAMS_MAX_INTERNAL: u32 = 1_024;
const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections are renewed so that load spreads over new replicas. No grace is set: tonic then says
/// GOAWAY and lets calls end, while with a grace it only waits and cuts the connection off.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(30);
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Streams a peer opens and resets at once before the connection is closed (rapid reset).
const PENDING_RESETS_MAX: usize = 20;
const LOCAL_RESETS_MAX: usize = 256;

/// Which of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Public,
    Internal,
}

impl Side {
    fn streams_max(self) -> u32 {
        match self {
            Self::Public => STREAMS_MAX_PUBLIC,
            Self::Internal => STREAMS_MAX_INTERNAL,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
        })
    }
}

pub(super) struct Listener {
    side: Side,
    address: SocketAddr,
    incoming: TcpIncoming,
    transport: tonic::transport::Server,
    gate: Gate,
}

impl Listener {
    pub(super) fn open(
        side: Side,
        address: SocketAddr,
        identity: Option<&Identity>,
        gate: Gate,
    ) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { listener: side, address, source };
        // Set on the incoming stream: the server's own `tcp_nodelay` is ignored when one is given, and
        // replies of more than one segment would then wait 40 ms each.
        let incoming = TcpIncoming::bind(address).map_err(bind)?.with_nodelay(Some(true));
        let address = incoming.local_addr().map_err(bind)?;
        Ok(Self { side, address, incoming, transport: transport(side, identity)?, gate })
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Accepts until `stop` fires, then ends when the last connection has.
    pub(super) async fn serve(self, stop: CancellationToken) -> Result<(), ServerError> {
        let Self { side, incoming, transport, gate, .. } = self;
        let serving = transport.serve_with_incoming_shutdown(gate, incoming, stop.cancelled());
        serving.await.map_err(|source| ServerError::Transport { listener: side, source })
    }
}

fn transport(side: Side, identity: Option<&Identity>) -> Result<tonic::transport::Server, ServerError> {
    let transport = tonic::transport::Server::builder()
        .max_concurrent_streams(side.streams_max())
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
        .http2_keepalive_interval(Some(PING_INTERVAL))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_max_local_error_reset_streams(Some(LOCAL_RESETS_MAX))
        .max_connection_age(CONNECTION_AGE_MAX);
    let Some(identity) = identity else {
        return Ok(transport);
    };
    let tls = tls(identity).map_err(|source| ServerError::Certificates { listener: side, source })?;
    transport.tls_config(tls).map_err(|source| ServerError::Transport { listener: side, source })
}

fn tls(identity: &Identity) -> io::Result<ServerTlsConfig> {
    let certificate = std::fs::read(&identity.certificate)?;
    let key = std::fs::read(&identity.key)?;
    let tls = ServerTlsConfig::new().identity(Pem::from_pem(certificate, key)).timeout(HANDSHAKE_MAX);
    match &identity.client_ca {
        None => Ok(tls),
        Some(ca) => Ok(tls.client_ca_root(Certificate::from_pem(std::fs::read(ca)?))),
    }
}
