//! One service's listeners: bound first, then run until told to stop.
//!
//! ```text
//!   Server::builder("inventory").public(addr, routes).internal(addr, routes).bind().await?
//!      │ every port is taken here, so port 0 is known and a clash fails before work starts
//!      ▼
//!   bound.run(shutdown).await?   SERVING ─► shutdown ─► NOT_SERVING ─► stop accepting ─► in-flight end
//! ```
//!
//! A listener counts its connections and lets go of those that say nothing (`listener`, `connection`). Every call passes
//! one [`Gate`]: who calls (`workloads` for our own services), how often (`rates`), the whole message (`body`), a turn
//! (`admission`), and its reply until it is read (`stream`).
//!
//! Each listener serves its routes and health, and where it is enabled reflection in both protocol
//! versions (the packaged grpcurl speaks only the older one), with the `google.rpc` detail types
//! registered so that error details print as text.

mod admission;
mod body;
mod connection;
mod gate;
mod http;
mod listener;
mod origin;
mod panic;
mod rates;
mod reply;
mod routes;
mod seats;
mod stream;
mod tls;
mod workloads;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::access::{self, AccessError};
use crate::auth::{AuthError, Verifier};
use crate::client::Channel;
use crate::config::{Auth, Identity, Internal, Limits, Reflection, SecretError, Tls};
use crate::health::Health;
use crate::roles::Roles;

pub(crate) use self::gate::Gate;
use self::gate::{Callers, Rules};
pub use self::http::serve_http;
use self::listener::Listener;
pub use self::listener::Side;
pub use self::origin::Origin;
pub use self::routes::Routes;
pub(crate) use self::workloads::SECRET_HEADER;
use self::workloads::Workloads;

/// The largest request most services take; one that takes more says so on its generated server.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// The largest reply a service sends in one message.
pub const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long in-flight calls may take to end; hyper alone would wait for idle peers without end.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("binding the {listener} listener to {address}")]
    Bind { listener: Side, address: SocketAddr, source: io::Error },
    #[error(
        "the {listener} listener would serve {address} unencrypted; set tls.{listener}, or \
         tls.allow_plaintext if something in front of it encrypts"
    )]
    Plaintext { listener: Side, address: SocketAddr },
    #[error("reading the {listener} listener's certificates")]
    Certificates { listener: Side, source: io::Error },
    #[error(
        "the internal listener would believe whoever reaches {address}; set tls.internal.client_ca and the names of the \
         callers' certificates (internal.peers), or internal.secret where something in front of it encrypts"
    )]
    AnybodyInternal { address: SocketAddr },
    #[error("tls.internal.client_ca is set, and no caller is named; set internal.peers.<name>.names")]
    NoPeers,
    #[error("internal.peers may call {service}, which the internal listener does not serve")]
    UnservedByPeer { service: String },
    #[error(
        "no peer may call {service}, which the internal listener serves; add it to internal.peers.<name>.may_call"
    )]
    UncalledByPeers { service: String },
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("building the reflection service")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Entry point: [`Server::builder`].
#[derive(Debug)]
pub struct Server;

impl Server {
    pub fn builder(service: &'static str) -> Builder {
        Builder {
            service,
            public: None,
            internal: None,
            health: None,
            auth: Auth::default(),
            roles: None,
            knows_parties: false,
            tls: Tls::default(),
            workloads: Internal::default(),
            limits: Limits::default(),
            reflection: Reflection::default(),
            drain: DRAIN_MAX,
        }
    }
}

/// What will be served where.
#[must_use = "nothing is served before bind() and run()"]
pub struct Builder {
    service: &'static str,
    public: Option<(SocketAddr, Routes)>,
    internal: Option<(SocketAddr, Routes)>,
    health: Option<SocketAddr>,
    auth: Auth,
    roles: Option<Roles>,
    knows_parties: bool,
    tls: Tls,
    workloads: Internal,
    limits: Limits,
    reflection: Reflection,
    drain: Duration,
}

impl Builder {
    /// Routes whose callers are users: each call has a [`crate::Principal`] or is UNAUTHENTICATED.
    pub fn public(mut self, address: SocketAddr, routes: Routes) -> Self {
        self.public = Some((address, routes));
        self
    }

    /// Routes whose callers are our own services, which name the tenant inside the message.
    pub fn internal(mut self, address: SocketAddr, routes: Routes) -> Self {
        self.internal = Some((address, routes));
        self
    }

    /// Health and nothing else, where probes hold no certificate; unencrypted.
    pub fn health(mut self, address: Option<SocketAddr>) -> Self {
        self.health = address;
        self
    }

    pub fn auth(mut self, auth: &Auth) -> Self {
        self.auth = auth.clone();
        self
    }

    /// The role maps that calls are held against; without them the configuration's alone.
    pub fn roles(mut self, roles: Roles) -> Self {
        self.roles = Some(roles);
        self
    }

    /// This service knows the parties of orders: its handlers say what is there for whom. Elsewhere what is of one order
    /// is there for those alone who see everything.
    pub fn knows_parties(mut self) -> Self {
        self.knows_parties = true;
        self
    }

    pub fn tls(mut self, tls: &Tls) -> Self {
        self.tls = tls.clone();
        self
    }

    /// Who may call the internal listener. Without it nobody may but callers within the process.
    pub fn workloads(mut self, internal: &Internal) -> Self {
        self.workloads = internal.clone();
        self
    }

    pub fn limits(mut self, limits: &Limits) -> Self {
        self.limits = limits.clone();
        self
    }

    pub fn reflection(mut self, reflection: &Reflection) -> Self {
        self.reflection = reflection.clone();
        self
    }

    /// How long in-flight calls may take to end; [`DRAIN_MAX`] unless set.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// Takes the ports. Nothing is answered before [`Bound::run`].
    pub async fn bind(self) -> Result<Bound, ServerError> {
        let listeners = [self.public.as_ref(), self.internal.as_ref()];
        let names = listeners.into_iter().flatten().flat_map(|(_, routes)| routes.names().to_vec());
        let draining = CancellationToken::new();
        let health = Health::of(names.collect(), draining.clone()).await;

        let roles = self.roles.clone().unwrap_or_else(|| Roles::configured(&self.auth));
        let users = Callers::Users {
            tokens: Verifier::of(&self.auth)?.map(Arc::new),
            development_headers: self.auth.development_headers,
            roles: roles.clone(),
            knows_parties: self.knows_parties,
        };
        let services = match &self.internal {
            None => Workloads::Unknown,
            Some((address, routes)) => self.known_workloads(*address, routes)?,
        };
        let open = |side, (address, routes): (SocketAddr, Routes), callers, identity: Option<&Identity>| {
            let access = access::of_services(routes.names(), side)?;
            let held_to = Rules::new(callers, access, &self.limits, routes.bytes_max(), draining.clone());
            let gate = Gate::new(routes.with_infrastructure(&health, &self.reflection)?, Arc::new(held_to));
            Listener::open(side, address, identity, gate, &self.limits)
        };
        let public = self.public.map(|bound| {
            refuse_plaintext(Side::Public, bound.0, self.tls.public.as_ref(), &self.tls)?;
            open(Side::Public, bound, users, self.tls.public.as_ref())
        });
        let internal = self.internal.map(|bound| {
            refuse_plaintext(Side::Internal, bound.0, self.tls.internal.as_ref(), &self.tls)?;
            open(Side::Internal, bound, Callers::Services(services), self.tls.internal.as_ref())
        });
        let probed = self.health.map(|address| {
            // Nothing but health is routed, which asks nobody who they are.
            open(Side::Health, (address, Routes::new()), Callers::Services(Workloads::Unknown), None)
        });
        let (public, internal, probed) = (public.transpose()?, internal.transpose()?, probed.transpose()?);

        for listener in [&public, &internal, &probed].into_iter().flatten() {
            tracing::info!(
                service = self.service,
                listener = %listener.side(),
                address = %listener.address(),
                "listening"
            );
        }
        Ok(Bound {
            service: self.service,
            public,
            internal,
            probed,
            health,
            roles,
            draining,
            drain: self.drain,
        })
    }

    /// Beyond this machine nobody is believed without proof, and nobody could prove anything to a listener that knows
    /// no certificate and no secret.
    fn known_workloads(&self, address: SocketAddr, routes: &Routes) -> Result<Workloads, ServerError> {
        let anybody = self.tls.internal.as_ref().is_some_and(|identity| identity.client_ca.is_none());
        let known = Workloads::of(&self.workloads, &self.tls, routes.names())?;
        let nobody = matches!(known, Workloads::Unknown);
        if !address.ip().is_loopback() && (anybody || (nobody && self.tls.allow_plaintext)) {
            return Err(ServerError::AnybodyInternal { address });
        }
        if nobody {
            tracing::info!(
                service = self.service,
                "the internal listener knows no caller and answers nobody; internal.secret is not set"
            );
        }
        Ok(known)
    }
}

fn refuse_plaintext(
    listener: Side,
    address: SocketAddr,
    identity: Option<&Identity>,
    tls: &Tls,
) -> Result<(), ServerError> {
    if identity.is_some() || tls.allow_plaintext || address.ip().is_loopback() {
        Ok(())
    } else {
        Err(ServerError::Plaintext { listener, address })
    }
}

/// Listeners that hold their ports.
pub struct Bound {
    service: &'static str,
    public: Option<Listener>,
    internal: Option<Listener>,
    probed: Option<Listener>,
    health: Health,
    roles: Roles,
    draining: CancellationToken,
    drain: Duration,
}

impl Bound {
    pub fn public_addr(&self) -> SocketAddr {
        self.public.as_ref().expect("the builder was given public routes").address()
    }

    pub fn internal_addr(&self) -> SocketAddr {
        self.internal.as_ref().expect("the builder was given internal routes").address()
    }

    pub fn health_addr(&self) -> Option<SocketAddr> {
        self.probed.as_ref().map(Listener::address)
    }

    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// The internal routes without a socket, through the same gate: for services that share one
    /// process. It answers from now on, until the process ends.
    pub fn internal_channel(&self) -> Channel {
        let internal = self.internal.as_ref().expect("the builder was given internal routes");
        Channel::local(internal.gate().within_the_process())
    }

    /// As [`Bound::internal_channel`], for the public routes.
    pub fn public_channel(&self) -> Channel {
        let public = self.public.as_ref().expect("the builder was given public routes");
        Channel::local(public.gate().within_the_process())
    }

    /// Serves until `shutdown` fires, then drains: health says NOT_SERVING, no connection is accepted
    /// any more, calls in flight end, and what has not ended after the limit is cut off.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let stop = CancellationToken::new();
        let listeners = [self.public, self.internal, self.probed].into_iter().flatten();
        let mut serving = std::pin::pin!(join_all(listeners.map(|listener| listener.serve(stop.clone()))));
        tokio::spawn(self.roles.follow(stop.clone()));
        self.health.serving().await;
        tokio::select! {
            _ = &mut serving => return Ok(()),
            () = shutdown.cancelled() => {}
        }

        tracing::info!(service = self.service, "draining");
        self.draining.cancel();
        self.health.draining().await;
        stop.cancel();
        if tokio::time::timeout(self.drain, serving).await.is_err() {
            tracing::warn!(service = self.service, limit = ?self.drain, "calls in flight were cut off");
        }
        Ok(())
    }
}
