//! StockService: warehouses, stock, its ledger and the reservations on it. On the public port.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::inventory::v1 as wire;
use proto::inventory::v1::stock_service_server::StockService;
use tonic::{Request, Response, Status};
use types::Reason;

use super::{convert, mutation, render, stock_requests};
use crate::ops::{Inventory, Resource, ShownStock};

pub struct StockApi {
    inventory: Inventory,
    seal: Seal,
}

impl StockApi {
    pub fn new(inventory: Inventory, seal: Seal) -> Self {
        Self { inventory, seal }
    }
}

fn stock_rows(resource: Resource) -> Vec<ShownStock> {
    match resource {
        Resource::Stock(rows) => rows,
        _ => unreachable!("stock keeping is answered with stock"),
    }
}

#[tonic::async_trait]
impl StockService for StockApi {
    async fn upsert_warehouse(
        &self,
        request: Request<wire::UpsertWarehouseRequest>,
    ) -> Result<Response<wire::UpsertWarehouseResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action = stock_requests::upsert_warehouse(&body).map_err(Failure::from)?;
        let resource =
            mutation::run(&self.inventory, &caller, "UpsertWarehouse", &request_id, &body, action).await?;
        let warehouse = match resource {
            Resource::Warehouse(id, warehouse) => render::warehouse(&id, &warehouse),
            _ => unreachable!("a warehouse is answered with itself"),
        };
        Ok(Response::new(wire::UpsertWarehouseResponse { warehouse: Some(warehouse) }))
    }

    async fn list_warehouses(
        &self,
        request: Request<wire::ListWarehousesRequest>,
    ) -> Result<Response<wire::ListWarehousesResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let body = request.into_inner();
        let listing = Listing::new("ListWarehouses", &tenant, &());
        let page = Page::parse(&self.seal, listing, body.page_size, &body.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let listed = self.inventory.list_warehouses(&tenant, after, page.limit()).await;
        let mut rows = listed.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut rows, |(id, _)| vec![id.as_str().to_owned()]);
        let warehouses = rows.iter().map(|(id, warehouse)| render::warehouse(id, warehouse)).collect();
        Ok(Response::new(wire::ListWarehousesResponse { warehouses, next_page_token }))
    }

    async fn set_stock(
        &self,
        request: Request<wire::SetStockRequest>,
    ) -> Result<Response<wire::SetStockResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action = stock_requests::set_stock(&body).map_err(Failure::from)?;
        let resource =
            mutation::run(&self.inventory, &caller, "SetStock", &request_id, &body, action).await?;
        let stock = stock_rows(resource).first().map(render::shown_stock);
        Ok(Response::new(wire::SetStockResponse { stock }))
    }

    async fn adjust_stock(
        &self,
        request: Request<wire::AdjustStockRequest>,
    ) -> Result<Response<wire::AdjustStockResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action = stock_requests::adjust_stock(&body).map_err(Failure::from)?;
        let resource =
            mutation::run(&self.inventory, &caller, "AdjustStock", &request_id, &body, action).await?;
        let stock = stock_rows(resource).iter().map(render::shown_stock).collect();
        Ok(Response::new(wire::AdjustStockResponse { stock }))
    }

    async fn assign_sku(
        &self,
        request: Request<wire::AssignSkuRequest>,
    ) -> Result<Response<wire::AssignSkuResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action = stock_requests::assign_sku(&body).map_err(Failure::from)?;
        let resource =
            mutation::run(&self.inventory, &caller, "AssignSku", &request_id, &body, action).await?;
        let assignment = match resource {
            Resource::Assignment(sku, warehouse_id) => Some(render::assignment(&sku, warehouse_id.as_ref())),
            _ => unreachable!("an assignment is answered with itself"),
        };
        Ok(Response::new(wire::AssignSkuResponse { assignment }))
    }

    async fn list_sku_assignments(
        &self,
        request: Request<wire::ListSkuAssignmentsRequest>,
    ) -> Result<Response<wire::ListSkuAssignmentsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let body = request.into_inner();
        let listing = Listing::new("ListSkuAssignments", &tenant, &());
        let page = Page::parse(&self.seal, listing, body.page_size, &body.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let listed = self.inventory.list_assignments(&tenant, after, page.limit()).await;
        let mut rows = listed.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut rows, |(sku, _)| vec![sku.as_str().to_owned()]);
        let assignments =
            rows.iter().map(|(sku, warehouse_id)| render::assignment(sku, Some(warehouse_id))).collect();
        Ok(Response::new(wire::ListSkuAssignmentsResponse { assignments, next_page_token }))
    }

    async fn get_stock(
        &self,
        request: Request<wire::GetStockRequest>,
    ) -> Result<Response<wire::GetStockResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let body = request.into_inner();
        let sku = convert::sku("sku", &body.sku).map_err(Failure::from)?;
        let warehouse_id = convert::optional_warehouse_id("warehouse_id", &body.warehouse_id);
        let warehouse_id = warehouse_id.map_err(Failure::from)?;
        let found = self.inventory.get_stock(&tenant, &sku, warehouse_id.as_ref()).await;
        let found = found.map_err(Failure::from)?;
        let stock = found.iter().map(|(warehouse_id, row)| render::stock(warehouse_id, &sku, row)).collect();
        Ok(Response::new(wire::GetStockResponse { stock }))
    }

    async fn list_stock_ledger(
        &self,
        request: Request<wire::ListStockLedgerRequest>,
    ) -> Result<Response<wire::ListStockLedgerResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let body = request.into_inner();
        let warehouse_id =
            convert::warehouse_id("warehouse_id", &body.warehouse_id).map_err(Failure::from)?;
        let sku = convert::sku("sku", &body.sku).map_err(Failure::from)?;
        let listing = Listing::new("ListStockLedger", &tenant, &(&warehouse_id, &sku));
        let page = Page::parse(&self.seal, listing, body.page_size, &body.page_token)?;
        let after = match page.after(1)? {
            None => 0,
            Some(key) => key[0].parse().map_err(|_| bad_token())?,
        };
        let listed = self.inventory.list_ledger(&tenant, &warehouse_id, &sku, after, page.limit()).await;
        let mut rows = listed.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut rows, |line| vec![line.entry.seq.to_string()]);
        let entries = rows.into_iter().map(render::ledger_entry).collect();
        Ok(Response::new(wire::ListStockLedgerResponse { entries, next_page_token }))
    }

    async fn list_reservations(
        &self,
        request: Request<wire::ListReservationsRequest>,
    ) -> Result<Response<wire::ListReservationsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let order_id = convert::order_id("order_id", &request.get_ref().order_id).map_err(Failure::from)?;
        let goods = self.inventory.goods(&tenant, &order_id).await;
        let goods = goods.map_err(Failure::from)?;
        let rows = goods.iter().flat_map(|goods| &goods.reservations);
        let reservations = rows.map(|(id, row)| render::reservation(&order_id, id, row)).collect();
        Ok(Response::new(wire::ListReservationsResponse { reservations }))
    }
}

fn bad_token() -> Failure {
    Failure::invalid("page_token", Reason::PageTokenInvalid, "page_token holds no sequence")
}
