//! OperationsService: for the operator on call.

mod abort_before_pivot;
mod acknowledge_attention;
mod list_attention_items;
mod raise_findings;
mod retry_step;
mod sagas;
mod verify_order;

use proto::order::v1 as wire;
use proto::order::v1::operations_service_server::OperationsService;
use tonic::{Request, Response, Status};

use crate::ops::Orders;

pub struct OperationsApi {
    orders: Orders,
}

impl OperationsApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl OperationsService for OperationsApi {
    async fn list_attention_items(
        &self,
        request: Request<wire::ListAttentionItemsRequest>,
    ) -> Result<Response<wire::ListAttentionItemsResponse>, Status> {
        Ok(Response::new(list_attention_items::answer(&self.orders, request).await?))
    }

    async fn get_saga(
        &self,
        request: Request<wire::GetSagaRequest>,
    ) -> Result<Response<wire::GetSagaResponse>, Status> {
        Ok(Response::new(sagas::get(&self.orders, request).await?))
    }

    async fn list_sagas(
        &self,
        request: Request<wire::ListSagasRequest>,
    ) -> Result<Response<wire::ListSagasResponse>, Status> {
        Ok(Response::new(sagas::list(&self.orders, request).await?))
    }

    async fn acknowledge_attention(
        &self,
        request: Request<wire::AcknowledgeAttentionRequest>,
    ) -> Result<Response<wire::AcknowledgeAttentionResponse>, Status> {
        Ok(Response::new(acknowledge_attention::answer(&self.orders, request).await?))
    }

    async fn raise_findings(
        &self,
        request: Request<wire::RaiseFindingsRequest>,
    ) -> Result<Response<wire::RaiseFindingsResponse>, Status> {
        Ok(Response::new(raise_findings::answer(&self.orders, request).await?))
    }

    async fn retry_step(
        &self,
        request: Request<wire::RetryStepRequest>,
    ) -> Result<Response<wire::RetryStepResponse>, Status> {
        Ok(Response::new(retry_step::answer(&self.orders, request).await?))
    }

    async fn abort_before_pivot(
        &self,
        request: Request<wire::AbortBeforePivotRequest>,
    ) -> Result<Response<wire::AbortBeforePivotResponse>, Status> {
        Ok(Response::new(abort_before_pivot::answer(&self.orders, request).await?))
    }

    async fn verify_order(
        &self,
        request: Request<wire::VerifyOrderRequest>,
    ) -> Result<Response<wire::VerifyOrderResponse>, Status> {
        Ok(Response::new(verify_order::answer(&self.orders, request).await?))
    }
}
