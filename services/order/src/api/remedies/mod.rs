//! RemedyService: what is done after a cancellation, or instead of one.

mod pay_order;
mod pay_out;
mod refund_order;
mod reissue_order;
mod restore_order;
mod short_ship;

use proto::order::v1 as wire;
use proto::order::v1::remedy_service_server::RemedyService;
use tonic::{Request, Response, Status};

use crate::ops::Orders;

pub struct RemedyApi {
    orders: Orders,
}

impl RemedyApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl RemedyService for RemedyApi {
    async fn reissue_order(
        &self,
        request: Request<wire::ReissueOrderRequest>,
    ) -> Result<Response<wire::ReissueOrderResponse>, Status> {
        Ok(Response::new(reissue_order::answer(&self.orders, request).await?))
    }

    async fn restore_order(
        &self,
        request: Request<wire::RestoreOrderRequest>,
    ) -> Result<Response<wire::RestoreOrderResponse>, Status> {
        Ok(Response::new(restore_order::answer(&self.orders, request).await?))
    }

    async fn pay_order(
        &self,
        request: Request<wire::PayOrderRequest>,
    ) -> Result<Response<wire::PayOrderResponse>, Status> {
        Ok(Response::new(pay_order::answer(&self.orders, request).await?))
    }

    async fn refund_order(
        &self,
        request: Request<wire::RefundOrderRequest>,
    ) -> Result<Response<wire::RefundOrderResponse>, Status> {
        Ok(Response::new(refund_order::answer(&self.orders, request).await?))
    }

    async fn pay_out(
        &self,
        request: Request<wire::PayOutRequest>,
    ) -> Result<Response<wire::PayOutResponse>, Status> {
        Ok(Response::new(pay_out::answer(&self.orders, request).await?))
    }

    async fn preview_pay_out(
        &self,
        request: Request<wire::PreviewPayOutRequest>,
    ) -> Result<Response<wire::PreviewPayOutResponse>, Status> {
        Ok(Response::new(pay_out::preview(&self.orders, request).await?))
    }

    async fn short_ship(
        &self,
        request: Request<wire::ShortShipRequest>,
    ) -> Result<Response<wire::ShortShipResponse>, Status> {
        Ok(Response::new(short_ship::answer(&self.orders, request).await?))
    }
}
