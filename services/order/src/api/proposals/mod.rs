//! ProposalService: changes that one side asks for and the other answers.

mod approve_change_order;
mod decline_change_order;
mod preview_proposal;
mod propose_change_order;
mod proposed;
mod request_withdrawal;

use proto::order::v1 as wire;
use proto::order::v1::proposal_service_server::ProposalService;
use tonic::{Request, Response, Status};

use crate::ops::Orders;
use crate::ops::guesses::Guesses;

pub struct ProposalApi {
    orders: Orders,
    guesses: Guesses,
}

impl ProposalApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders, guesses: Guesses::default() }
    }
}

#[tonic::async_trait]
impl ProposalService for ProposalApi {
    async fn propose_change_order(
        &self,
        request: Request<wire::ProposeChangeOrderRequest>,
    ) -> Result<Response<wire::ProposeChangeOrderResponse>, Status> {
        Ok(Response::new(propose_change_order::answer(&self.orders, request).await?))
    }

    async fn preview_proposal(
        &self,
        request: Request<wire::PreviewProposalRequest>,
    ) -> Result<Response<wire::PreviewProposalResponse>, Status> {
        Ok(Response::new(preview_proposal::answer(&self.orders, request).await?))
    }

    async fn approve_change_order(
        &self,
        request: Request<wire::ApproveChangeOrderRequest>,
    ) -> Result<Response<wire::ApproveChangeOrderResponse>, Status> {
        Ok(Response::new(approve_change_order::answer(&self.orders, request).await?))
    }

    async fn decline_change_order(
        &self,
        request: Request<wire::DeclineChangeOrderRequest>,
    ) -> Result<Response<wire::DeclineChangeOrderResponse>, Status> {
        Ok(Response::new(decline_change_order::answer(&self.orders, request).await?))
    }

    async fn request_withdrawal(
        &self,
        request: Request<wire::RequestWithdrawalRequest>,
    ) -> Result<Response<wire::RequestWithdrawalResponse>, Status> {
        Ok(Response::new(request_withdrawal::answer(&self.orders, &self.guesses, request).await?))
    }
}
