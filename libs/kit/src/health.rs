//! `grpc.health.v1` for every service name a process serves.
//!
//! A name is NOT_SERVING until the server runs and again from the moment it drains, so that a load
//! balancer turns away before connections close. The empty name stands for the whole process.

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Says which services can answer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    names: Vec<String>,
    draining: CancellationToken,
}

impl Health {
    pub(crate) async fn of(names: Vec<String>, draining: CancellationToken) -> Self {
        let health = Self { reporter: HealthReporter::new(), names, draining };
        health.set_all(ServingStatus::NotServing).await;
        health
    }

    pub(crate) fn reporter(&self) -> HealthReporter {
        self.reporter.clone()
    }

    /// For one service that finds itself able or unable to answer (its store is gone, it is back).
    /// Nothing serves again once the server drains.
    pub async fn set(&self, service: &str, serving: bool) {
        let status = if serving && !self.draining.is_cancelled() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        self.reporter.set_service_status(service, status).await;
    }

    pub(crate) async fn serving(&self) {
        self.set_all(ServingStatus::Serving).await;
    }

    pub(crate) async fn draining(&self) {
        self.set_all(ServingStatus::NotServing).await;
    }

    async fn set_all(&self, status: ServingStatus) {
        for name in std::iter::once("").chain(self.names.iter().map(String::as_str)) {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
