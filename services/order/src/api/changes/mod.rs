//! ChangeOrderService: cancelling orders and parts of orders.

mod change_request;
mod get_cancelability;
mod get_change_order;
mod list_change_orders;
mod preview_change_order;
mod standing;
mod submit_change_order;
#[cfg(test)]
mod tests;
mod watch_change_order;
mod withdraw_change_order;

use proto::order::v1 as wire;
use proto::order::v1::change_order_service_server::ChangeOrderService;
use tonic::{Request, Response, Status};

use super::waiting::Messages;
use crate::domain::change::ChangeView;
use crate::ops::Orders;

pub struct ChangeApi {
    orders: Orders,
}

impl ChangeApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

pub(super) use change_request::line_key;
pub(super) use preview_change_order::forecast_tenders;
pub(super) use standing::blocker;

/// A change as every RPC shows it.
pub(super) fn shown(view: &ChangeView) -> wire::ChangeOrder {
    let change = crate::wire::change_order(&view.change, &view.order_number, view.currency, &view.steps);
    wire::ChangeOrder {
        propagation: crate::wire::outside::propagation(&view.legs),
        external_confirmed: crate::wire::outside::is_confirmed(&view.legs),
        // Events never carry it: it is shown to those who ask for the change.
        address: view.change.in_confidence.address.as_ref().map(crate::wire::address),
        ..change
    }
}

#[tonic::async_trait]
impl ChangeOrderService for ChangeApi {
    type WatchChangeOrderStream = Messages<wire::WatchChangeOrderResponse>;

    async fn get_cancelability(
        &self,
        request: Request<wire::GetCancelabilityRequest>,
    ) -> Result<Response<wire::GetCancelabilityResponse>, Status> {
        Ok(Response::new(get_cancelability::answer(&self.orders, request).await?))
    }

    async fn preview_change_order(
        &self,
        request: Request<wire::PreviewChangeOrderRequest>,
    ) -> Result<Response<wire::PreviewChangeOrderResponse>, Status> {
        Ok(Response::new(preview_change_order::answer(&self.orders, request).await?))
    }

    async fn submit_change_order(
        &self,
        request: Request<wire::SubmitChangeOrderRequest>,
    ) -> Result<Response<wire::SubmitChangeOrderResponse>, Status> {
        Ok(Response::new(submit_change_order::answer(&self.orders, request).await?))
    }

    async fn withdraw_change_order(
        &self,
        request: Request<wire::WithdrawChangeOrderRequest>,
    ) -> Result<Response<wire::WithdrawChangeOrderResponse>, Status> {
        Ok(Response::new(withdraw_change_order::answer(&self.orders, request).await?))
    }

    async fn get_change_order(
        &self,
        request: Request<wire::GetChangeOrderRequest>,
    ) -> Result<Response<wire::GetChangeOrderResponse>, Status> {
        Ok(Response::new(get_change_order::answer(&self.orders, request).await?))
    }

    async fn list_change_orders(
        &self,
        request: Request<wire::ListChangeOrdersRequest>,
    ) -> Result<Response<wire::ListChangeOrdersResponse>, Status> {
        Ok(Response::new(list_change_orders::answer(&self.orders, request).await?))
    }

    async fn watch_change_order(
        &self,
        request: Request<wire::WatchChangeOrderRequest>,
    ) -> Result<Response<Self::WatchChangeOrderStream>, Status> {
        Ok(Response::new(watch_change_order::answer(&self.orders, request).await?))
    }
}
