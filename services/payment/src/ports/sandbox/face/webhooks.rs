//! Signed webhooks of the simulator: at once, or when told to, in any order and any number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use storage::DbError;
use types::{Clock, Tenant};

use super::super::store::dashboard::Disputed;
use super::super::{Effect, Happening, Outcome, Sandbox};
use crate::domain::gateway::DisputeState;
use crate::ports::{http, webhook};

/// Where a tenant's webhooks go.
#[derive(Clone)]
pub struct Endpoint {
    pub url: String,
    /// Each delivery carries a signature with each of them, as during a rotation.
    pub secrets: Vec<String>,
    /// Whether a change is told before its caller hears of it; otherwise it waits to be delivered.
    pub at_once: bool,
}

/// How the waiting webhooks are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The last change first.
    pub reversed: bool,
    /// How often each one comes.
    pub copies: usize,
}

impl Delivery {
    const ONCE: Self = Self { reversed: false, copies: 1 };
}

#[derive(Clone)]
pub struct Courier {
    sandbox: Sandbox,
    clock: Clock,
    client: Client,
    endpoints: Arc<Mutex<BTreeMap<Tenant, Endpoint>>>,
}

impl Courier {
    pub fn new(sandbox: Sandbox, clock: Clock, timeout: Duration) -> Result<Self, reqwest::Error> {
        Ok(Self { sandbox, clock, client: http::client(timeout)?, endpoints: Arc::default() })
    }

    pub fn set(&self, tenant: Tenant, endpoint: Endpoint) {
        self.lock().insert(tenant, endpoint);
    }

    pub async fn tell_refund(&self, tenant: &Tenant, effect: &Effect) -> Result<(), DbError> {
        let kind = match effect.outcome {
            Outcome::Applied | Outcome::Pending => "refund.updated",
            Outcome::Declined | Outcome::FailedAfter => "refund.failed",
        };
        let happening = Happening {
            event_id: format!("evt_{}_{}", effect.key, effect.outcome.as_str()),
            kind: kind.to_owned(),
            gateway_reference: effect.gateway_reference.clone(),
            payment_id: effect.payment_id.to_string(),
            key: effect.key.clone(),
            at: self.clock.now(),
        };
        self.tell(tenant, &happening).await
    }

    pub async fn tell_side_refund(
        &self,
        tenant: &Tenant,
        payment_id: &str,
        reference: &str,
    ) -> Result<(), DbError> {
        let happening = Happening {
            event_id: format!("evt_{reference}"),
            kind: "refund.created".to_owned(),
            gateway_reference: reference.to_owned(),
            payment_id: payment_id.to_owned(),
            key: String::new(),
            at: self.clock.now(),
        };
        self.tell(tenant, &happening).await
    }

    pub async fn tell_dispute(&self, tenant: &Tenant, disputed: &Disputed) -> Result<(), DbError> {
        let dispute = &disputed.dispute;
        let kind = match dispute.state {
            DisputeState::Open => "charge.dispute.created",
            DisputeState::Won | DisputeState::Lost => "charge.dispute.closed",
        };
        let happening = Happening {
            event_id: format!("evt_{}_{}", dispute.gateway_reference, dispute.state.as_str()),
            kind: kind.to_owned(),
            gateway_reference: dispute.gateway_reference.clone(),
            payment_id: disputed.payment_id.to_string(),
            key: String::new(),
            at: self.clock.now(),
        };
        self.tell(tenant, &happening).await
    }

    async fn tell(&self, tenant: &Tenant, happening: &Happening) -> Result<(), DbError> {
        self.sandbox.note(tenant, happening).await?;
        let at_once = self.lock().get(tenant).is_some_and(|endpoint| endpoint.at_once);
        if at_once {
            self.deliver(tenant, Delivery::ONCE).await?;
        }
        Ok(())
    }

    /// Brings what waits, and tells each answer's status, 0 for none. What was not taken waits on.
    pub async fn deliver(&self, tenant: &Tenant, delivery: Delivery) -> Result<Vec<u16>, DbError> {
        let Some(endpoint) = self.lock().get(tenant).cloned() else { return Ok(Vec::new()) };
        let mut waiting = self.sandbox.untold(tenant).await?;
        if delivery.reversed {
            waiting.reverse();
        }
        let mut statuses = Vec::new();
        for happening in &waiting {
            let mut taken = false;
            for _ in 0..delivery.copies {
                let status = self.post(&endpoint, happening).await;
                taken |= (200..300).contains(&status);
                statuses.push(status);
            }
            if taken {
                self.sandbox.told(tenant, &happening.event_id).await?;
            }
        }
        Ok(statuses)
    }

    async fn post(&self, endpoint: &Endpoint, happening: &Happening) -> u16 {
        let body = body(happening).to_string();
        let signature = webhook::sign(&endpoint.secrets, body.as_bytes(), self.clock.now());
        let request = self.client.post(&endpoint.url).header(webhook::SIGNATURE_HEADER, signature);
        match http::send(request.header("content-type", "application/json").body(body)).await {
            Ok(reply) => reply.status.as_u16(),
            Err(lost) => {
                tracing::info!(event_id = happening.event_id, %lost, "a webhook was not taken");
                0
            }
        }
    }

    /// No panic can leave the map half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Tenant, Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn body(happening: &Happening) -> Value {
    let mut metadata = serde_json::Map::new();
    metadata.insert("payment_id".to_owned(), json!(happening.payment_id));
    if !happening.key.is_empty() {
        metadata.insert("refund_id".to_owned(), json!(happening.key));
    }
    json!({
        "id": happening.event_id,
        "object": "event",
        "type": happening.kind,
        "created": happening.at.seconds_and_nanos().0,
        "livemode": false,
        "data": { "object": {
            "id": happening.gateway_reference,
            "payment_intent": super::super::store::reference(&happening.payment_id),
            "metadata": metadata,
        } },
    })
}
