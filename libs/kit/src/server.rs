//! One service's listeners: bound first, then run until told to stop.
//!
//! ```text
//!   Server::builder("inventory").public(addr, routes).internal(addr, routes).bind().await?
//!      │ every port is taken here, so port 0 is known and a clash fails before work starts
//!      ▼
//!   bound.run(shutdown).await?   SERVING ─► shutdown ─► NOT_SERVING ─► stop accepting ─► in-flight end
//! ```
//!
//! Each listener serves its routes and health, and where it is enabled reflection in both protocol
//! versions (the packaged grpcurl speaks only the older one), with the `google.rpc` detail types
//! registered so that error details print as text.

mod gate;
mod listener;
mod panic;
mod reply;
mod routes;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use crate::auth::{AuthError, Verifier};
use crate::client::Channel;
use crate::config::{Auth, Identity, Reflection, Tls};
use crate::health::Health;

pub(crate) use self::gate::Gate;
use self::gate::{Callers, Rules};
use self::listener::Listener;
pub use self::listener::Side;
pub use self::routes::Routes;

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
    #[error("setting the {listener} listener up")]
    Transport { listener: Side, source: tonic::transport::Error },
    #[error("building the reflection service")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error(transparent)]
    Auth(#[from] AuthError),
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
            auth: Auth::default(),
            tls: Tls::default(),
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
    auth: Auth,
    tls: Tls,
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

    pub fn auth(mut self, auth: &Auth) -> Self {
        self.auth = auth.clone();
        self
    }

    pub fn tls(mut self, tls: &Tls) -> Self {
        self.tls = tls.clone();
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

        let callers = Callers::Users {
            tokens: Verifier::of(&self.auth)?.map(Arc::new),
            development_headers: self.auth.development_headers,
        };
        let open = |side, bound: Option<(SocketAddr, Routes)>, callers, identity: Option<&Identity>| {
            bound
                .map(|(address, routes)| {
                    refuse_plaintext(side, address, identity, &self.tls)?;
                    let rules = Arc::new(Rules::new(callers, draining.clone()));
                    let gate = Gate::new(routes.with_infrastructure(&health, &self.reflection)?, rules);
                    Listener::open(side, address, identity, gate)
                })
                .transpose()
        };
        let public = open(Side::Public, self.public, callers, self.tls.public.as_ref())?;
        let internal = open(Side::Internal, self.internal, Callers::Services, self.tls.internal.as_ref())?;

        for listener in [&public, &internal].into_iter().flatten() {
            tracing::info!(
                service = self.service,
                listener = %listener.side(),
                address = %listener.address(),
                "listening"
            );
        }
        Ok(Bound { service: self.service, public, internal, health, draining, drain: self.drain })
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
    health: Health,
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

    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// The internal routes without a socket, through the same gate: for services that share one
    /// process. It answers from now on, until the process ends.
    pub fn internal_channel(&self) -> Channel {
        Channel::local(self.internal.as_ref().expect("the builder was given internal routes").gate())
    }

    /// As [`Bound::internal_channel`], for the public routes.
    pub fn public_channel(&self) -> Channel {
        Channel::local(self.public.as_ref().expect("the builder was given public routes").gate())
    }

    /// Serves until `shutdown` fires, then drains: health says NOT_SERVING, no connection is accepted
    /// any more, calls in flight end, and what has not ended after the limit is cut off.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let stop = CancellationToken::new();
        let listeners = [self.public, self.internal].into_iter().flatten();
        let mut serving =
            std::pin::pin!(try_join_all(listeners.map(|listener| listener.serve(stop.clone()))));
        self.health.serving().await;
        tokio::select! {
            ended = &mut serving => return ended.map(|_| ()),
            () = shutdown.cancelled() => {}
        }

        tracing::info!(service = self.service, "draining");
        self.draining.cancel();
        self.health.draining().await;
        stop.cancel();
        let Ok(ended) = tokio::time::timeout(self.drain, serving).await else {
            tracing::warn!(service = self.service, limit = ?self.drain, "calls in flight were cut off");
            return Ok(());
        };
        ended.map(|_| ())
    }
}
