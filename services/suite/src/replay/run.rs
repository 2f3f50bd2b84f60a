//! Sends a plan to the services: receive the stock, place every order, then submit its changes in the file's order.
//!
//! Every request id is made of the file's fingerprint and the invoice, so a second run of the file adds nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use proto::common::v1::{ExternalReference, Wait};
use proto::inventory::v1::{
    AdjustStockRequest, StockAdjustment, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};
use proto::order::v1::{
    ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderState, ChangeOrderType, CreateOrderRequest,
    ExternalPaymentInput, GetChangeOrderRequest, GetOrderRequest, LineInput, OrderState,
    SubmitChangeOrderRequest,
};
use proto::payment::v1::{MakeChargesRequest, SandboxCharge};

use super::plan::{Plan, PlannedChange, PlannedOrder, Scope};
use crate::clients::Clients;
use crate::patience::Patience;

/// External references of replayed orders carry this system.
pub const SYSTEM: &str = "uci-online-retail";
const WAREHOUSE: &str = "main";
const ADJUSTMENTS_PER_CALL: usize = 200;
const CHARGES_PER_CALL: usize = 500;
/// Of every amount in the file.
const CURRENCY: &str = "GBP";
/// Polls of a change order that is not final yet, once a second, before the replay gives up on it.
const POLLS_MAX: u32 = 300;

pub struct Replay<'a> {
    pub clients: &'a Clients,
    pub plan: &'a Plan,
    pub concurrency: usize,
    pub patience: Patience,
}

impl Replay<'_> {
    pub async fn run(&self, progress: &ProgressBar) -> Result<()> {
        progress.set_message("receiving stock");
        self.receive_stock().await?;
        progress.set_message("payments made elsewhere");
        self.charge_cards().await?;
        progress.set_message("orders and cancellations");
        stream::iter(&self.plan.orders)
            .map(Ok)
            .try_for_each_concurrent(self.concurrency, |order| self.replay_order(order, progress))
            .await
    }

    async fn receive_stock(&self) -> Result<()> {
        let warehouse = Warehouse {
            warehouse_id: WAREHOUSE.to_owned(),
            kind: WarehouseKind::Own.into(),
            priority: 1,
            active: true,
            ..Warehouse::default()
        };
        let request = UpsertWarehouseRequest {
            request_id: self.request_id("warehouse", ""),
            warehouse: Some(warehouse),
        };
        let call = async || self.clients.stock().upsert_warehouse(request.clone()).await;
        self.patience.call(call).await.context("creating the warehouse")?;

        let adjustments: Vec<StockAdjustment> = self.plan.stock().into_iter().map(adjustment).collect();
        for (index, chunk) in adjustments.chunks(ADJUSTMENTS_PER_CALL).enumerate() {
            let request = AdjustStockRequest {
                request_id: self.request_id("stock", &index.to_string()),
                adjustments: chunk.to_vec(),
            };
            let call = async || self.clients.stock().adjust_stock(request.clone()).await;
            self.patience.call(call).await.context("receiving stock")?;
        }
        Ok(())
    }

    /// The file's customers have paid somewhere else; here that is the sandbox.
    async fn charge_cards(&self) -> Result<()> {
        let paid = self.plan.orders.iter().filter(|order| order.total_minor() > 0);
        let charges: Vec<SandboxCharge> = paid
            .map(|order| SandboxCharge {
                reference: charge(order),
                currency_code: CURRENCY.to_owned(),
                authorised_minor: order.total_minor(),
                captured_minor: order.total_minor(),
                ..SandboxCharge::default()
            })
            .collect();
        for chunk in charges.chunks(CHARGES_PER_CALL) {
            let request = MakeChargesRequest { charges: chunk.to_vec() };
            let call = async || self.clients.sandbox().make_charges(request.clone()).await;
            self.patience.call(call).await.context("charging cards at the sandbox")?;
        }
        Ok(())
    }

    async fn replay_order(&self, order: &PlannedOrder, progress: &ProgressBar) -> Result<()> {
        let order_id =
            self.place(order).await.with_context(|| format!("placing invoice {}", order.invoice))?;
        progress.inc(1);
        for (index, change) in order.changes.iter().enumerate() {
            self.submit(&order_id, order, index, change)
                .await
                .with_context(|| format!("cancelling by invoice {} on {}", change.invoice, order.invoice))?;
            progress.inc(1);
        }
        Ok(())
    }

    async fn place(&self, order: &PlannedOrder) -> Result<String> {
        let request = self.create_request(order);
        let call = async || self.clients.orders().create_order(request.clone()).await;
        let placed = self.patience.call(call).await?.order.context("the answer holds no order")?;
        let mut state = placed.state();
        for _ in 0..POLLS_MAX {
            match state {
                OrderState::Placing => tokio::time::sleep(Duration::from_millis(200)).await,
                OrderState::PlacementFailed => {
                    bail!("the order could not be placed: {:?}", placed.placement_cause)
                }
                _ => return Ok(placed.order_id),
            }
            let request = GetOrderRequest { order_id: placed.order_id.clone(), ..GetOrderRequest::default() };
            let call = async || self.clients.orders().get_order(request.clone()).await;
            state = self.patience.call(call).await?.order.context("the answer holds no order")?.state();
        }
        bail!("order {} is still being placed", placed.order_id)
    }

    fn create_request(&self, order: &PlannedOrder) -> CreateOrderRequest {
        let total = order.total_minor();
        let paid = ExternalPaymentInput {
            gateway: "sandbox".to_owned(),
            reference: charge(order),
            authorised_minor: total,
            captured_minor: total,
            attested: false,
        };
        let lines = order.lines.iter().map(|line| LineInput {
            sku: line.sku.clone(),
            description: line.description.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price.clone(),
            ..LineInput::default()
        });
        CreateOrderRequest {
            request_id: self.request_id("order", &order.invoice),
            number: format!("UCI-{}", order.invoice),
            currency_code: CURRENCY.to_owned(),
            lines: lines.collect(),
            // A total of 0 needs no payment.
            external_payments: if total == 0 { Vec::new() } else { vec![paid] },
            customer_id: order.customer.clone(),
            external_references: vec![ExternalReference {
                system: SYSTEM.to_owned(),
                reference: order.invoice.clone(),
            }],
            wait: Wait::Completed.into(),
            placed_at: instant(&order.invoiced_at),
            ..CreateOrderRequest::default()
        }
    }

    async fn submit(
        &self,
        order_id: &str,
        order: &PlannedOrder,
        index: usize,
        change: &PlannedChange,
    ) -> Result<()> {
        let (kind, lines) = match &change.scope {
            Scope::WholeOrder => (ChangeOrderType::CancelOrder, Vec::new()),
            Scope::Items(items) => (ChangeOrderType::CancelItems, items.iter().map(selected).collect()),
        };
        let request = SubmitChangeOrderRequest {
            request_id: self.request_id("change", &format!("{}:{index}", order.invoice)),
            change: Some(ChangeInput {
                order_id: order_id.to_owned(),
                r#type: kind.into(),
                lines,
                reason_code: "CUSTOMER_REQUEST".to_owned(),
                note: format!("invoice {}", change.invoice),
                ..ChangeInput::default()
            }),
            wait: Wait::Completed.into(),
            ..SubmitChangeOrderRequest::default()
        };
        let call = async || self.clients.changes().submit_change_order(request.clone()).await;
        let submitted =
            self.patience.call(call).await?.change_order.context("the answer holds no change order")?;
        self.completed(submitted).await
    }

    async fn completed(&self, mut change: ChangeOrder) -> Result<()> {
        for _ in 0..POLLS_MAX {
            match change.state() {
                ChangeOrderState::Completed | ChangeOrderState::CompletedWithExceptions => return Ok(()),
                ChangeOrderState::Rejected => bail!("{} was rejected: {:?}", change.number, change.cause),
                _ => tokio::time::sleep(Duration::from_secs(1)).await,
            }
            let request = GetChangeOrderRequest { change_order_id: change.change_order_id.clone() };
            let call = async || self.clients.changes().get_change_order(request.clone()).await;
            change =
                self.patience.call(call).await?.change_order.context("the answer holds no change order")?;
        }
        bail!("{} is still {:?}", change.number, change.state())
    }

    fn request_id(&self, what: &str, which: &str) -> String {
        format!("replay:{}:{what}:{which}", self.plan.fingerprint)
    }
}

/// What the gateway calls the payment of an order.
fn charge(order: &PlannedOrder) -> String {
    format!("uci-{}", order.invoice)
}

fn adjustment((sku, units): (&str, i64)) -> StockAdjustment {
    StockAdjustment { warehouse_id: WAREHOUSE.to_owned(), sku: sku.to_owned(), delta: units }
}

fn selected(&(line_number, quantity): &(i64, i64)) -> ChangeLineInput {
    ChangeLineInput { line_number, quantity, ..ChangeLineInput::default() }
}

/// "2010-12-01 08:26:00" is read as UTC; anything else is left out, because the field only informs.
fn instant(invoiced_at: &str) -> String {
    match invoiced_at.split_once(' ') {
        Some((date, time)) if date.len() == 10 && time.len() == 8 => format!("{date}T{time}Z"),
        Some(_) | None => String::new(),
    }
}
