//! The digest of what is owed: once per day and tenant, to the staff who are told everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError, Tx};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use types::{Clock, EventId, Ids, Tenant, Timestamp};

use super::addressing::AddressBook;
use crate::domain::{Audience, Delivery, MailTemplate, Outlet, Owed, digest};
use crate::store::deliveries::{self, Claimed};
use crate::store::owed;

/// Orders a digest names; the rest is counted.
const ORDERS_NAMED: i64 = 50;
/// Tenants of one round.
const TENANTS_MAX: i64 = 100;
const POLL: Duration = Duration::from_mins(1);
const HOURS: i64 = 3_600 * 1_000_000;

pub struct Digest {
    pub database: Database,
    pub clock: Clock,
    pub ids: Ids,
    /// The hour of the day (UTC) from which on it is made.
    pub hour: u8,
    /// Wakes the e-mail worker.
    pub queued: Arc<Notify>,
}

impl Digest {
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(problem) = self.turn().await {
                tracing::warn!(%problem, "the digest of what is owed could not be made");
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Makes today's digests that were not made yet, and tells how many.
    pub async fn turn(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        let hour = now.unix_micros() / HOURS % 24;
        if hour < i64::from(self.hour) {
            return Ok(0);
        }
        let text = now.to_string();
        let day = text.split('T').next().unwrap_or_default();
        let mut tx = self.database.read().await?;
        let waiting = owed::tenants_without_digest(&mut tx, day, TENANTS_MAX).await;
        tx.rollback().await;
        let mut made = 0;
        for tenant in waiting? {
            made += usize::from(self.make(&tenant, day, now).await?);
        }
        Ok(made)
    }

    async fn make(&self, tenant: &Tenant, day: &str, now: Timestamp) -> Result<bool, DbError> {
        let event_id: EventId = self.ids.mint();
        let event_id = &event_id;
        let made = self
            .database
            .write("notification.make_digest", |mut tx| async move {
                // Whoever takes the day makes its digest; the other replicas find it taken.
                let ours = owed::make(&mut tx, tenant, day, event_id, now).await?;
                if ours {
                    let new = self.deliveries(&mut tx, tenant, day, event_id, now).await?;
                    deliveries::insert(&mut tx, &new).await?;
                }
                Ok((tx, ours))
            })
            .await?;
        if made {
            self.queued.notify_waiters();
        }
        Ok(made)
    }

    async fn deliveries(
        &self,
        tx: &mut Tx,
        tenant: &Tenant,
        day: &str,
        event_id: &EventId,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, DbError> {
        let (orders, count) = owed::open(tx, tenant, ORDERS_NAMED).await?;
        let owed: Vec<Owed> = orders
            .iter()
            .map(|order| Owed {
                order_id: order.order_id.to_string(),
                amount: order.amount.to_string(),
                since: order.changed_at.to_string().split('T').next().unwrap_or_default().to_owned(),
            })
            .collect();
        let payload = digest(day, &owed, count).to_string();
        let subject = (tenant.clone(), String::new());
        let book = AddressBook::load(tx, &BTreeSet::from([subject.clone()]), &[]).await?;
        let template = MailTemplate::OwedDigest.as_str();
        let deliveries = book.recipients(&subject, Audience::Staff).map(|recipient| {
            let choice = book.choice(tenant, recipient, template);
            let delivery = Delivery {
                delivery_id: self.ids.mint(),
                event_id: event_id.clone(),
                outlet: Outlet::Email,
                recipient: recipient.address.clone(),
                audience: Audience::Staff,
                template: template.to_owned(),
                locale: choice.locale.as_str().to_owned(),
                order_id: None,
                change_order_id: None,
                stream: String::new(),
                payload: payload.clone(),
                traceparent: None,
                progress: book.beginning(tenant, recipient, choice, now),
                created_at: now,
            };
            Claimed { tenant: tenant.clone(), delivery }
        });
        Ok(deliveries.collect())
    }
}
