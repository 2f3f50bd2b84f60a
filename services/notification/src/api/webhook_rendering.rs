//! Endpoints and deliveries as they are shown. No secret is among it.

use proto::notification::v1 as wire;

use crate::domain::webhook::{DisabledCause, Endpoint, EndpointState};
use crate::ops::webhook_courier::endpoint_of;
use crate::ops::webhooks::Attempt;
use crate::ops::webhooks::Logged;

pub fn endpoint(endpoint: Endpoint) -> wire::Endpoint {
    let state = match endpoint.state {
        EndpointState::Active => wire::EndpointState::Active,
        EndpointState::Disabled(_) => wire::EndpointState::Disabled,
    };
    wire::Endpoint {
        webhook_id: endpoint.webhook_id.into(),
        url: endpoint.url,
        description: endpoint.description,
        event_types: endpoint.event_types,
        state: state.into(),
        disabled_cause: endpoint.state.cause().map_or("", DisabledCause::as_str).to_owned(),
        failing_since: endpoint.failing_since.map(String::from).unwrap_or_default(),
        old_secret_until: endpoint.old_secret.map(|old| String::from(old.until)).unwrap_or_default(),
        created_at: endpoint.created_at.into(),
        changed_at: endpoint.changed_at.into(),
    }
}

pub fn delivery((delivery, attempts): Logged) -> wire::WebhookDelivery {
    wire::WebhookDelivery {
        webhook_id: endpoint_of(&delivery).map(String::from).unwrap_or_default(),
        delivery_id: delivery.delivery_id.into(),
        event_id: delivery.event_id.into(),
        event_type: delivery.template,
        order_id: delivery.order_id.map(String::from).unwrap_or_default(),
        state: delivery.progress.state.as_str().to_owned(),
        last_error: delivery.progress.last_error.unwrap_or_default(),
        created_at: delivery.created_at.into(),
        ended_at: delivery.progress.ended_at.map(String::from).unwrap_or_default(),
        attempts: attempts.into_iter().map(attempt).collect(),
    }
}

fn attempt(attempt: Attempt) -> wire::WebhookAttempt {
    wire::WebhookAttempt {
        number: attempt.number,
        at: attempt.at.into(),
        status: i32::try_from(attempt.status).expect("a status has three digits"),
        latency_ms: attempt.latency_ms,
        error: attempt.error,
    }
}
