//! [`Routes`]: generated services and their names.
//!
//! tonic's own `Routes` forgets the names, which health and reflection need.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tonic_reflection::server::Builder;
use tower::Service;

use super::{REQUEST_BYTES_MAX, ServerError};
use crate::config::Reflection;
use crate::health::Health;

/// The services of one listener.
#[derive(Debug, Clone)]
pub struct Routes {
    served: tonic::service::Routes,
    names: Vec<String>,
    request_bytes_max: usize,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            served: tonic::service::Routes::default(),
            names: Vec::new(),
            request_bytes_max: REQUEST_BYTES_MAX,
        }
    }
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the largest request that the listener takes, which is [`REQUEST_BYTES_MAX`] at first. Each generated server
    /// has a limit of its own below it.
    #[must_use]
    pub fn request_bytes_max(self, request_bytes_max: usize) -> Self {
        Self { request_bytes_max: self.request_bytes_max.max(request_bytes_max), ..self }
    }

    /// Adds a generated server.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.served = self.served.add_service(service);
        self.names.push(S::NAME.to_owned());
        self
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn bytes_max(&self) -> usize {
        self.request_bytes_max
    }

    /// Adds health, which every listener serves, and reflection.
    pub(super) fn with_infrastructure(
        self,
        health: &Health,
        reflected: &Reflection,
    ) -> Result<tonic::service::Routes, ServerError> {
        let health = HealthServer::new(HealthService::from_health_reporter(health.reporter()));
        let routes = self.served.add_service(health);
        if !reflected.enabled {
            return Ok(routes);
        }
        Ok(routes
            .add_service(reflection(&self.names).build_v1()?)
            .add_service(reflection(&self.names).build_v1alpha()?))
    }
}

/// Lists what this listener serves, and knows every type of the suite and of `google.rpc`.
fn reflection(names: &[String]) -> Builder<'static> {
    let reflection = Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    names.iter().fold(reflection, Builder::with_service_name)
}
