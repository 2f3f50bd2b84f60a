//! DecisionService: what was decided, for our other services. On the internal port.

use kit::Failure;
use proto::order::v1::decision_service_server::DecisionService;
use proto::order::v1::{ListDecidedRequest, ListDecidedResponse};
use tonic::{Request, Response, Status};
use types::{Refusal, SagaId, Tenant};

use super::convert::{order_id, too_many};
use crate::ops::Orders;

const SAGAS_MAX: usize = 200;

pub struct DecisionApi {
    orders: Orders,
}

impl DecisionApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl DecisionService for DecisionApi {
    async fn list_decided(
        &self,
        request: Request<ListDecidedRequest>,
    ) -> Result<Response<ListDecidedResponse>, Status> {
        let request = request.into_inner();
        let tenant = Tenant::parse(&request.tenant)
            .map_err(|error| Failure::from(Refusal::from(error).field("tenant")))?;
        let order_id = order_id("order_id", &request.order_id).map_err(Failure::from)?;
        if request.saga_ids.len() > SAGAS_MAX {
            let refusal = too_many("saga_ids", SAGAS_MAX, request.saga_ids.len());
            return Err(Failure::from(refusal).into());
        }
        // What is no saga of ours has decided nothing.
        let sagas: Vec<SagaId> = request.saga_ids.iter().filter_map(|id| SagaId::parse(id).ok()).collect();
        let decided = self.orders.decided(&tenant, &order_id, &sagas).await?;
        let saga_ids = decided.iter().map(ToString::to_string).collect();
        Ok(Response::new(ListDecidedResponse { saga_ids }))
    }
}
