//! What an operator does with webhook endpoints and their deliveries. Each is one transaction under one request id.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use kit::Failure;
use storage::{Accepted, Database, DbError, Request, RequestKey, RequestKeys, Tx};
use tokio::sync::Notify;
use types::{
    Clock, DeliveryId, EventId, Fingerprint, Ids, Reason, StoredRequestId, Tenant, Timestamp, WebhookId,
};

use super::alarms::{self, Alarm};
use super::webhook_courier::{endpoint_of, recipient_again};
use crate::domain::webhook::{DisabledCause, Endpoint, EndpointState, Secret};
use crate::domain::{Delivery, DeliveryState, Outlet, Progress};
use crate::store::deliveries::{self, Claimed, DeliveryFilter};
use crate::store::webhooks;
pub use crate::store::webhooks::Attempt;

#[derive(Clone)]
pub struct Webhooks {
    pub database: Database,
    pub clock: Clock,
    pub ids: Ids,
    /// Wakes the webhook courier.
    pub queued: Arc<Notify>,
}

/// A change under its request id.
#[derive(Debug, Clone)]
pub struct Asked {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
}

/// What an endpoint is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub url: String,
    pub description: String,
    /// Full names of messages; none for all.
    pub event_types: Vec<String>,
}

/// A delivery with its attempts.
pub type Logged = (Delivery, Vec<Attempt>);

/// Everything new is made before the transaction, because that may run twice.
enum Deed {
    Add { webhook_id: WebhookId, secret: Secret, wanted: Wanted },
    Change { webhook_id: WebhookId, wanted: Wanted },
    Rotate { webhook_id: WebhookId, secret: Secret, overlap: Duration },
    Disable { webhook_id: WebhookId },
    Redeliver { delivery_id: DeliveryId, new_id: DeliveryId },
}

impl Webhooks {
    pub async fn add(&self, asked: &Asked, wanted: Wanted) -> Result<Endpoint, Failure> {
        let deed = Deed::Add { webhook_id: self.ids.mint(), secret: new_secret(), wanted };
        self.endpoint_after(asked, &deed).await
    }

    /// Changes an endpoint and makes it active again.
    pub async fn change(
        &self,
        asked: &Asked,
        webhook_id: WebhookId,
        wanted: Wanted,
    ) -> Result<Endpoint, Failure> {
        self.endpoint_after(asked, &Deed::Change { webhook_id, wanted }).await
    }

    /// Gives it a new secret. For the overlap the one before signs too.
    pub async fn rotate(
        &self,
        asked: &Asked,
        webhook_id: WebhookId,
        overlap: Duration,
    ) -> Result<Endpoint, Failure> {
        self.endpoint_after(asked, &Deed::Rotate { webhook_id, secret: new_secret(), overlap }).await
    }

    pub async fn disable(&self, asked: &Asked, webhook_id: WebhookId) -> Result<Endpoint, Failure> {
        self.endpoint_after(asked, &Deed::Disable { webhook_id }).await
    }

    /// Sends it once more: the same delivery if it did not arrive, a new one if it did.
    pub async fn redeliver(&self, asked: &Asked, delivery_id: DeliveryId) -> Result<Logged, Failure> {
        let deed = Deed::Redeliver { delivery_id, new_id: self.ids.mint() };
        let resource = self.perform(asked, &deed).await?;
        self.queued.notify_one();
        let tenant = &asked.key.tenant;
        let id = DeliveryId::parse(&resource).map_err(Failure::internal)?;
        // The one statement that reads a delivery also holds it, and that takes a transaction that may write.
        let mut tx = self.database.begin().await?;
        let found = deliveries::get(&mut tx, tenant, &id).await;
        let attempts = webhooks::attempts(&mut tx, tenant, &[&id]).await;
        tx.rollback().await;
        let delivery = found?.ok_or_else(|| Failure::not_found("WebhookDelivery", &id))?;
        Ok((delivery, attempts?))
    }

    pub async fn endpoint(&self, tenant: &Tenant, id: &WebhookId) -> Result<Endpoint, Failure> {
        let mut tx = self.database.read().await?;
        let found = webhooks::get(&mut tx, tenant, id).await;
        tx.rollback().await;
        found?.ok_or_else(|| Failure::not_found("Endpoint", id))
    }

    pub async fn endpoints(
        &self,
        tenant: &Tenant,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Endpoint>, Failure> {
        let mut tx = self.database.read().await?;
        let found = webhooks::list(&mut tx, tenant, after, limit).await;
        tx.rollback().await;
        Ok(found?)
    }

    /// Deliveries of one endpoint, oldest first, with every attempt.
    pub async fn deliveries(
        &self,
        tenant: &Tenant,
        webhook_id: &WebhookId,
        state: Option<DeliveryState>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Logged>, Failure> {
        self.endpoint(tenant, webhook_id).await?;
        let filter = DeliveryFilter {
            state,
            outlet: Some(Outlet::Webhook),
            recipient: webhook_id.to_string(),
            order_id: None,
        };
        let mut tx = self.database.read().await?;
        let logged = logged(&mut tx, tenant, &filter, after, limit).await;
        tx.rollback().await;
        Ok(logged?)
    }

    async fn endpoint_after(&self, asked: &Asked, deed: &Deed) -> Result<Endpoint, Failure> {
        let resource = self.perform(asked, deed).await?;
        let id = WebhookId::parse(&resource).map_err(Failure::internal)?;
        self.endpoint(&asked.key.tenant, &id).await
    }

    /// The id of what was changed, now or when the same request came before.
    async fn perform(&self, asked: &Asked, deed: &Deed) -> Result<String, Failure> {
        match self.perform_once(asked, deed).await {
            // The same request was faster on another connection; now its key is there to be found.
            Err(DbError::Unique { .. }) => self.perform_once(asked, deed).await?,
            done => done?,
        }
    }

    async fn perform_once(&self, asked: &Asked, deed: &Deed) -> Result<Result<String, Failure>, DbError> {
        let now = self.clock.now();
        let told_as: EventId = self.ids.mint();
        let stored_as: StoredRequestId = self.ids.mint();
        let minted = (&told_as, &stored_as);
        self.database
            .write("notification.steer_webhooks", |mut tx| async move {
                let done = under_key(&mut tx, asked, deed, minted, now).await?;
                Ok((tx, done))
            })
            .await
    }
}

async fn under_key(
    tx: &mut Tx,
    Asked { key, fingerprint }: &Asked,
    deed: &Deed,
    (told_as, stored_as): (&EventId, &StoredRequestId),
    now: Timestamp,
) -> Result<Result<String, Failure>, DbError> {
    let mut requests = RequestKeys::load(tx, slice::from_ref(key)).await?;
    match requests.check(key, fingerprint) {
        Request::Fresh => {}
        Request::Seen(resource) => return Ok(Ok(resource)),
        Request::Reused(refusal) => return Ok(Err(refusal.into())),
    }
    let done = deed.perform(tx, &key.tenant, now).await?;
    if let Ok(resource) = &done {
        if let Some(webhook_id) = deed.asks_again(tx, &key.tenant).await? {
            let answered = Alarm::answered(told_as.clone(), &key.tenant, &webhook_id);
            alarms::tell(tx, &[answered], now).await?;
        }
        let (id, fingerprint) = (stored_as.clone(), fingerprint.clone());
        let accepted = Accepted { id, fingerprint, resource_id: resource.clone(), at: now };
        requests.store(key.clone(), accepted);
        requests.flush(tx).await?;
    }
    Ok(done)
}

impl Deed {
    /// The endpoint that gets another chance by it.
    async fn asks_again(&self, tx: &mut Tx, tenant: &Tenant) -> Result<Option<WebhookId>, DbError> {
        match self {
            Self::Change { webhook_id, .. } => Ok(Some(webhook_id.clone())),
            Self::Redeliver { delivery_id, .. } => {
                let delivery = deliveries::get(tx, tenant, delivery_id).await?;
                Ok(delivery.and_then(|delivery| endpoint_of(&delivery)))
            }
            Self::Add { .. } | Self::Rotate { .. } | Self::Disable { .. } => Ok(None),
        }
    }

    async fn perform(
        &self,
        tx: &mut Tx,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Result<String, Failure>, DbError> {
        let webhook_id = match self {
            Self::Add { webhook_id, secret, wanted } => {
                let endpoint = new_endpoint(webhook_id, secret, wanted, now);
                webhooks::put(tx, tenant, &endpoint).await?;
                return Ok(Ok(webhook_id.to_string()));
            }
            Self::Redeliver { delivery_id, new_id } => {
                return redeliver(tx, tenant, delivery_id, new_id, now).await;
            }
            Self::Change { webhook_id, .. }
            | Self::Rotate { webhook_id, .. }
            | Self::Disable { webhook_id } => webhook_id,
        };
        let Some(mut endpoint) = webhooks::hold(tx, tenant, webhook_id).await? else {
            return Ok(Err(Failure::not_found("Endpoint", webhook_id)));
        };
        self.change(&mut endpoint, now);
        webhooks::put(tx, tenant, &endpoint).await?;
        Ok(Ok(webhook_id.to_string()))
    }

    fn change(&self, endpoint: &mut Endpoint, now: Timestamp) {
        match self {
            Self::Change { wanted, .. } => {
                endpoint.url.clone_from(&wanted.url);
                endpoint.description.clone_from(&wanted.description);
                endpoint.event_types.clone_from(&wanted.event_types);
                endpoint.activate(now);
            }
            Self::Rotate { secret, overlap, .. } => endpoint.rotate(secret.clone(), *overlap, now),
            Self::Disable { .. } => endpoint.disable(DisabledCause::Operator, now),
            Self::Add { .. } | Self::Redeliver { .. } => {
                unreachable!("these change no endpoint that is there")
            }
        }
    }
}

fn new_endpoint(webhook_id: &WebhookId, secret: &Secret, wanted: &Wanted, now: Timestamp) -> Endpoint {
    Endpoint {
        webhook_id: webhook_id.clone(),
        url: wanted.url.clone(),
        description: wanted.description.clone(),
        event_types: wanted.event_types.clone(),
        state: EndpointState::Active,
        secret: secret.clone(),
        old_secret: None,
        failing_since: None,
        created_at: now,
        changed_at: now,
    }
}

async fn redeliver(
    tx: &mut Tx,
    tenant: &Tenant,
    delivery_id: &DeliveryId,
    new_id: &DeliveryId,
    now: Timestamp,
) -> Result<Result<String, Failure>, DbError> {
    let found = deliveries::get(tx, tenant, delivery_id).await?;
    let of_endpoint = found.and_then(|delivery| Some((endpoint_of(&delivery)?, delivery)));
    let Some((webhook_id, delivery)) = of_endpoint else {
        return Ok(Err(Failure::not_found("WebhookDelivery", delivery_id)));
    };
    let endpoint = webhooks::hold(tx, tenant, &webhook_id).await?;
    if endpoint.is_none_or(|endpoint| endpoint.state != EndpointState::Active) {
        let message = format!("endpoint {webhook_id} is disabled");
        return Ok(Err(Failure::new(Reason::StateConflict, message)));
    }
    match delivery.progress.state {
        DeliveryState::Queued | DeliveryState::Sending => {
            let message = format!("delivery {delivery_id} is on its way");
            Ok(Err(Failure::new(Reason::StateConflict, message)))
        }
        DeliveryState::Failed | DeliveryState::Dead => {
            webhooks::send_again(tx, tenant, delivery_id).await?;
            Ok(Ok(delivery_id.to_string()))
        }
        DeliveryState::Sent | DeliveryState::Suppressed | DeliveryState::Discarded => {
            let again = webhooks::deliveries_of(tx, tenant, &delivery.event_id, &webhook_id).await?;
            let delivery = Delivery {
                delivery_id: new_id.clone(),
                recipient: recipient_again(&webhook_id, again),
                progress: Progress::queued(),
                created_at: now,
                ..delivery
            };
            let written = deliveries::insert(tx, &[Claimed { tenant: tenant.clone(), delivery }]).await?;
            if written == 0 {
                let message = "somebody else is redelivering it at this moment";
                return Ok(Err(Failure::new(Reason::StateConflict, message)));
            }
            Ok(Ok(new_id.to_string()))
        }
    }
}

async fn logged(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeliveryFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<Logged>, DbError> {
    let found = deliveries::list(tx, tenant, filter, after, limit).await?;
    let ids: Vec<&DeliveryId> = found.iter().map(|delivery| &delivery.delivery_id).collect();
    let attempts = webhooks::attempts(tx, tenant, &ids).await?;
    let of =
        |id: &DeliveryId| attempts.iter().filter(|attempt| attempt.delivery_id == *id).cloned().collect();
    let logged = found.iter().map(|delivery| (delivery.clone(), of(&delivery.delivery_id)));
    Ok(logged.collect())
}

fn new_secret() -> Secret {
    Secret::new(rand::random())
}
