//! Parsing and rendering that the RPCs share.

use kit::Failure;
use proto::events::v1::EventEnvelope;
use proto::notification::v1 as wire;
use storage::Envelope;
use types::{EventId, Reason, Refusal, Tenant, Timestamp};

use crate::domain::{Notification, State};

/// The longest name of a service, an aggregate type or an aggregate.
const NAME_MAX: usize = 128;

/// An envelope and its payload, which is not stored and so travels beside it.
pub fn envelope(place: usize, wire: EventEnvelope) -> Result<(Envelope, Vec<u8>), Failure> {
    let at = |field: &str, refusal: Refusal| Failure::from(refusal.field(format!("events[{place}].{field}")));
    let aggregate_seq = wire.aggregate_sequence;
    if aggregate_seq < 1 {
        let refusal = Refusal::new(Reason::FieldInvalid, "the sequence of an aggregate starts at 1");
        return Err(at("aggregate_sequence", refusal));
    }
    let name = |field: &str, text: String| match name(text) {
        Ok(text) => Ok(text),
        Err(refusal) => Err(at(field, refusal)),
    };
    let envelope = Envelope {
        tenant: Tenant::parse(&wire.tenant).map_err(|error| at("tenant", error.into()))?,
        event_id: EventId::parse(&wire.event_id).map_err(|error| at("event_id", error.into()))?,
        occurred_at: Timestamp::parse(&wire.occurred_at).map_err(|error| at("occurred_at", error.into()))?,
        source: name("source", wire.source)?,
        aggregate_type: name("aggregate_type", wire.aggregate_type)?,
        aggregate_id: name("aggregate_id", wire.aggregate_id)?,
        aggregate_seq,
        kind: name("type", wire.r#type)?,
        payload: Vec::new(),
        // A trace never refuses an event; one that is no plain text is not kept.
        traceparent: Some(wire.traceparent).filter(|text| !text.is_empty() && is_name(text)),
    };
    Ok((envelope, wire.payload))
}

/// Names of our own making: visible ASCII, so that no name holds the separator of an aggregate's parts.
fn name(text: String) -> Result<String, Refusal> {
    if text.is_empty() {
        Err(Refusal::new(Reason::FieldRequired, "the name is empty"))
    } else if is_name(&text) {
        Ok(text)
    } else {
        let message = format!("a name is 1 to {NAME_MAX} visible ASCII characters");
        Err(Refusal::new(Reason::FieldInvalid, message))
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= NAME_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub fn notification(notification: Notification) -> wire::Notification {
    let Notification { state, .. } = notification;
    let wire_state = match state {
        State::Enqueued => wire::NotificationState::Enqueued,
        State::Sent { .. } => wire::NotificationState::Sent,
    };
    wire::Notification {
        notification_id: notification.notification_id.into(),
        event_id: notification.event_id.into(),
        order_id: notification.order_id.map(String::from).unwrap_or_default(),
        change_order_id: notification.change_order_id.map(String::from).unwrap_or_default(),
        template: notification.template,
        audience: notification.audience.as_str().to_owned(),
        channel: notification.channel.as_str().to_owned(),
        state: wire_state.into(),
        subject: notification.subject,
        body: notification.body,
        created_at: notification.created_at.into(),
        sent_at: state.sent_at().map(String::from).unwrap_or_default(),
    }
}
