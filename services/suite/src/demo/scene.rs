//! What the story needs done, each one public RPC.

use anyhow::{Context, Result};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    AdjustStockRequest, CreateFulfillmentRequest, GetStockRequest, ShipFulfillmentRequest, Stock,
    StockAdjustment, SubmitFulfillmentRequest, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};
use proto::order::v1::{
    ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderType, CreateOrderRequest, GetOrderRequest,
    LineInput, Order, ShippingInput, SubmitChangeOrderRequest, TenderInput,
};
use tonic::Status;
use types::{Clock, EventId, Ids};

use crate::clients::Clients;

/// The articles of the story: sku, name, price, units received.
pub const ARTICLES: [(&str, &str, &str, i64); 3] = [
    ("LANTERN", "White metal lantern", "3.39", 40),
    ("MUG", "Enamel mug", "7.50", 25),
    ("BLANKET", "Wool blanket", "49.00", 8),
];
const WAREHOUSE: &str = "main";

pub struct Scene<'a> {
    pub clients: &'a Clients,
    ids: Ids,
}

impl<'a> Scene<'a> {
    pub fn new(clients: &'a Clients) -> Self {
        Self { clients, ids: Ids::random(Clock::System) }
    }

    fn request_id(&self) -> String {
        self.ids.mint::<EventId>().to_string()
    }

    pub async fn receive_stock(&self) -> Result<()> {
        let warehouse = Warehouse {
            warehouse_id: WAREHOUSE.to_owned(),
            kind: WarehouseKind::Own.into(),
            priority: 1,
            active: true,
            ..Warehouse::default()
        };
        let request = UpsertWarehouseRequest { request_id: self.request_id(), warehouse: Some(warehouse) };
        self.clients.stock().upsert_warehouse(request).await?;
        let adjustments = ARTICLES.map(|(sku, _, _, units)| StockAdjustment {
            warehouse_id: WAREHOUSE.to_owned(),
            sku: sku.to_owned(),
            delta: units,
        });
        let request = AdjustStockRequest { request_id: self.request_id(), adjustments: adjustments.to_vec() };
        self.clients.stock().adjust_stock(request).await?;
        Ok(())
    }

    pub async fn stock(&self) -> Result<Vec<Stock>> {
        let mut stock = Vec::new();
        for (sku, ..) in ARTICLES {
            let request = GetStockRequest { sku: sku.to_owned(), warehouse_id: String::new() };
            stock.extend(self.clients.stock().get_stock(request).await?.into_inner().stock);
        }
        Ok(stock)
    }

    /// Places an order of (article, units), with shipping and a discount in pence, paid by (token, pence, captured).
    pub async fn place(
        &self,
        number: &str,
        lines: &[(usize, i64)],
        discount_and_shipping: (i64, i64),
        tenders: &[(&str, i64, bool)],
    ) -> Result<Order> {
        let line = |&(article, quantity): &(usize, i64)| {
            let (sku, description, price, _) = ARTICLES[article];
            LineInput {
                sku: sku.to_owned(),
                description: description.to_owned(),
                quantity,
                unit_price: price.to_owned(),
                ..LineInput::default()
            }
        };
        let tender = |&(token, amount_minor, capture_now): &(&str, i64, bool)| TenderInput {
            gateway: "sandbox".to_owned(),
            payment_token: token.to_owned(),
            amount_minor,
            capture_now,
        };
        let (order_discount_minor, amount_minor) = discount_and_shipping;
        let request = CreateOrderRequest {
            request_id: self.request_id(),
            number: number.to_owned(),
            currency_code: "GBP".to_owned(),
            lines: lines.iter().map(line).collect(),
            order_discount_minor,
            shipping: vec![ShippingInput { amount_minor, ..ShippingInput::default() }],
            tenders: tenders.iter().map(tender).collect(),
            wait: Wait::Completed.into(),
            ..CreateOrderRequest::default()
        };
        let placed = self.clients.orders().create_order(request).await?.into_inner().order;
        placed.context("the answer holds no order")
    }

    pub async fn order(&self, order_id: &str) -> Result<Order> {
        let request = GetOrderRequest { order_id: order_id.to_owned(), ..GetOrderRequest::default() };
        self.clients
            .orders()
            .get_order(request)
            .await?
            .into_inner()
            .order
            .context("the answer holds no order")
    }

    /// Cancels (line number, units), or everything when there are none.
    pub async fn cancel(
        &self,
        order_id: &str,
        lines: &[(i64, i64)],
        note: &str,
    ) -> Result<ChangeOrder, Status> {
        let kind = if lines.is_empty() { ChangeOrderType::CancelOrder } else { ChangeOrderType::CancelItems };
        let line = |&(line_number, quantity)| ChangeLineInput {
            line_number,
            quantity,
            ..ChangeLineInput::default()
        };
        let request = SubmitChangeOrderRequest {
            request_id: self.request_id(),
            change: Some(ChangeInput {
                order_id: order_id.to_owned(),
                r#type: kind.into(),
                lines: lines.iter().map(line).collect(),
                reason_code: "CUSTOMER_REQUEST".to_owned(),
                note: note.to_owned(),
                ..ChangeInput::default()
            }),
            wait: Wait::Completed.into(),
            ..SubmitChangeOrderRequest::default()
        };
        let answer = self.clients.changes().submit_change_order(request).await?.into_inner();
        answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
    }

    /// Allocates, submits and ships everything of an order.
    pub async fn ship(&self, order_id: &str) -> Result<()> {
        let request = CreateFulfillmentRequest {
            request_id: self.request_id(),
            order_id: order_id.to_owned(),
            warehouse_id: WAREHOUSE.to_owned(),
            lines: Vec::new(),
            ..CreateFulfillmentRequest::default()
        };
        let created = self.clients.fulfillments().create_fulfillment(request).await?.into_inner();
        let fulfillment_id = created.fulfillment.context("the answer holds no fulfillment")?.fulfillment_id;
        let request = SubmitFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id: fulfillment_id.clone(),
            ..SubmitFulfillmentRequest::default()
        };
        self.clients.fulfillments().submit_fulfillment(request).await?;
        let request = ShipFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id,
            lines: Vec::new(),
            tracking_number: "TRACK-1".to_owned(),
        };
        self.clients.fulfillments().ship_fulfillment(request).await?;
        Ok(())
    }
}
