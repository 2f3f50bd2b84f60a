//! The inventory's door to the carts that sold an order: who would be told, and telling one by a rule.

use kit::client::Channel;
use proto::inventory::v1::propagation_service_client::PropagationServiceClient;
use proto::inventory::v1::{ForecastTargetsRequest, ForecastTargetsResponse, PartnerTask, TellTargetRequest};
use tonic::Status;

#[derive(Clone)]
pub struct Outsiders {
    client: PropagationServiceClient<Channel>,
}

impl Outsiders {
    pub fn new(inventory: Channel) -> Self {
        Self { client: PropagationServiceClient::new(inventory) }
    }

    pub async fn forecast(&self, request: ForecastTargetsRequest) -> Result<ForecastTargetsResponse, Status> {
        Ok(self.client.clone().forecast_targets(request).await?.into_inner())
    }

    pub async fn tell(&self, request: TellTargetRequest) -> Result<PartnerTask, Status> {
        Ok(self.client.clone().tell_target(request).await?.into_inner().task.unwrap_or_default())
    }
}
