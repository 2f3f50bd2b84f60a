//! What a person has to look at: dead letters, and events that nobody here can read. It goes to the order service's one list,
//! through the outbox, in the commit of what it tells of.

use std::collections::BTreeMap;

use prost::Message as _;
use proto::events::v1::{AttentionCleared, AttentionRaised};
use storage::outbox::{self, NewEvent};
use storage::{DbError, Envelope, Tx};
use types::{
    ChangeOrderId, DeliveryId, EventId, Ids, OrderId, Reason, Refusal, Tenant, Timestamp, WebhookId,
};

use super::webhook_courier::endpoint_of;
use crate::domain::{Delivery, MailTemplate, Outlet};
use crate::store::alarms;

/// What nobody is alarmed about: a dead letter about an alarm would make the next one.
const ALARM_EVENT: &str = "countermand.events.v1.AttentionOpened";

/// One word about one subject, under the id of the event that brings it.
#[derive(Debug, Clone)]
pub struct Alarm {
    tenant: Tenant,
    event_id: EventId,
    subject: Subject,
    order_id: Option<OrderId>,
    change_order_id: Option<ChangeOrderId>,
    /// None: nobody has to look any more.
    cause: Option<Refusal>,
}

/// Webhooks are told of by endpoint: one that is gone leaves thousands of dead deliveries, and one person looks once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Delivery(DeliveryId),
    Webhook(WebhookId),
    Event(EventId),
}

impl Subject {
    fn of(delivery: &Delivery) -> Option<Self> {
        if delivery.template == MailTemplate::AttentionOpened.as_str() || delivery.template == ALARM_EVENT {
            return None;
        }
        match delivery.outlet {
            Outlet::Email => Some(Self::Delivery(delivery.delivery_id.clone())),
            Outlet::Webhook => endpoint_of(delivery).map(Self::Webhook),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Delivery(_) => "delivery",
            Self::Webhook(_) => "webhook",
            Self::Event(_) => "event",
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Delivery(id) => id.to_string(),
            Self::Webhook(id) => id.to_string(),
            Self::Event(id) => id.to_string(),
        }
    }
}

impl Alarm {
    /// A delivery is dead; None if nobody is alarmed about it.
    pub fn dead(ids: &Ids, tenant: &Tenant, delivery: &Delivery, why: &str) -> Option<Self> {
        let about = Self::settled(ids.mint(), tenant, delivery)?;
        let to = &delivery.recipient;
        let message = match delivery.outlet {
            Outlet::Email => format!("{} to {to} was not delivered: {why}", delivery.template),
            Outlet::Webhook => format!("events are not delivered to {to}: {why}"),
        };
        Some(Self { cause: Some(Refusal::new(Reason::NoAnswerInTime, message)), ..about })
    }

    /// Somebody has decided about a dead delivery.
    pub fn settled(event_id: EventId, tenant: &Tenant, delivery: &Delivery) -> Option<Self> {
        let subject = Subject::of(delivery)?;
        let (order_id, change_order_id) = match subject {
            Subject::Delivery(_) => (delivery.order_id.clone(), delivery.change_order_id.clone()),
            Subject::Webhook(_) | Subject::Event(_) => (None, None),
        };
        Some(Self { tenant: tenant.clone(), event_id, subject, order_id, change_order_id, cause: None })
    }

    /// An endpoint is asked again.
    pub fn answered(event_id: EventId, tenant: &Tenant, webhook_id: &WebhookId) -> Self {
        Self {
            tenant: tenant.clone(),
            event_id,
            subject: Subject::Webhook(webhook_id.clone()),
            order_id: None,
            change_order_id: None,
            cause: None,
        }
    }

    /// An event was passed by unread.
    pub fn unread(ids: &Ids, envelope: &Envelope, why: &str) -> Self {
        let message = format!("{} was not understood, and nobody was told of it: {why}", envelope.kind);
        Self {
            tenant: envelope.tenant.clone(),
            event_id: ids.mint(),
            subject: Subject::Event(envelope.event_id.clone()),
            order_id: OrderId::parse(&envelope.aggregate_id).ok(),
            change_order_id: None,
            cause: Some(Refusal::new(Reason::MalformedMessage, message)),
        }
    }

    fn event(&self, aggregate_seq: i64, at: Timestamp) -> NewEvent {
        let subject_type = self.subject.kind().to_owned();
        let (kind, payload) = if let Some(cause) = &self.cause {
            let event = AttentionRaised {
                subject_type,
                subject_id: self.subject.id(),
                order_id: text(self.order_id.as_ref()),
                change_order_id: text(self.change_order_id.as_ref()),
                cause: Some(kit::answer::to_wire(cause)),
            };
            ("countermand.events.v1.AttentionRaised", event.encode_to_vec())
        } else {
            let event = AttentionCleared {
                subject_type,
                subject_id: self.subject.id(),
                order_id: text(self.order_id.as_ref()),
                change_order_id: text(self.change_order_id.as_ref()),
            };
            ("countermand.events.v1.AttentionCleared", event.encode_to_vec())
        };
        NewEvent {
            tenant: self.tenant.clone(),
            event_id: self.event_id.clone(),
            aggregate_type: self.subject.kind(),
            aggregate_id: self.subject.id(),
            aggregate_seq,
            kind,
            payload,
            traceparent: None,
            occurred_at: at,
        }
    }
}

/// Queues what is to be told; of several words about one subject the last.
pub async fn tell(tx: &mut Tx, alarms: &[Alarm], at: Timestamp) -> Result<(), DbError> {
    let by_subject: BTreeMap<(Tenant, &Subject), &Alarm> =
        alarms.iter().map(|alarm| ((alarm.tenant.clone(), &alarm.subject), alarm)).collect();
    let subjects: Vec<alarms::Subject> = by_subject
        .keys()
        .map(|(tenant, subject)| (tenant.clone(), subject.kind().to_owned(), subject.id()))
        .collect();
    let numbers = alarms::number(tx, &subjects).await?;
    let events: Vec<NewEvent> = subjects
        .iter()
        .zip(by_subject.values())
        .map(|(subject, alarm)| alarm.event(numbers[subject], at))
        .collect();
    outbox::append(tx, &events).await
}

fn text(id: Option<&impl ToString>) -> String {
    id.map_or_else(String::new, ToString::to_string)
}
