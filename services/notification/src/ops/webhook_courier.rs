//! Deliveries to webhook endpoints: which ones an event makes, and how one try goes.

use std::collections::BTreeSet;

use storage::{Database, DbError, Envelope, Tx};
use tokio::time::Instant;
use types::{ChangeOrderId, Clock, Ids, OrderId, Tenant, Timestamp, WebhookId};

use crate::domain::webhook::{Answer, Endpoint, EndpointState};
use crate::domain::{Audience, Delivery, Event, Outcome, Outlet, Progress};
use crate::ports::Carrier;
use crate::ports::cloud_event::{cloud_event, is_event_type};
use crate::ports::webhook::{Post, Poster};
use crate::store::deliveries::Claimed;
use crate::store::webhooks::{self, Attempt};

/// Separates an endpoint's id from the number of the redelivery, in the recipient of a delivery that goes out again.
const AGAIN: char = '#';

/// The endpoints of the tenants that a batch of events is about.
#[derive(Default)]
pub struct Subscriptions(Vec<(Tenant, Endpoint)>);

/// What an event is about, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub order_id: Option<&'a OrderId>,
    pub change_order_id: Option<&'a ChangeOrderId>,
    pub at: Timestamp,
}

impl<'a> About<'a> {
    pub fn of(event: &'a Event, at: Timestamp) -> Self {
        Self { order_id: event.order_id(), change_order_id: event.change_order_id(), at }
    }
}

impl Subscriptions {
    pub async fn load(tx: &mut Tx, envelopes: &[Envelope]) -> Result<Self, DbError> {
        let tenants: BTreeSet<Tenant> = envelopes.iter().map(|envelope| envelope.tenant.clone()).collect();
        if tenants.is_empty() {
            return Ok(Self(Vec::new()));
        }
        webhooks::active(tx, &tenants).await.map(Self)
    }

    /// One delivery for every endpoint that wants the event. They belong to no stream: one that waits for its next try
    /// must not hold up others, and the sequence in the body tells their order.
    pub fn deliveries(&self, ids: &Ids, envelope: &Envelope, about: About<'_>) -> Vec<Claimed> {
        let wanted = self
            .0
            .iter()
            .filter(|(tenant, endpoint)| *tenant == envelope.tenant && endpoint.wants(&envelope.kind));
        let mut wanted = wanted.peekable();
        if wanted.peek().is_none() || !is_event_type(&envelope.kind) {
            return Vec::new();
        }
        let body = match cloud_event(envelope) {
            Ok(body) => body,
            Err(problem) => {
                tracing::error!(event_id = %envelope.event_id, %problem, "an event has no public form");
                return Vec::new();
            }
        };
        wanted
            .map(|(tenant, endpoint)| {
                let delivery = Delivery {
                    delivery_id: ids.mint(),
                    event_id: envelope.event_id.clone(),
                    outlet: Outlet::Webhook,
                    recipient: endpoint.webhook_id.to_string(),
                    audience: Audience::Staff,
                    template: envelope.kind.clone(),
                    locale: String::new(),
                    order_id: about.order_id.cloned(),
                    change_order_id: about.change_order_id.cloned(),
                    stream: String::new(),
                    payload: body.clone(),
                    traceparent: envelope.traceparent.clone(),
                    progress: Progress::queued(),
                    created_at: about.at,
                };
                Claimed { tenant: tenant.clone(), delivery }
            })
            .collect()
    }
}

/// The endpoint a delivery goes to.
pub fn endpoint_of(delivery: &Delivery) -> Option<WebhookId> {
    let id = delivery.recipient.split(AGAIN).next()?;
    WebhookId::parse(id).ok()
}

/// The recipient of a delivery of what was delivered so many times before.
pub fn recipient_again(webhook_id: &WebhookId, times: i64) -> String {
    format!("{webhook_id}{AGAIN}{times}")
}

/// Makes the tries of the webhook channel, and keeps the log of them.
pub struct WebhookCourier {
    database: Database,
    clock: Clock,
    poster: Poster,
}

impl WebhookCourier {
    pub fn new(database: Database, clock: Clock, poster: Poster) -> Self {
        Self { database, clock, poster }
    }

    async fn try_once(&self, tenant: &Tenant, delivery: &Delivery) -> Result<Outcome, DbError> {
        let Some(webhook_id) = endpoint_of(delivery) else {
            let why = format!("{} is no endpoint", delivery.recipient);
            return Ok(Outcome::Never { why, suppress: None });
        };
        let mut tx = self.database.read().await?;
        let endpoint = webhooks::get(&mut tx, tenant, &webhook_id).await;
        tx.rollback().await;
        let endpoint = match endpoint? {
            Some(endpoint) if endpoint.state == EndpointState::Active => endpoint,
            Some(_) => return Ok(never("the endpoint is disabled")),
            None => return Ok(never("the endpoint does not exist")),
        };

        let (at, started) = (self.clock.now(), Instant::now());
        let answer = self.post(&endpoint, delivery, at).await;
        let attempt = Attempt {
            delivery_id: delivery.delivery_id.clone(),
            number: delivery.progress.tries,
            at,
            status: answer.status(),
            latency_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            error: answer.error(),
        };
        if let Err(problem) = self.note(tenant, &webhook_id, &attempt, &answer).await {
            // The receiver has answered, and that counts, whether or not the log has room for it.
            tracing::warn!(%webhook_id, %problem, "an attempt could not be noted");
        }
        Ok(answer.outcome())
    }

    async fn post(&self, endpoint: &Endpoint, delivery: &Delivery, at: Timestamp) -> Answer {
        let signatures = endpoint.signatures(&delivery.event_id, at, &delivery.payload);
        let post = Post {
            url: &endpoint.url,
            id: delivery.event_id.as_str(),
            sent_at: at,
            signatures: &signatures,
            traceparent: delivery.traceparent.as_deref(),
            body: delivery.payload.clone(),
        };
        self.poster.post(post).await
    }

    /// Logs the attempt; an endpoint that fails too long is disabled in the same commit.
    async fn note(
        &self,
        tenant: &Tenant,
        webhook_id: &WebhookId,
        attempt: &Attempt,
        answer: &Answer,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        self.database
            .write("notification.note_attempt", |mut tx| async move {
                webhooks::note(&mut tx, tenant, attempt).await?;
                if let Some(before) = webhooks::hold(&mut tx, tenant, webhook_id).await? {
                    let mut endpoint = before.clone();
                    endpoint.heard(answer, now);
                    if endpoint != before {
                        webhooks::put(&mut tx, tenant, &endpoint).await?;
                    }
                    if endpoint.state != before.state {
                        tracing::warn!(%webhook_id, cause = ?endpoint.state.cause(), "a webhook endpoint was disabled");
                    }
                }
                Ok((tx, ()))
            })
            .await
    }
}

impl Carrier for WebhookCourier {
    const OUTLET: Outlet = Outlet::Webhook;

    async fn carry(&self, tenant: &Tenant, delivery: &Delivery) -> Outcome {
        match self.try_once(tenant, delivery).await {
            Ok(outcome) => outcome,
            Err(problem) => Outcome::Later { why: format!("our own database: {problem}"), pause: None },
        }
    }
}

fn never(why: &str) -> Outcome {
    Outcome::Never { why: why.to_owned(), suppress: None }
}
