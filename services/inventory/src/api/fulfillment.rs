//! FulfillmentService: goods on their way out. On the public port.

use kit::{Failure, Principal};
use proto::inventory::v1 as wire;
use proto::inventory::v1::fulfillment_service_server::FulfillmentService;
use tonic::{Request, Response, Status};

use super::{convert, mutation, render};
use crate::ops::{Action, Inventory, Packing, Resource, ShownFulfilment};

pub struct FulfillmentApi {
    inventory: Inventory,
}

impl FulfillmentApi {
    pub fn new(inventory: Inventory) -> Self {
        Self { inventory }
    }
}

fn rendered(resource: Resource) -> wire::Fulfillment {
    match resource {
        Resource::Fulfilment(shown) => render::fulfilment(&shown),
        _ => unreachable!("a fulfilment is answered with itself"),
    }
}

#[tonic::async_trait]
impl FulfillmentService for FulfillmentApi {
    async fn create_fulfillment(
        &self,
        request: Request<wire::CreateFulfillmentRequest>,
    ) -> Result<Response<wire::CreateFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let order_id = convert::order_id("order_id", &body.order_id).map_err(Failure::from)?;
        let warehouse_id =
            convert::warehouse_id("warehouse_id", &body.warehouse_id).map_err(Failure::from)?;
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let decided = self.inventory.decided(&caller.tenant, &order_id).await?;
        let move_reservation = body.move_reservation;
        let action =
            Action::CreateFulfilment(Packing { order_id, warehouse_id, lines, move_reservation, decided });
        let resource =
            mutation::run(&self.inventory, &caller, "CreateFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::CreateFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn submit_fulfillment(
        &self,
        request: Request<wire::SubmitFulfillmentRequest>,
    ) -> Result<Response<wire::SubmitFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let external_number = convert::external_number(&body.external_number).map_err(Failure::from)?;
        let action = Action::SubmitFulfilment { fulfilment_id, external_number };
        let resource =
            mutation::run(&self.inventory, &caller, "SubmitFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::SubmitFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn ship_fulfillment(
        &self,
        request: Request<wire::ShipFulfillmentRequest>,
    ) -> Result<Response<wire::ShipFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let tracking_number = convert::tracking_number(&body.tracking_number).map_err(Failure::from)?;
        let action = Action::ShipFulfilment { fulfilment_id, lines, tracking_number };
        let resource =
            mutation::run(&self.inventory, &caller, "ShipFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::ShipFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn deliver_fulfillment(
        &self,
        request: Request<wire::DeliverFulfillmentRequest>,
    ) -> Result<Response<wire::DeliverFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let action = Action::DeliverFulfilment { fulfilment_id, lines };
        let resource =
            mutation::run(&self.inventory, &caller, "DeliverFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::DeliverFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn unpack_fulfillment(
        &self,
        request: Request<wire::UnpackFulfillmentRequest>,
    ) -> Result<Response<wire::UnpackFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let action = Action::UnpackFulfilment { fulfilment_id, lines };
        let resource =
            mutation::run(&self.inventory, &caller, "UnpackFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::UnpackFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn move_fulfillment(
        &self,
        request: Request<wire::MoveFulfillmentRequest>,
    ) -> Result<Response<wire::MoveFulfillmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let warehouse_id =
            convert::warehouse_id("warehouse_id", &body.warehouse_id).map_err(Failure::from)?;
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let action = Action::MoveFulfilment { fulfilment_id, warehouse_id, lines };
        let resource =
            mutation::run(&self.inventory, &caller, "MoveFulfillment", &request_id, &body, action).await?;
        Ok(Response::new(wire::MoveFulfillmentResponse { fulfillment: Some(rendered(resource)) }))
    }

    async fn get_fulfillment(
        &self,
        request: Request<wire::GetFulfillmentRequest>,
    ) -> Result<Response<wire::GetFulfillmentResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let id = convert::fulfilment_id(&request.get_ref().fulfillment_id).map_err(Failure::from)?;
        let found = self.inventory.fulfilment(&tenant, &id).await;
        let shown = found.map_err(Failure::from)?.map_err(Failure::from)?;
        let fulfillment = Some(render::fulfilment(&shown));
        Ok(Response::new(wire::GetFulfillmentResponse { fulfillment }))
    }

    async fn list_fulfillments(
        &self,
        request: Request<wire::ListFulfillmentsRequest>,
    ) -> Result<Response<wire::ListFulfillmentsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let order_id = convert::order_id("order_id", &request.get_ref().order_id).map_err(Failure::from)?;
        let goods = self.inventory.goods(&tenant, &order_id).await;
        let goods = goods.map_err(Failure::from)?;
        let shown = goods
            .iter()
            .flat_map(|goods| goods.fulfilments.keys().filter_map(|id| ShownFulfilment::of(goods, id)));
        let fulfillments = shown.map(|shown| render::fulfilment(&shown)).collect();
        Ok(Response::new(wire::ListFulfillmentsResponse { fulfillments }))
    }
}
