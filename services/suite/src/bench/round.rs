//! One round: orders placed beforehand, then cancelled by so many clients at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    AdjustStockRequest, StockAdjustment, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};
use proto::notification::v1::ListNotificationsRequest;
use proto::order::v1::{
    ChangeInput, ChangeOrderState, ChangeOrderType, CreateOrderRequest, LineInput, OrderState,
    SubmitChangeOrderRequest, TenderInput,
};
use proto::payment::v1::{ListRefundsRequest, RefundState};
use types::{Clock, EventId, Ids};

use crate::clients::Clients;
use crate::patience::Patience;

const WAREHOUSE: &str = "main";
/// Ten thousand articles, so that stock rows are not what is measured.
const ARTICLES: usize = 10_000;
const LINES: usize = 3;
const UNITS: i64 = 2;
const PRICE: &str = "9.99";
const TOTAL_MINOR: i64 = 3 * 2 * 999;
const ADJUSTMENTS_PER_CALL: usize = 200;
const UNITS_RECEIVED: i64 = 1_000_000;
const PLACING_AT_ONCE: usize = 64;
const PATIENCE: Patience = Patience { total: Duration::from_secs(30) };
const NOTIFICATION_POLL: Duration = Duration::from_millis(5);
const NOTIFICATION_POLLS_MAX: usize = 4_000;

pub struct Shop<'a> {
    clients: &'a Clients,
    ids: Ids,
}

impl<'a> Shop<'a> {
    /// Receives the stock.
    pub async fn open(clients: &'a Clients) -> Result<Self> {
        let shop = Self { clients, ids: Ids::random(Clock::System) };
        let warehouse = Warehouse {
            warehouse_id: WAREHOUSE.to_owned(),
            kind: WarehouseKind::Own.into(),
            priority: 1,
            active: true,
            ..Warehouse::default()
        };
        let request = UpsertWarehouseRequest { request_id: shop.request_id(), warehouse: Some(warehouse) };
        clients.stock().upsert_warehouse(request).await?;
        let articles: Vec<usize> = (0..ARTICLES).collect();
        for chunk in articles.chunks(ADJUSTMENTS_PER_CALL) {
            let adjustment = |&article: &usize| StockAdjustment {
                warehouse_id: WAREHOUSE.to_owned(),
                sku: sku(article),
                delta: UNITS_RECEIVED,
            };
            let adjustments = chunk.iter().map(adjustment).collect();
            let request = AdjustStockRequest { request_id: shop.request_id(), adjustments };
            clients.stock().adjust_stock(request).await?;
        }
        Ok(shop)
    }

    fn request_id(&self) -> String {
        self.ids.mint::<EventId>().to_string()
    }

    async fn place(&self, index: usize) -> Result<String> {
        let line = |line: usize| LineInput {
            sku: sku((index * LINES + line) % ARTICLES),
            quantity: UNITS,
            unit_price: PRICE.to_owned(),
            ..LineInput::default()
        };
        let tender = TenderInput {
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            amount_minor: TOTAL_MINOR,
            capture_now: true,
        };
        let request = CreateOrderRequest {
            request_id: self.request_id(),
            currency_code: "GBP".to_owned(),
            lines: (0..LINES).map(line).collect(),
            tenders: vec![tender],
            wait: Wait::Completed.into(),
            ..CreateOrderRequest::default()
        };
        let call = async || self.clients.orders().create_order(request.clone()).await;
        let order = PATIENCE.call(call).await?.order.context("the answer holds no order")?;
        ensure!(
            order.state() == OrderState::Confirmed,
            "{} is {:?} after placing",
            order.number,
            order.state()
        );
        Ok(order.order_id)
    }

    /// One complete cancellation, as its client sees it.
    async fn cancel(&self, order_id: &str) -> Result<(Duration, String)> {
        let request = SubmitChangeOrderRequest {
            request_id: self.request_id(),
            change: Some(ChangeInput {
                order_id: order_id.to_owned(),
                r#type: ChangeOrderType::CancelOrder.into(),
                reason_code: "CUSTOMER_REQUEST".to_owned(),
                ..ChangeInput::default()
            }),
            wait: Wait::Completed.into(),
            ..SubmitChangeOrderRequest::default()
        };
        let started = Instant::now();
        let mut change = None;
        // The same request again when the wait ended before the work did.
        while change.as_ref().is_none_or(|state| *state != ChangeOrderState::Completed) {
            let call = async || self.clients.changes().submit_change_order(request.clone()).await;
            let answer =
                PATIENCE.call(call).await?.change_order.context("the answer holds no change order")?;
            ensure!(answer.state() != ChangeOrderState::Rejected, "rejected: {:?}", answer.cause);
            ensure!(started.elapsed() < PATIENCE.total, "{} is still {:?}", answer.number, answer.state());
            change = Some(answer.state());
        }
        Ok((started.elapsed(), order_id.to_owned()))
    }

    /// Waits until the cancellation's confirmation stands in the notification service.
    async fn told(&self, order_id: &str) -> Result<()> {
        for _ in 0..NOTIFICATION_POLLS_MAX {
            let request = ListNotificationsRequest {
                page_size: 1,
                order_id: order_id.to_owned(),
                template: "cancellation.confirmed".to_owned(),
                ..ListNotificationsRequest::default()
            };
            let page = self.clients.notifications().list_notifications(request).await?.into_inner();
            if !page.notifications.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(NOTIFICATION_POLL).await;
        }
        anyhow::bail!("nobody was told that {order_id} was cancelled")
    }

    async fn refunded(&self, order_id: &str) -> Result<()> {
        let request = ListRefundsRequest { order_id: order_id.to_owned(), ..ListRefundsRequest::default() };
        let refunds = self.clients.refunds().list_refunds(request).await?.into_inner().refunds;
        let amount: i64 = refunds
            .iter()
            .filter(|refund| refund.state() == RefundState::Succeeded)
            .map(|refund| refund.amount_minor)
            .sum();
        ensure!(amount == TOTAL_MINOR, "{order_id} was refunded {amount} of {TOTAL_MINOR}");
        Ok(())
    }
}

pub struct Round<'a> {
    shop: &'a Shop<'a>,
    orders: Vec<String>,
    concurrency: usize,
}

impl<'a> Round<'a> {
    pub async fn prepare(shop: &'a Shop<'a>, orders: usize, concurrency: usize) -> Result<Self> {
        let orders = stream::iter(0..orders)
            .map(|index| shop.place(index))
            .buffer_unordered(PLACING_AT_ONCE)
            .try_collect()
            .await
            .context("placing the round's orders")?;
        Ok(Self { shop, orders, concurrency })
    }

    /// Cancels every order; the clock stops when the last one was told to the notification service.
    pub async fn cancel_all(&self) -> Result<(Duration, Vec<Duration>)> {
        let started = Instant::now();
        let cancelled: Vec<(Duration, String)> = stream::iter(&self.orders)
            .map(|order| self.shop.cancel(order))
            .buffer_unordered(self.concurrency)
            .try_collect()
            .await?;
        // Events of different orders may overtake each other, so the last few are asked for.
        for (_, order) in cancelled.iter().rev().take(self.concurrency) {
            self.shop.told(order).await?;
        }
        Ok((started.elapsed(), cancelled.into_iter().map(|(latency, _)| latency).collect()))
    }

    /// Every refund stands where it must.
    pub async fn check_refunds(&self) -> Result<()> {
        stream::iter(&self.orders)
            .map(Ok)
            .try_for_each_concurrent(PLACING_AT_ONCE, |order| self.shop.refunded(order))
            .await
    }
}

fn sku(article: usize) -> String {
    format!("BENCH-{article:05}")
}
