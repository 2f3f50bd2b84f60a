use std::sync::Arc;

use http::{HeaderValue, Request};
use tokio_util::sync::CancellationToken;
use tonic::Response;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_types::StatusExt as _;
use types::Reason;

use super::*;

/// Answers nothing, ever.
struct Silent;

#[tonic::async_trait]
impl Health for Silent {
    type WatchStream = tokio_stream::Pending<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        std::future::pending().await
    }

    async fn watch(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::pending()))
    }
}

/// Calls the gate itself, so that no client's timer can answer in its place.
async fn status(grpc_timeout: &'static str) -> Status {
    let callers = Callers::Services(Workloads::Unknown);
    let rules =
        Arc::new(Rules::new(callers, HashMap::new(), &Limits::default(), 1_024, CancellationToken::new()));
    let gate = Gate::new(tonic::service::Routes::new(HealthServer::new(Silent)), rules);
    // One empty message: no compression, length zero.
    let mut request = Request::new(Body::new("\0\0\0\0\0".to_owned()));
    *request.uri_mut() = "/grpc.health.v1.Health/Check".parse().unwrap();
    request.headers_mut().insert("grpc-timeout", HeaderValue::from_static(grpc_timeout));

    let response = tower::ServiceExt::oneshot(gate, request).await.unwrap();

    Status::from_header_map(response.headers()).unwrap()
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_deadline_exceeded_and_not_cancelled() {
    let status = status("20m").await;

    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.get_details_error_info().unwrap().reason, Reason::DeadlineExceeded.as_str());
}

#[tokio::test]
async fn a_call_whose_time_is_over_on_arrival_is_deadline_exceeded() {
    assert_eq!(status("0n").await.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_malformed_timeout_is_the_callers_mistake() {
    let status = status("soon").await;

    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "grpc-timeout");
}
