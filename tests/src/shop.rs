//! The words scenarios are written in: receive, place, cancel, ship, each one public RPC with sensible defaults.

use anyhow::{Context, Result};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    AdjustStockRequest, CreateFulfillmentRequest, Fulfillment, GetStockRequest, ShipFulfillmentRequest,
    Stock, StockAdjustment, SubmitFulfillmentRequest, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};
use proto::order::v1::{
    AttentionItem, ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderType, CreateOrderRequest,
    GetChangeOrderRequest, GetOrderRequest, LineInput, ListAttentionItemsRequest, Order,
    SubmitChangeOrderRequest, TenderInput, WithdrawChangeOrderRequest,
};
use proto::payment::v1::{ListRefundsRequest, MakeChargesRequest, Refund, SandboxCharge};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use types::{Clock, EventId, Ids};

use crate::clients::Clients;

pub const WAREHOUSE: &str = "main";

/// A client with its own articles, so that scenarios on one suite do not meet.
#[derive(Clone)]
pub struct Shop {
    pub clients: Clients,
    ids: Ids,
    prefix: String,
}

impl Shop {
    /// Creates the warehouse, which every shop of a suite shares.
    pub async fn open(clients: Clients) -> Result<Self> {
        let ids = Ids::random(Clock::System);
        let id = ids.mint::<EventId>().to_string();
        let shop = Self { clients, ids, prefix: id[id.len() - 8..].to_uppercase() };
        let warehouse = Warehouse {
            warehouse_id: WAREHOUSE.to_owned(),
            kind: WarehouseKind::Own.into(),
            priority: 1,
            active: true,
            ..Warehouse::default()
        };
        let request = UpsertWarehouseRequest { request_id: shop.request_id(), warehouse: Some(warehouse) };
        shop.clients.stock().upsert_warehouse(request).await.context("creating the warehouse")?;
        Ok(shop)
    }

    /// The same shop, as somebody else calls it.
    #[must_use]
    pub fn as_user(&self, user: &str, organisation: &str, role: &str) -> Self {
        Self { clients: self.clients.as_user(user, organisation, role), ..self.clone() }
    }

    pub fn request_id(&self) -> String {
        self.ids.mint::<EventId>().to_string()
    }

    /// An article of this shop alone.
    pub fn sku(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    pub async fn receive(&self, sku: &str, units: i64) -> Result<()> {
        let adjustment =
            StockAdjustment { warehouse_id: WAREHOUSE.to_owned(), sku: sku.to_owned(), delta: units };
        let request = AdjustStockRequest { request_id: self.request_id(), adjustments: vec![adjustment] };
        self.clients.stock().adjust_stock(request).await.with_context(|| format!("receiving {sku}"))?;
        Ok(())
    }

    pub async fn stock(&self, sku: &str) -> Result<Stock> {
        let request = GetStockRequest { sku: sku.to_owned(), warehouse_id: WAREHOUSE.to_owned() };
        let stock = self.clients.stock().get_stock(request).await?.into_inner().stock;
        stock.into_iter().next().with_context(|| format!("there is no stock of {sku}"))
    }

    /// A request for one line paid by one captured sandbox card; scenarios change what they need.
    pub fn order_request(
        &self,
        sku: &str,
        quantity: i64,
        unit_price: &str,
        total_minor: i64,
    ) -> CreateOrderRequest {
        CreateOrderRequest {
            request_id: self.request_id(),
            currency_code: "GBP".to_owned(),
            lines: vec![line(sku, quantity, unit_price)],
            tenders: vec![card("tok_approve", total_minor, true)],
            wait: Wait::Completed.into(),
            ..CreateOrderRequest::default()
        }
    }

    /// Another system charges cards at the sandbox; each amount is captured.
    pub async fn charge_elsewhere(&self, charges: &[(String, i64)]) -> Result<()> {
        let charge = |(reference, amount_minor): &(String, i64)| SandboxCharge {
            reference: reference.clone(),
            currency_code: "GBP".to_owned(),
            authorised_minor: *amount_minor,
            captured_minor: *amount_minor,
            ..SandboxCharge::default()
        };
        let request = MakeChargesRequest { charges: charges.iter().map(charge).collect() };
        self.clients.sandbox().make_charges(request).await.context("charging cards at the sandbox")?;
        Ok(())
    }

    pub async fn create(&self, request: CreateOrderRequest) -> Result<Order, Status> {
        let answer = self.clients.orders().create_order(request).await?.into_inner();
        answer.order.ok_or_else(|| Status::internal("the answer holds no order"))
    }

    /// Receives what it needs, then places `quantity` units at 10.00 on one captured card.
    pub async fn placed(&self, sku: &str, quantity: i64) -> Result<Order> {
        self.receive(sku, quantity).await?;
        let order = self.create(self.order_request(sku, quantity, "10.00", quantity * 1_000)).await?;
        anyhow::ensure!(
            order.state() == proto::order::v1::OrderState::Confirmed,
            "placed as {:?}",
            order.state()
        );
        Ok(order)
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

    /// A request to cancel (line number, units), or everything when there are none.
    pub fn cancel_request(&self, order_id: &str, lines: &[(i64, i64)]) -> SubmitChangeOrderRequest {
        let kind = if lines.is_empty() { ChangeOrderType::CancelOrder } else { ChangeOrderType::CancelItems };
        let line = |&(line_number, quantity)| ChangeLineInput {
            line_number,
            quantity,
            ..ChangeLineInput::default()
        };
        SubmitChangeOrderRequest {
            request_id: self.request_id(),
            change: Some(ChangeInput {
                order_id: order_id.to_owned(),
                r#type: kind.into(),
                lines: lines.iter().map(line).collect(),
                reason_code: "CUSTOMER_REQUEST".to_owned(),
                ..ChangeInput::default()
            }),
            wait: Wait::Completed.into(),
            ..SubmitChangeOrderRequest::default()
        }
    }

    pub async fn submit(&self, request: SubmitChangeOrderRequest) -> Result<ChangeOrder, Status> {
        let answer = self.clients.changes().submit_change_order(request).await?.into_inner();
        answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
    }

    pub async fn change(&self, change_order_id: &str) -> Result<ChangeOrder> {
        let request = GetChangeOrderRequest { change_order_id: change_order_id.to_owned() };
        let answer = self.clients.changes().get_change_order(request).await?.into_inner();
        answer.change_order.context("the answer holds no change order")
    }

    pub async fn withdraw(&self, change_order_id: &str) -> Result<ChangeOrder, Status> {
        let request = WithdrawChangeOrderRequest {
            request_id: self.request_id(),
            change_order_id: change_order_id.to_owned(),
            note: String::new(),
        };
        let answer = self.clients.changes().withdraw_change_order(request).await?.into_inner();
        answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
    }

    pub async fn refunds(&self, order_id: &str) -> Result<Vec<Refund>> {
        let request = ListRefundsRequest { order_id: order_id.to_owned(), ..ListRefundsRequest::default() };
        Ok(self.clients.refunds().list_refunds(request).await?.into_inner().refunds)
    }

    /// What a person has to look at of an order.
    pub async fn attention(&self, order_id: &str) -> Result<Vec<AttentionItem>> {
        let request = ListAttentionItemsRequest { page_size: 200, ..ListAttentionItemsRequest::default() };
        let items = self.clients.operations().list_attention_items(request).await?.into_inner().items;
        Ok(items.into_iter().filter(|item| item.order_id == order_id).collect())
    }

    /// Allocates everything of an order to one fulfilment and hands it to the floor.
    pub async fn submitted(&self, order_id: &str) -> Result<Fulfillment> {
        let request = CreateFulfillmentRequest {
            request_id: self.request_id(),
            order_id: order_id.to_owned(),
            warehouse_id: WAREHOUSE.to_owned(),
            lines: Vec::new(),
            ..CreateFulfillmentRequest::default()
        };
        let created = self.clients.fulfillments().create_fulfillment(request).await?.into_inner().fulfillment;
        let fulfillment_id = created.context("the answer holds no fulfillment")?.fulfillment_id;
        let request = SubmitFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id,
            ..SubmitFulfillmentRequest::default()
        };
        let submitted =
            self.clients.fulfillments().submit_fulfillment(request).await?.into_inner().fulfillment;
        submitted.context("the answer holds no fulfillment")
    }

    pub async fn ship(&self, fulfillment_id: &str) -> Result<Fulfillment, Status> {
        let request = ShipFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id: fulfillment_id.to_owned(),
            ..ShipFulfillmentRequest::default()
        };
        let answer = self.clients.fulfillments().ship_fulfillment(request).await?.into_inner();
        answer.fulfillment.ok_or_else(|| Status::internal("the answer holds no fulfillment"))
    }
}

pub fn line(sku: &str, quantity: i64, unit_price: &str) -> LineInput {
    LineInput { sku: sku.to_owned(), quantity, unit_price: unit_price.to_owned(), ..LineInput::default() }
}

pub fn card(token: &str, amount_minor: i64, capture_now: bool) -> TenderInput {
    TenderInput { gateway: "sandbox".to_owned(), payment_token: token.to_owned(), amount_minor, capture_now }
}

/// The reason in the ErrorInfo of our domain, or "" when there is none.
pub fn reason(status: &Status) -> String {
    match status.get_error_details().error_info() {
        Some(info) if info.domain == "countermand" => info.reason.clone(),
        Some(_) | None => String::new(),
    }
}

/// A detail of a refusal, or "" when it has none of this name.
pub fn detail(status: &Status, name: &str) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    info.and_then(|info| info.metadata.get(name)).cloned().unwrap_or_default()
}

/// Fails unless the call was refused with exactly this code and reason.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, expected: &str) -> Result<Status> {
    let status = match answer {
        Ok(value) => anyhow::bail!("expected {expected}, but it was accepted: {value:?}"),
        Err(status) => status,
    };
    anyhow::ensure!(
        status.code() == code && reason(&status) == expected,
        "expected {code:?} {expected}, got {:?} {} ({})",
        status.code(),
        reason(&status),
        status.message()
    );
    Ok(status)
}
