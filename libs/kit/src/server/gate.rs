//! [`Gate`]: what every call passes before its handler, in one readable order.
//!
//! It is one service and not a tower of layers, so that the order is a function that can be read. Who nobody knows takes
//! nothing: a call is identified first, then its message is read whole, and only then it takes a turn.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use proto::common::v1::Scope;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;
use tracing::{Instrument as _, Span};
use types::Reason;

use super::admission::{self, Admission, Caller, User};
use super::connection::Connection;
use super::origin::Origin;
use super::rates::Limiter;
use super::seats::Seats;
use super::workloads::Workloads;
use super::{body, panic, reply, stream};
use crate::access::Access;
use crate::auth::{self, Verifier};
use crate::config::Limits;
use crate::deadline::{CAP, Deadline};
use crate::failure::Failure;
use crate::principal::{Principal, unauthenticated};
use crate::roles::Roles;
use crate::span;

/// Who may call, and how they are known.
#[derive(Clone)]
pub(super) enum Callers {
    /// Users: by a token where tokens are configured, by the development headers where those are believed. Without
    /// either every call is UNAUTHENTICATED.
    /// What each may do is looked up in the role map.
    Users { tokens: Option<Arc<Verifier>>, development_headers: bool, roles: Roles, knows_parties: bool },
    /// Our own services; the tenant is in the message.
    Services(Workloads),
}

/// The rules of one listener.
pub(super) struct Rules {
    callers: Callers,
    access: HashMap<String, Access>,
    limits: Limits,
    request_bytes_max: usize,
    /// Calls whose message is being read, of one caller.
    reading: Arc<Seats<Caller>>,
    admission: Arc<Admission>,
    limiter: Limiter,
    draining: CancellationToken,
}

/// Messages that are read at a time, by turns: what is read waits for its turn, so a few times as many are enough.
const READING_FOR_EACH_TURN: usize = 4;

impl Rules {
    pub(super) fn new(
        callers: Callers,
        access: HashMap<String, Access>,
        limits: &Limits,
        request_bytes_max: usize,
        draining: CancellationToken,
    ) -> Self {
        let turns = limits.calls_max;
        Self {
            callers,
            access,
            request_bytes_max,
            reading: Seats::new(turns * READING_FOR_EACH_TURN, turns),
            admission: Admission::new(turns),
            limiter: Limiter::new(&limits.rates),
            limits: limits.clone(),
            draining,
        }
    }

    /// Who calls; within the process our own services need no proof.
    fn identify(&self, request: &mut Request<Body>, in_process: bool) -> Result<Caller, Failure> {
        let (tokens, development_headers, roles, knows_parties) = match &self.callers {
            Callers::Services(_) if in_process => return Ok(Caller::Peers),
            Callers::Services(workloads) => {
                let connection = request.extensions().get::<Arc<Connection>>().cloned();
                let names = connection.as_ref().map_or(&[][..], |connection| connection.names());
                let path = request.uri().path().to_owned();
                workloads.admit(&path, request.headers_mut(), names)?;
                return Ok(Caller::Peers);
            }
            Callers::Users { tokens, development_headers, roles, knows_parties } => {
                (tokens, *development_headers, roles, *knows_parties)
            }
        };
        let token = auth::bearer(request.headers())?;
        let principal = match (tokens, token) {
            // A token that does not hold is never saved by headers beside it.
            (Some(tokens), Some(token)) => tokens.verify(token)?,
            (_, None) | (None, Some(_)) if development_headers => {
                Principal::from_development_headers(request.headers())?
            }
            (_, None) | (None, Some(_)) => return Err(unauthenticated()),
        };
        let principal = principal.granted_by(roles);
        self.authorise(request.uri().path(), &principal, knows_parties)?;
        let user = User { tenant: principal.tenant.clone(), name: principal.user.clone() };
        request.extensions_mut().insert(principal);
        Ok(Caller::User(Arc::new(user)))
    }

    /// Takes one call out of what the caller may call.
    fn count(&self, caller: &Caller, request: &Request<Body>) -> Result<(), Failure> {
        let path = request.uri().path();
        let Some(access) = self.access.get(path) else { return Ok(()) };
        match (caller, request.extensions().get::<Principal>()) {
            (Caller::User(user), Some(principal)) => {
                self.limiter.check(user, principal, path, access.permission)
            }
            (Caller::User(_) | Caller::Peers, _) => Ok(()),
        }
    }

    /// What is decided before anything of the message is read. Health must answer an overloaded server's prober, and neither
    /// it nor reflection has a tenant.
    fn greet(
        &self,
        request: &mut Request<Body>,
        arrived: Instant,
        in_process: bool,
    ) -> Result<(Deadline, Option<Caller>), Failure> {
        let deadline = Deadline::grant(request.headers(), arrived, CAP)?;
        request.extensions_mut().insert(deadline);
        let is_infrastructure = request.uri().path().starts_with("/grpc.");
        if is_infrastructure {
            return Ok((deadline, None));
        }
        let caller = self.identify(request, in_process)?;
        self.count(&caller, request)?;
        if let Some(connection) = request.extensions().get::<Arc<Connection>>() {
            connection.identified();
            let origin = Origin::seen(connection.peer(), request.headers(), &self.limits);
            request.extensions_mut().insert(origin);
        }
        Ok((deadline, Some(caller)))
    }

    async fn read(&self, request: Request<Body>, caller: &Caller) -> Result<Request<Body>, Failure> {
        let Some(_place) = self.reading.take(Some(caller.clone())) else {
            body::discard(request);
            return Err(admission::overloaded());
        };
        body::read(request, self.request_bytes_max, self.limits.body()).await
    }

    /// A path that is no method of a service here is left to the router, which knows no handler for it.
    fn authorise(&self, path: &str, caller: &Principal, knows_parties: bool) -> Result<(), Failure> {
        let Some(access) = self.access.get(path) else { return Ok(()) };
        access.check(caller)?;
        if access.scope == Scope::Party && !knows_parties && !caller.sees_everything() {
            let message = "nothing of this kind is there for the caller";
            return Err(Failure::new(Reason::ResourceNotFound, message));
        }
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Gate {
    routes: tonic::service::Routes,
    rules: Arc<Rules>,
    in_process: bool,
}

impl Gate {
    pub(super) fn new(routes: tonic::service::Routes, rules: Arc<Rules>) -> Self {
        Self { routes: routes.prepare(), rules, in_process: false }
    }

    /// The same gate for callers that are part of this process.
    pub(super) fn within_the_process(self) -> Self {
        Self { in_process: true, ..self }
    }
}

impl Service<Request<Body>> for Gate {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let arrived = Instant::now();
        let this = self.clone();
        let method = request.uri().path().to_owned();
        let span = span::server(request.uri().path(), request.headers());
        let draining = self.rules.draining.clone();
        let connection = request.extensions().get::<Arc<Connection>>();
        let counted = connection.map(Connection::begin_call);
        let call = async move {
            let response = this
                .answer(request, arrived)
                .await
                .unwrap_or_else(|failure| Status::from(failure).into_http());
            record(&Span::current(), &method, &response, arrived);
            Ok(stream::deliver(response, draining, counted))
        };
        Box::pin(call.instrument(span))
    }
}

impl Gate {
    async fn answer(self, mut request: Request<Body>, arrived: Instant) -> Result<Response<Body>, Failure> {
        let Self { mut routes, rules, in_process } = self;
        let (deadline, caller) = match rules.greet(&mut request, arrived, in_process) {
            Ok(greeted) => greeted,
            Err(failure) => {
                body::discard(request);
                return Err(failure);
            }
        };
        let mut turn = None;
        if let Some(caller) = caller {
            request = deadline.bound(rules.read(request, &caller)).await??;
            turn = Some(rules.admission.admit(&caller).await?);
        }

        let handled = panic::caught(async move { routes.call(request).await });
        let response = deadline.bound(handled).await??;
        drop(turn);
        Ok(reply::explain(response))
    }
}

/// Only a refusal has its status in the headers; a success tells in its trailers.
fn record(span: &Span, method: &str, response: &Response<Body>, arrived: Instant) {
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let is_error = span::is_server_error(code);
    span::finish(span, code, is_error);
    let code = span::name(code);
    let elapsed_us = u64::try_from(arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
    if is_error {
        tracing::warn!(method, code, elapsed_us, "answered");
    } else {
        tracing::debug!(method, code, elapsed_us, "answered");
    }
}

#[cfg(test)]
mod tests;
