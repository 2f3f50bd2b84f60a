//! OrderService: placing orders, moving them on, showing them.

mod confirm_order;
mod create_order;
mod get_order;
mod get_timeline;
mod list_orders;
pub(super) mod new_order;
mod start_processing;
#[cfg(test)]
mod tests;
mod watch_timeline;

use proto::order::v1 as wire;
use proto::order::v1::order_service_server::OrderService;
use tonic::{Request, Response, Status};

use super::waiting::Messages;
use crate::ops::Orders;

pub struct OrderApi {
    orders: Orders,
}

impl OrderApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl OrderService for OrderApi {
    type WatchTimelineStream = Messages<wire::WatchTimelineResponse>;

    async fn create_order(
        &self,
        request: Request<wire::CreateOrderRequest>,
    ) -> Result<Response<wire::CreateOrderResponse>, Status> {
        Ok(Response::new(create_order::answer(&self.orders, request).await?))
    }

    async fn get_order(
        &self,
        request: Request<wire::GetOrderRequest>,
    ) -> Result<Response<wire::GetOrderResponse>, Status> {
        Ok(Response::new(get_order::answer(&self.orders, request).await?))
    }

    async fn list_orders(
        &self,
        request: Request<wire::ListOrdersRequest>,
    ) -> Result<Response<wire::ListOrdersResponse>, Status> {
        Ok(Response::new(list_orders::answer(&self.orders, request).await?))
    }

    async fn confirm_order(
        &self,
        request: Request<wire::ConfirmOrderRequest>,
    ) -> Result<Response<wire::ConfirmOrderResponse>, Status> {
        Ok(Response::new(confirm_order::answer(&self.orders, request).await?))
    }

    async fn start_processing(
        &self,
        request: Request<wire::StartProcessingRequest>,
    ) -> Result<Response<wire::StartProcessingResponse>, Status> {
        Ok(Response::new(start_processing::answer(&self.orders, request).await?))
    }

    async fn get_timeline(
        &self,
        request: Request<wire::GetTimelineRequest>,
    ) -> Result<Response<wire::GetTimelineResponse>, Status> {
        Ok(Response::new(get_timeline::answer(&self.orders, request).await?))
    }

    async fn watch_timeline(
        &self,
        request: Request<wire::WatchTimelineRequest>,
    ) -> Result<Response<Self::WatchTimelineStream>, Status> {
        Ok(Response::new(watch_timeline::answer(&self.orders, request).await?))
    }
}
