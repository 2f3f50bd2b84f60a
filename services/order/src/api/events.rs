//! EventIntakeService: events of inventory and payment, on the internal port.

use kit::{Failure, events};
use proto::events::v1::event_intake_service_server::EventIntakeService;
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse};
use tonic::{Request, Response, Status};

use crate::ops::Orders;

pub struct IntakeApi {
    orders: Orders,
}

impl IntakeApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl EventIntakeService for IntakeApi {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        let envelopes = events::parse(request.into_inner()).map_err(Failure::from)?;
        Ok(Response::new(events::answer(&self.orders.deliver(envelopes).await)))
    }
}
