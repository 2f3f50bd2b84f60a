//! EventIntakeService: events of order, on the internal port.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use kit::Failure;
use proto::events::v1::event_intake_service_server::EventIntakeService;
use proto::events::v1::{self as wire, DeliverEventsRequest, DeliverEventsResponse};
use storage::Writer;
use tonic::{Request, Response, Status};
use types::Reason;

use super::convert::envelope;
use super::events;
use crate::ops::batch::aggregate;
use crate::ops::{Arrival, Delivery, Intake, Run};

const EVENTS_MAX: usize = 200;

pub struct IntakeApi {
    writer: Writer<Intake>,
}

impl IntakeApi {
    /// A call carries up to 200 events, each with a change of up to 1,000 lines; a call that is refused for its size
    /// would be sent again for ever.
    pub const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

    pub fn new(writer: Writer<Intake>) -> Self {
        Self { writer }
    }

    async fn deliver(&self, events: Vec<wire::EventEnvelope>) -> Result<Vec<Delivery>, Failure> {
        if !(1..=EVENTS_MAX).contains(&events.len()) {
            let message = format!("a call delivers 1 to {EVENTS_MAX} events");
            return Err(Failure::invalid("events", Reason::FieldInvalid, message));
        }
        let count = events.len();
        let runs = runs(events)?;
        let outcomes = runs.into_values().map(async |(places, run)| {
            let deliveries = self.writer.submit(run).await?;
            Ok::<_, Failure>(places.into_iter().zip(deliveries))
        });
        // Should one run fail, the call does: what was committed meanwhile is a duplicate when it comes again.
        let mut deliveries = vec![Delivery::Later; count];
        for (place, delivery) in try_join_all(outcomes).await?.into_iter().flatten() {
            deliveries[place] = delivery;
        }
        Ok(deliveries)
    }
}

#[tonic::async_trait]
impl EventIntakeService for IntakeApi {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        let deliveries = self.deliver(request.into_inner().events).await?;
        let deliveries = deliveries.into_iter().map(|delivery| wire_of(delivery).into()).collect();
        Ok(Response::new(DeliverEventsResponse { deliveries }))
    }
}

/// Events by aggregate, in the order of the request, each with its place there.
fn runs(events: Vec<wire::EventEnvelope>) -> Result<BTreeMap<String, (Vec<usize>, Run)>, Failure> {
    let mut runs: BTreeMap<String, (Vec<usize>, Run)> = BTreeMap::new();
    for (place, wire) in events.into_iter().enumerate() {
        let (envelope, payload) = envelope(place, wire)?;
        let event = match events::read(&envelope.kind, &payload) {
            Ok(event) => Some(event),
            Err(problem) => {
                // The sender opens an attention item when an event stays undelivered.
                tracing::error!(
                    event_id = %envelope.event_id,
                    kind = envelope.kind,
                    aggregate_id = envelope.aggregate_id,
                    %problem,
                    "an event cannot be read; it and what follows for its aggregate have to wait"
                );
                None
            }
        };
        let (places, Run(arrivals)) =
            runs.entry(aggregate(&envelope)).or_insert_with(|| (Vec::new(), Run(Vec::new())));
        places.push(place);
        arrivals.push(Arrival { envelope, event });
    }
    Ok(runs)
}

fn wire_of(delivery: Delivery) -> wire::Delivery {
    match delivery {
        Delivery::Accepted => wire::Delivery::Accepted,
        Delivery::Duplicate => wire::Delivery::Duplicate,
        Delivery::Later => wire::Delivery::Later,
    }
}
