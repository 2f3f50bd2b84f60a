//! One bound port and its transport settings.
//!
//! tonic's defaults have no limit on streams, no keepalive and no age: a peer that vanished without
//! a word would be served for ever.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity as Pem, ServerTlsConfig};

use super::{Gate, ServerError};
use crate::config::Identity;

const STREAMS_MAX: u32 = 1_024;
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

pub(super) struct Listener {
    name: &'static str,
    address: SocketAddr,
    incoming: TcpIncoming,
    transport: tonic::transport::Server,
    gate: Gate,
}

impl Listener {
    pub(super) fn open(
        name: &'static str,
        address: SocketAddr,
        identity: Option<&Identity>,
        gate: Gate,
    ) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { listener: name, address, source };
        // Set on the incoming stream: the server's own `tcp_nodelay` is ignored when one is given, and
        // replies of more than one segment would then wait 40 ms each.
        let incoming = TcpIncoming::bind(address).map_err(bind)?.with_nodelay(Some(true));
        let address = incoming.local_addr().map_err(bind)?;
        Ok(Self { name, address, incoming, transport: transport(name, identity)?, gate })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Accepts until `stop` fires, then ends when the last connection has.
    pub(super) async fn serve(self, stop: CancellationToken) -> Result<(), ServerError> {
        let Self { name, incoming, transport, gate, .. } = self;
        let serving = transport.serve_with_incoming_shutdown(gate, incoming, stop.cancelled());
        serving.await.map_err(|source| ServerError::Transport { listener: name, source })
    }
}

fn transport(
    name: &'static str,
    identity: Option<&Identity>,
) -> Result<tonic::transport::Server, ServerError> {
    let transport = tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
        .http2_keepalive_interval(Some(PING_INTERVAL))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_max_local_error_reset_streams(Some(LOCAL_RESETS_MAX))
        .max_connection_age(CONNECTION_AGE_MAX);
    let Some(identity) = identity else {
        return Ok(transport);
    };
    let tls = tls(identity).map_err(|source| ServerError::Certificates { listener: name, source })?;
    transport.tls_config(tls).map_err(|source| ServerError::Transport { listener: name, source })
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
