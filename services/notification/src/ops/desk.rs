//! What an operator settles by hand: dead letters, the address book, preferences, suppressions. Each is one transaction
//! under one request id.

use std::collections::BTreeMap;
use std::sync::Arc;

use kit::Failure;
use storage::{Accepted, Database, DbError, Request, RequestKeys, Tx};
use tokio::sync::Notify;
use types::{Clock, DeliveryId, EventId, Ids, Reason, Refusal, StoredRequestId, Tenant, Timestamp};

use super::alarms::{self, Alarm};
use super::webhooks::Asked;
use crate::domain::{
    Delivery, DeliveryState, Locale, MailTemplate, Preference, Progress, Recipient, Rendered, Renderer,
    samples,
};
pub use crate::store::deliveries::DeliveryFilter;
pub use crate::store::suppressions::Suppression;
use crate::store::suppressions::{self, Key};
use crate::store::{addresses, deliveries};

#[derive(Clone)]
pub struct Desk {
    pub database: Database,
    pub clock: Clock,
    pub ids: Ids,
    /// Wakes the workers of the channels that leave the house.
    pub queued: Arc<Notify>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Deed {
    Requeue(DeliveryId),
    Discard(DeliveryId, String),
    Recipient(Recipient),
    Preference(Preference),
    Suppression(Suppression),
}

impl Deed {
    /// What the request key keeps: a repeat is answered with it.
    fn resource(&self) -> String {
        match self {
            Self::Requeue(id) | Self::Discard(id, _) => id.to_string(),
            Self::Recipient(recipient) => recipient.address.clone(),
            Self::Preference(preference) => preference.audience.as_str().to_owned(),
            Self::Suppression(suppression) => suppression.recipient.clone(),
        }
    }
}

impl Desk {
    pub fn new(database: &Database, clock: &Clock, ids: &Ids, queued: &Arc<Notify>) -> Self {
        let (database, clock, ids) = (database.clone(), clock.clone(), ids.clone());
        Self { database, clock, ids, queued: Arc::clone(queued) }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does it once: the same request again changes nothing.
    pub async fn perform(&self, asked: &Asked, deed: &Deed) -> Result<(), Failure> {
        let now = self.clock.now();
        let told_as: EventId = self.ids.mint();
        let stored_as: StoredRequestId = self.ids.mint();
        let (told_as, stored_as) = (&told_as, &stored_as);
        let refused = self
            .database
            .write("notification.desk", |mut tx| async move {
                let mut keys = RequestKeys::load(&mut tx, std::slice::from_ref(&asked.key)).await?;
                match keys.check(&asked.key, &asked.fingerprint) {
                    Request::Seen(_) => return Ok((tx, None)),
                    Request::Reused(refusal) => return Ok((tx, Some(refusal))),
                    Request::Fresh => {}
                }
                if let Some(refusal) = act(&mut tx, &asked.key.tenant, deed, told_as, now).await? {
                    return Ok((tx, Some(refusal)));
                }
                let accepted = Accepted {
                    id: stored_as.clone(),
                    fingerprint: asked.fingerprint.clone(),
                    resource_id: deed.resource(),
                    at: now,
                };
                keys.store(asked.key.clone(), accepted);
                keys.flush(&mut tx).await?;
                Ok((tx, None))
            })
            .await?;
        if let Some(refusal) = refused {
            return Err(refusal.into());
        }
        self.queued.notify_waiters();
        Ok(())
    }

    pub async fn delivery(&self, tenant: &Tenant, id: &DeliveryId) -> Result<Delivery, Failure> {
        let mut tx = self.database.read().await?;
        let found = deliveries::get(&mut tx, tenant, id).await;
        tx.rollback().await;
        found?.ok_or_else(|| Failure::not_found("Delivery", id))
    }

    pub async fn deliveries(
        &self,
        tenant: &Tenant,
        filter: &DeliveryFilter,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Delivery>, Failure> {
        let mut tx = self.database.read().await?;
        let found = deliveries::list(&mut tx, tenant, filter, after, limit).await;
        tx.rollback().await;
        Ok(found?)
    }

    pub async fn recipients(
        &self,
        tenant: &Tenant,
        after: [&str; 4],
        limit: i64,
    ) -> Result<Vec<Recipient>, Failure> {
        let mut tx = self.database.read().await?;
        let found = addresses::list_recipients(&mut tx, tenant, after, limit).await;
        tx.rollback().await;
        Ok(found?)
    }

    pub async fn preferences(
        &self,
        tenant: &Tenant,
        after: [&str; 3],
        limit: i64,
    ) -> Result<Vec<Preference>, Failure> {
        let mut tx = self.database.read().await?;
        let found = addresses::list_preferences(&mut tx, tenant, after, limit).await;
        tx.rollback().await;
        Ok(found?)
    }

    pub async fn suppressions(
        &self,
        tenant: &Tenant,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<Suppression>, Failure> {
        let mut tx = self.database.read().await?;
        let found = suppressions::list(&mut tx, tenant, after, limit).await;
        tx.rollback().await;
        Ok(found?)
    }

    /// A mail as it looks, from sample facts or from those of a delivery.
    pub async fn preview(
        &self,
        tenant: &Tenant,
        template: MailTemplate,
        locale: Locale,
        delivery: Option<&DeliveryId>,
    ) -> Result<Rendered, Failure> {
        let facts = match delivery {
            None => samples(template).into_iter().next().unwrap_or_default(),
            Some(id) => {
                let delivery = self.delivery(tenant, id).await?;
                if delivery.template != template.as_str() {
                    let message = format!("{id} is a {}", delivery.template);
                    return Err(Failure::invalid("delivery_id", Reason::FieldInvalid, message));
                }
                serde_json::from_str(&delivery.payload).map_err(Failure::internal)?
            }
        };
        Renderer::embedded().render(template, locale, &facts).map_err(Failure::internal)
    }
}

async fn act(
    tx: &mut Tx,
    tenant: &Tenant,
    deed: &Deed,
    told_as: &EventId,
    now: Timestamp,
) -> Result<Option<Refusal>, DbError> {
    let told = (told_as, now);
    match deed {
        Deed::Requeue(id) => steer(tx, tenant, id, requeued, told).await,
        Deed::Discard(id, why) => steer(tx, tenant, id, |delivery| discarded(delivery, why, now), told).await,
        Deed::Recipient(recipient) => {
            addresses::put_recipient(tx, tenant, recipient).await?;
            Ok(None)
        }
        Deed::Preference(preference) => {
            addresses::put_preference(tx, tenant, preference).await?;
            Ok(None)
        }
        Deed::Suppression(suppression) => {
            let key: Key = (tenant.clone(), suppression.outlet, suppression.recipient.clone());
            suppressions::put(tx, &BTreeMap::from([(key, suppression.clone())])).await?;
            Ok(None)
        }
    }
}

async fn steer(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &DeliveryId,
    decide: impl FnOnce(&Delivery) -> Result<Progress, Refusal>,
    (told_as, now): (&EventId, Timestamp),
) -> Result<Option<Refusal>, DbError> {
    let Some(delivery) = deliveries::get(tx, tenant, id).await? else {
        return Ok(Some(Refusal::not_found("Delivery", id)));
    };
    match decide(&delivery) {
        Err(refusal) => Ok(Some(refusal)),
        Ok(progress) => {
            deliveries::steer(tx, tenant, id, &progress).await?;
            if delivery.progress.state == DeliveryState::Dead {
                let settled = Alarm::settled(told_as.clone(), tenant, &delivery);
                alarms::tell(tx, settled.as_slice(), now).await?;
            }
            Ok(None)
        }
    }
}

fn requeued(delivery: &Delivery) -> Result<Progress, Refusal> {
    match delivery.progress.state {
        DeliveryState::Dead => Ok(Progress::queued()),
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Sent
        | DeliveryState::Failed
        | DeliveryState::Suppressed
        | DeliveryState::Discarded => Err(refused(delivery, "only a dead one is sent again")),
    }
}

fn discarded(delivery: &Delivery, why: &str, now: Timestamp) -> Result<Progress, Refusal> {
    match delivery.progress.state {
        DeliveryState::Queued | DeliveryState::Failed | DeliveryState::Dead => Ok(Progress {
            state: DeliveryState::Discarded,
            last_error: Some(why.to_owned()),
            ended_at: Some(now),
            ..delivery.progress.clone()
        }),
        DeliveryState::Sending
        | DeliveryState::Sent
        | DeliveryState::Suppressed
        | DeliveryState::Discarded => {
            Err(refused(delivery, "only one that is queued, failed or dead is discarded"))
        }
    }
}

fn refused(delivery: &Delivery, rule: &str) -> Refusal {
    let state = delivery.progress.state.as_str();
    Refusal::new(Reason::StateConflict, format!("{} is {state}: {rule}", delivery.delivery_id))
        .detail("state", state)
}
