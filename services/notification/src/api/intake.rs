//! EventIntakeService: events of order, on the internal port.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use kit::{Failure, Roles, events};
use proto::events::v1::event_intake_service_server::EventIntakeService;
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse};
use storage::{Delivery, Envelope, Writer};
use tonic::{Request, Response, Status};

use super::events::{noted, read};
use crate::ops::batch::aggregate;
use crate::ops::{Arrival, Intake, Run};

pub struct IntakeApi {
    writer: Writer<Intake>,
    roles: Roles,
}

impl IntakeApi {
    /// A call carries up to 200 events, each with a change of up to 1,000 lines; a call that is refused for its size
    /// would be sent again for ever.
    pub const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

    pub fn new(writer: Writer<Intake>, roles: Roles) -> Self {
        Self { writer, roles }
    }

    async fn deliver(&self, envelopes: Vec<Envelope>) -> Result<Vec<Delivery>, Failure> {
        let count = envelopes.len();
        let (about_roles, envelopes): (Vec<_>, Vec<_>) = envelopes
            .into_iter()
            .enumerate()
            .partition(|(_, envelope)| envelope.aggregate_type == kit::roles::AGGREGATE);
        let outcomes = runs(envelopes).into_values().map(async |(places, run)| {
            let taken = self.writer.submit(run).await?;
            Ok::<_, Failure>(places.into_iter().zip(taken.deliveries))
        });
        // Should one run fail, the call does: what was committed meanwhile is a duplicate when it comes again.
        let mut deliveries = vec![Delivery::Later; count];
        for (place, envelope) in about_roles {
            deliveries[place] = self.roles.take(&envelope).await?;
        }
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
        let envelopes = events::parse(request.into_inner()).map_err(Failure::from)?;
        Ok(Response::new(events::answer(&self.deliver(envelopes).await?)))
    }
}

/// Events by aggregate, in the order of the request, each with its place there.
fn runs(envelopes: Vec<(usize, Envelope)>) -> BTreeMap<String, (Vec<usize>, Run)> {
    let mut runs: BTreeMap<String, (Vec<usize>, Run)> = BTreeMap::new();
    for (place, envelope) in envelopes {
        let event = read(&envelope.kind, &envelope.payload).map_err(|problem| {
            tracing::warn!(
                event_id = %envelope.event_id,
                kind = envelope.kind,
                aggregate_id = envelope.aggregate_id,
                %problem,
                "an event cannot be read; it waits a while for a newer version"
            );
            problem.to_string()
        });
        let (places, Run(arrivals)) =
            runs.entry(aggregate(&envelope)).or_insert_with(|| (Vec::new(), Run(Vec::new())));
        places.push(place);
        let noted = noted(&envelope.kind, &envelope.payload, &envelope.aggregate_id);
        arrivals.push(Arrival { envelope, event, noted });
    }
    runs
}
