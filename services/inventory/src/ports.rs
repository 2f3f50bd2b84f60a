//! The only call out: events about goods go to the order service.

use kit::client::Channel;
use proto::events::v1::event_intake_service_client::EventIntakeServiceClient;
use proto::events::v1::{DeliverEventsRequest, Delivery as Said, EventEnvelope};
use storage::{Delivery, Envelope};

/// Order's event intake.
#[derive(Clone)]
pub struct OrderEvents {
    client: EventIntakeServiceClient<Channel>,
}

impl OrderEvents {
    pub fn new(order: Channel) -> Self {
        Self { client: EventIntakeServiceClient::new(order) }
    }

    /// One call for all events. An error means that nobody knows what arrived, and all are sent again.
    pub async fn deliver(&self, events: Vec<Envelope>) -> Result<Vec<Delivery>, String> {
        let events = events.into_iter().map(envelope).collect();
        let response = self.client.clone().deliver_events(DeliverEventsRequest { events }).await;
        let response = response.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        response.into_inner().deliveries().map(delivery).collect()
    }
}

fn envelope(event: Envelope) -> EventEnvelope {
    EventEnvelope {
        event_id: event.event_id.into(),
        tenant: event.tenant.into(),
        source: event.source,
        aggregate_type: event.aggregate_type,
        aggregate_id: event.aggregate_id,
        aggregate_sequence: event.aggregate_seq,
        r#type: event.kind,
        payload: event.payload,
        traceparent: event.traceparent.unwrap_or_default(),
        occurred_at: event.occurred_at.to_string(),
    }
}

fn delivery(said: Said) -> Result<Delivery, String> {
    match said {
        Said::Accepted => Ok(Delivery::Accepted),
        Said::Duplicate => Ok(Delivery::Duplicate),
        Said::Later => Ok(Delivery::Later),
        Said::Unspecified => Err("the receiver's answer for an event says nothing".to_owned()),
    }
}
