//! Brings our events to the order service.

use kit::client::Channel;
use proto::events::v1 as wire;
use proto::events::v1::event_intake_service_client::EventIntakeServiceClient;
use storage::{Delivery, Envelope};

#[derive(Clone)]
pub struct OrderIntake {
    client: EventIntakeServiceClient<Channel>,
}

impl OrderIntake {
    pub fn new(channel: Channel) -> Self {
        Self { client: EventIntakeServiceClient::new(channel) }
    }

    /// One call for all; an error means that nobody knows what arrived.
    pub async fn deliver(&self, envelopes: Vec<Envelope>) -> Result<Vec<Delivery>, String> {
        let events = envelopes.into_iter().map(event).collect();
        let request = wire::DeliverEventsRequest { events };
        let reply = self.client.clone().deliver_events(request).await;
        let reply = reply.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        reply.into_inner().deliveries.into_iter().map(delivery).collect()
    }
}

fn event(envelope: Envelope) -> wire::EventEnvelope {
    wire::EventEnvelope {
        event_id: envelope.event_id.to_string(),
        tenant: envelope.tenant.to_string(),
        source: envelope.source,
        aggregate_type: envelope.aggregate_type,
        aggregate_id: envelope.aggregate_id,
        aggregate_sequence: envelope.aggregate_seq,
        r#type: envelope.kind,
        payload: envelope.payload,
        traceparent: envelope.traceparent.unwrap_or_default(),
        occurred_at: envelope.occurred_at.to_string(),
    }
}

fn delivery(number: i32) -> Result<Delivery, String> {
    match wire::Delivery::try_from(number) {
        Ok(wire::Delivery::Accepted) => Ok(Delivery::Accepted),
        Ok(wire::Delivery::Duplicate) => Ok(Delivery::Duplicate),
        Ok(wire::Delivery::Later) => Ok(Delivery::Later),
        Ok(wire::Delivery::Unspecified) | Err(_) => Err(format!("the delivery {number} is unknown")),
    }
}
