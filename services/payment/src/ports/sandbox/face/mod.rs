//! The sandbox as a simulator: its HTTP face, and the endpoints that tell it what to do wrong.
//!
//! ```text
//!   POST /v1/{tenant}/effects            an effect; Idempotency-Key: our id
//!   GET  /v1/{tenant}/effects/{key}      what became of it
//!   GET  /v1/{tenant}/payments/{id}      the book of one payment
//!   POST /v1/{tenant}/holdings           what there is of a payment, by its name here
//!   POST /control/{tenant}/…             faults, ends of refunds, the dashboard, disputes, webhooks
//! ```
//!
//! No money moves here and nobody is asked who they are: it belongs on a loopback address.

mod control;
mod script;
mod webhooks;

use std::future::pending;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use storage::{DbError, WriteError};
use types::{Clock, PaymentId, Tenant};

use self::script::{Fault, Script};
use self::webhooks::Courier;
pub use self::webhooks::Endpoint;
use super::wire::{Ask, Book, Held, Look, Told, Unreadable};
use super::{Behaviour, Effect, Sandbox};
use crate::domain::gateway;

/// A request that is longer is nobody's.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// What a delivery of a webhook may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Face {
    sandbox: Sandbox,
    script: Script,
    courier: Courier,
}

impl Face {
    pub fn new(sandbox: Sandbox, clock: Clock) -> Result<Self, reqwest::Error> {
        let courier = Courier::new(sandbox.clone(), clock, DELIVERY_TIMEOUT)?;
        Ok(Self { sandbox, script: Script::default(), courier })
    }

    /// Where a tenant's webhooks go from now on.
    pub fn set_endpoint(&self, tenant: Tenant, endpoint: Endpoint) {
        self.courier.set(tenant, endpoint);
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(async || "This is a simulator of a payment gateway. No money moves here.\n"))
            .route("/v1/{tenant}/effects", post(effect))
            .route("/v1/{tenant}/effects/{key}", get(query))
            .route("/v1/{tenant}/payments/{payment_id}", get(book))
            .route("/v1/{tenant}/holdings", post(holding))
            .nest("/control/{tenant}", control::router())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }

    /// Turns what has changed by itself into webhooks; true if anything had. Called again and again by
    /// the simulator's process, and at once by whoever makes a change.
    pub async fn tell_changes(&self) -> Result<bool, DbError> {
        let notices = self.sandbox.notices("simulator").await?;
        for notice in &notices {
            let key = notice.refund_id.as_str();
            if let Some(effect) = self.sandbox.find(&notice.tenant, key).await? {
                self.courier.tell_refund(&notice.tenant, &effect).await?;
            }
            self.sandbox.heard(&notice.tenant, key).await?;
        }
        Ok(!notices.is_empty())
    }
}

/// Why a request was not served.
enum Refused {
    Unreadable(Unreadable),
    /// The key belongs to another request.
    KeyReused,
    Missing,
    /// What was asked for is not possible now.
    Conflict(&'static str),
    Unavailable(String),
}

impl From<Unreadable> for Refused {
    fn from(problem: Unreadable) -> Self {
        Self::Unreadable(problem)
    }
}

impl From<DbError> for Refused {
    fn from(problem: DbError) -> Self {
        Self::Unavailable(problem.to_string())
    }
}

impl From<WriteError> for Refused {
    fn from(problem: WriteError) -> Self {
        Self::Unavailable(problem.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Unreadable(problem) => (StatusCode::BAD_REQUEST, "unreadable", problem.to_string()),
            Self::KeyReused => {
                let message = "the key was used with another body".to_owned();
                (StatusCode::CONFLICT, "idempotency_key_reused", message)
            }
            Self::Missing => (StatusCode::NOT_FOUND, "missing", "there is none".to_owned()),
            Self::Conflict(message) => (StatusCode::CONFLICT, "conflict", message.to_owned()),
            Self::Unavailable(problem) => {
                tracing::warn!(problem, "the simulator's book is not available");
                let message = "the book is not available".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
        };
        (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
    }
}

fn tenant(text: &str) -> Result<Tenant, Refused> {
    Tenant::parse(text).map_err(|_| Unreadable("the tenant").into())
}

async fn effect(
    State(face): State<Face>,
    Path(of): Path<String>,
    headers: HeaderMap,
    Json(ask): Json<Ask>,
) -> Result<Response, Refused> {
    let tenant = tenant(&of)?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let task = ask.task(key.ok_or(Unreadable("the idempotency key"))?)?;
    let fault = face.script.next(&tenant);
    match fault {
        Some(Fault::Limited) => return Ok(StatusCode::TOO_MANY_REQUESTS.into_response()),
        Some(Fault::FailBefore) => return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Some(Fault::HangBefore) => return pending().await,
        Some(Fault::FailAfter | Fault::HangAfter) | None => {}
    }
    let made = face.sandbox.apply(&tenant, &task).await?;
    if !made.is_asked_by(&task) {
        return Err(Refused::KeyReused);
    }
    if made.kind == gateway::Effect::Refund {
        // An endpoint that is told at once hears of the refund before the caller does.
        face.courier.tell_refund(&tenant, &made).await?;
    }
    if Behaviour::of(&task.token).loses_answer(task.effect) {
        return pending().await;
    }
    match fault {
        Some(Fault::FailAfter) => Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Some(Fault::HangAfter) => pending().await,
        Some(Fault::Limited | Fault::FailBefore | Fault::HangBefore) | None => told(&made),
    }
}

async fn query(
    State(face): State<Face>,
    Path((of, key)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let found = face.sandbox.find(&tenant(&of)?, &key).await?;
    told(&found.ok_or(Refused::Missing)?)
}

async fn book(
    State(face): State<Face>,
    Path((of, payment_id)): Path<(String, String)>,
) -> Result<Json<Book>, Refused> {
    let payment_id = PaymentId::parse(&payment_id).map_err(|_| Unreadable("the payment"))?;
    let statement = face.sandbox.read_statement(&tenant(&of)?, &payment_id).await?;
    Ok(Json(Book::of(statement)))
}

async fn holding(
    State(face): State<Face>,
    Path(of): Path<String>,
    Json(look): Json<Look>,
) -> Result<Response, Refused> {
    let tenant = tenant(&of)?;
    match face.script.next(&tenant) {
        Some(Fault::Limited) => return Ok(StatusCode::TOO_MANY_REQUESTS.into_response()),
        Some(Fault::FailBefore | Fault::FailAfter) => {
            return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        Some(Fault::HangBefore | Fault::HangAfter) => return pending().await,
        None => {}
    }
    let holding = face.sandbox.holding(&tenant, &look.reference).await?;
    Ok(Json(Held::of(holding.ok_or(Refused::Missing)?)).into_response())
}

fn told(effect: &Effect) -> Result<Response, Refused> {
    let told = Told::of(effect.answer()).ok_or(Refused::Missing)?;
    Ok(Json(told).into_response())
}
