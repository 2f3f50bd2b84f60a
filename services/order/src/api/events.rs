//! EventIntakeService: events of inventory and payment, on the internal port.

use kit::Failure;
use proto::events::v1 as wire;
use proto::events::v1::event_intake_service_server::EventIntakeService;
use storage::{Delivery, Envelope};
use tonic::{Request, Response, Status};
use types::{EventId, Reason, Refusal, Tenant, Timestamp};

use super::convert::{REFERENCE_LENGTH_MAX, required};
use crate::ops::Orders;

/// The most events of one call.
const EVENTS_MAX: usize = 200;

pub struct IntakeApi {
    orders: Orders,
}

impl IntakeApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    async fn deliver(&self, events: Vec<wire::EventEnvelope>) -> Result<Vec<Delivery>, Failure> {
        if !(1..=EVENTS_MAX).contains(&events.len()) {
            let message = format!("a call delivers 1 to {EVENTS_MAX} events");
            return Err(Failure::invalid("events", Reason::FieldInvalid, message));
        }
        let envelopes: Result<Vec<Envelope>, Refusal> =
            events.into_iter().enumerate().map(|(index, event)| envelope(index, event)).collect();
        Ok(self.orders.deliver(envelopes?).await)
    }
}

#[tonic::async_trait]
impl EventIntakeService for IntakeApi {
    async fn deliver_events(
        &self,
        request: Request<wire::DeliverEventsRequest>,
    ) -> Result<Response<wire::DeliverEventsResponse>, Status> {
        let deliveries = self.deliver(request.into_inner().events).await?;
        let deliveries = deliveries.into_iter().map(|delivery| answered(delivery).into()).collect();
        Ok(Response::new(wire::DeliverEventsResponse { deliveries }))
    }
}

fn envelope(index: usize, event: wire::EventEnvelope) -> Result<Envelope, Refusal> {
    let at = |field: &str| format!("events[{index}].{field}");
    let name = |field: &str, text: &str| required(&at(field), REFERENCE_LENGTH_MAX, text);
    if event.aggregate_sequence < 1 {
        let message = "sequences of an aggregate count from 1";
        return Err(Refusal::new(Reason::FieldInvalid, message).field(at("aggregate_sequence")));
    }
    Ok(Envelope {
        source: name("source", &event.source)?,
        tenant: Tenant::parse(&event.tenant).map_err(|error| Refusal::from(error).field(at("tenant")))?,
        event_id: EventId::parse(&event.event_id)
            .map_err(|error| Refusal::from(error).field(at("event_id")))?,
        aggregate_type: name("aggregate_type", &event.aggregate_type)?,
        aggregate_id: name("aggregate_id", &event.aggregate_id)?,
        aggregate_seq: event.aggregate_sequence,
        kind: name("type", &event.r#type)?,
        payload: event.payload,
        traceparent: (!event.traceparent.is_empty()).then_some(event.traceparent),
        occurred_at: Timestamp::parse(&event.occurred_at)
            .map_err(|error| Refusal::from(error).field(at("occurred_at")))?,
    })
}

fn answered(delivery: Delivery) -> wire::Delivery {
    match delivery {
        Delivery::Accepted => wire::Delivery::Accepted,
        Delivery::Duplicate => wire::Delivery::Duplicate,
        Delivery::Later => wire::Delivery::Later,
    }
}
