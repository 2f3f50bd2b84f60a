//! The endpoint that gateways call: `POST /webhooks/{tenant}/{gateway}` on a listener of its own.
//! Plain HTTP; TLS ends at the proxy in front of it.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kit::config::Limits;
use kit::server::serve_http;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use types::Tenant;

use crate::ops::intake::{Intake, Taken};
use crate::ports::webhook::{BODY_BYTES_MAX, SIGNATURE_HEADER, WebhookRefusal};

/// How long a commit may take before the gateway is told to come again.
const COMMIT_MAX: Duration = Duration::from_secs(5);

/// Serves until `shutdown`; deliveries that came in are answered first.
pub async fn serve(listener: TcpListener, intake: Intake, limits: Limits, shutdown: CancellationToken) {
    let routes = Router::new()
        .route("/webhooks/{tenant}/{gateway}", post(deliver))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(intake);
    serve_http(listener, routes, BODY_BYTES_MAX, &limits, shutdown).await;
}

/// 200 only after the commit. What cannot be proven leaves nothing behind but a line in the log, and
/// learns nothing of why.
async fn deliver(
    State(intake): State<Intake>,
    Path((tenant, gateway)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Ok(tenant) = Tenant::parse(&tenant) else { return StatusCode::UNAUTHORIZED };
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let event = match intake.prove(&tenant, &gateway, signature, &body) {
        Ok(event) => event,
        Err(refusal) => {
            tracing::warn!(%tenant, gateway, %refusal, monotonic_counter.webhooks_refused = 1_u64, "a webhook was refused");
            return match refusal {
                WebhookRefusal::HeaderMalformed | WebhookRefusal::SignatureWrong => StatusCode::UNAUTHORIZED,
                WebhookRefusal::OutOfTime | WebhookRefusal::BodyUnreadable => StatusCode::BAD_REQUEST,
            };
        }
    };
    match tokio::time::timeout(COMMIT_MAX, intake.take(&tenant, event)).await {
        Ok(Ok(Taken::New | Taken::Again)) => StatusCode::OK,
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "a webhook could not be written down; its gateway will send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
