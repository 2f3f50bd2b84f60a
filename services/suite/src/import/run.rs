//! Brings one order in: each step is one RPC that may be repeated, and is left out when it is done already.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    AdjustStockRequest, CreateFulfillmentRequest, DeliverFulfillmentRequest, FulfillmentLineSelection,
    ShipFulfillmentRequest, StockAdjustment, SubmitFulfillmentRequest,
};
use proto::order::v1::{
    ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderState, ChangeOrderType, GetChangeOrderRequest,
    GetOrderRequest, ListOrdersRequest, Order, OrderState, Settlement, SubmitChangeOrderRequest,
};
use proto::payment::v1::{ListPaymentsRequest, RecordRefundRequest};
use tonic::{Code, Status};

use super::record::{Checked, Units};
use super::standing::{is_as_wanted, is_beyond, is_delivered, quantities};
use crate::clients::Clients;
use crate::failure;
use crate::patience::Patience;

/// A change takes at most this many lines, and a stock adjustment this many rows.
const LINES_PER_CHANGE: usize = 100;
const ROWS_PER_CALL: usize = 200;

/// How often something that moves is looked at, and how long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOKS_MAX: u32 = 600;

pub enum Outcome {
    BroughtIn,
    AlreadyThere,
    /// What was wrong and what to do; other records go on.
    Refused(String),
}

pub struct Importer<'a> {
    pub clients: &'a Clients,
    pub warehouse: &'a str,
    pub with_stock: bool,
    pub settle: bool,
    pub patience: Patience,
}

impl Importer<'_> {
    /// What would come of the record; nothing is written.
    pub async fn look(&self, wanted: &Checked) -> Result<Outcome> {
        if let Some(order) = self.find(wanted).await? {
            return Ok(if is_as_wanted(&order, wanted) {
                Outcome::AlreadyThere
            } else {
                judge(&order, wanted)
            });
        }
        let number = &wanted.request.number;
        let request = GetOrderRequest { number: number.clone(), ..GetOrderRequest::default() };
        match self.patience.call(async || self.clients.orders().get_order(request.clone()).await).await {
            Ok(_) => Ok(Outcome::Refused(format!(
                "another order has the number {number}; give this one another number"
            ))),
            Err(status) if status.code() == Code::NotFound => Ok(Outcome::BroughtIn),
            Err(status) => Err(status.into()),
        }
    }

    pub async fn bring_in(&self, wanted: &Checked) -> Result<Outcome> {
        match self.steps(wanted).await {
            Ok(outcome) => Ok(outcome),
            // A refusal is about this record; silence and defects are about all of them.
            Err(error) => match error.chain().find_map(|cause| cause.downcast_ref::<Status>()) {
                Some(status) if is_refusal(status) => {
                    Ok(Outcome::Refused(format!("{error}: {}", failure::sentence(status))))
                }
                Some(_) => Err(error),
                None => Ok(Outcome::Refused(format!("{error:#}"))),
            },
        }
    }

    async fn steps(&self, wanted: &Checked) -> Result<Outcome> {
        let found = self.find(wanted).await?;
        let was_there = found.is_some();
        let order = match found {
            Some(order) => order,
            None => self.place(wanted).await.context("it was not placed")?,
        };
        if order.state() == OrderState::PlacementFailed || is_beyond(&order, wanted) {
            return Ok(judge(&order, wanted));
        }
        let was_complete = was_there && is_as_wanted(&order, wanted);
        self.record_refunds(&order, wanted).await.context("its refunds were not written down")?;
        if !was_complete {
            self.ship(&order, wanted).await.context("its units were not shipped")?;
            self.cancel(&order, wanted).await.context("its units were not cancelled")?;
        }
        let gone: Units = wanted.cancelled();
        self.adjust(wanted, "out", &gone, -1)
            .await
            .context("its cancelled units were not taken out of stock")?;
        Ok(if was_complete { Outcome::AlreadyThere } else { Outcome::BroughtIn })
    }

    /// By its external reference.
    async fn find(&self, wanted: &Checked) -> Result<Option<Order>> {
        let request = ListOrdersRequest {
            page_size: 1,
            external_reference: Some(wanted.reference().clone()),
            ..ListOrdersRequest::default()
        };
        let page =
            self.patience.call(async || self.clients.orders().list_orders(request.clone()).await).await?;
        match page.orders.into_iter().next() {
            None => Ok(None),
            Some(summary) => self.settled(&summary.order_id).await.map(Some),
        }
    }

    async fn order(&self, order_id: &str) -> Result<Order> {
        let request = GetOrderRequest { order_id: order_id.to_owned(), ..GetOrderRequest::default() };
        let answer =
            self.patience.call(async || self.clients.orders().get_order(request.clone()).await).await?;
        answer.order.context("the answer holds no order")
    }

    /// The order when it is no longer being placed.
    async fn settled(&self, order_id: &str) -> Result<Order> {
        for _ in 0..LOOKS_MAX {
            let order = self.order(order_id).await?;
            if order.state() != OrderState::Placing {
                return Ok(order);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        bail!("order {order_id} is still being placed; run the import again later")
    }

    async fn place(&self, wanted: &Checked) -> Result<Order> {
        let passing = (1_i64..).zip(&wanted.units).map(|(number, &(ordered, shipped, cancelled))| {
            (number, if self.with_stock { ordered } else { shipped + cancelled })
        });
        let passing: Units = passing.filter(|(_, units)| *units > 0).collect();
        self.adjust(wanted, "in", &passing, 1).await.context("receiving its goods")?;
        let mut request = wanted.request.clone();
        request.request_id = request_id(wanted, "place");
        for line in &mut request.lines {
            self.warehouse.clone_into(&mut line.warehouse_id);
        }
        let placed =
            self.patience.call(async || self.clients.orders().create_order(request.clone()).await).await?;
        self.settled(&placed.order.context("the answer holds no order")?.order_id).await
    }

    async fn record_refunds(&self, order: &Order, wanted: &Checked) -> Result<()> {
        if wanted.refunded.iter().all(|refunded| *refunded == 0) {
            return Ok(());
        }
        let request = ListPaymentsRequest { order_id: order.order_id.clone() };
        let call = async || self.clients.payments().list_payments(request.clone()).await;
        let payments = self.patience.call(call).await?.payments;
        for (index, (said, &amount_minor)) in
            wanted.request.external_payments.iter().zip(&wanted.refunded).enumerate()
        {
            if amount_minor == 0 {
                continue;
            }
            let is_it = |payment: &&proto::payment::v1::Payment| {
                payment.gateway == said.gateway && payment.gateway_reference == said.reference
            };
            let payment = payments.iter().find(is_it).context("a payment of the order is not there")?;
            let request = RecordRefundRequest {
                request_id: request_id(wanted, &format!("refund:{index}")),
                payment_id: payment.payment_id.clone(),
                amount_minor,
                gateway_reference: format!("{}:before", said.reference),
            };
            self.patience.call(async || self.clients.refunds().record_refund(request.clone()).await).await?;
        }
        Ok(())
    }

    async fn ship(&self, order: &Order, wanted: &Checked) -> Result<()> {
        let shipped = wanted.shipped();
        if shipped.is_empty() {
            return Ok(());
        }
        let request = CreateFulfillmentRequest {
            request_id: request_id(wanted, "pack"),
            order_id: order.order_id.clone(),
            warehouse_id: self.warehouse.to_owned(),
            lines: selection(order, &shipped),
            move_reservation: false,
        };
        let call = async || self.clients.fulfillments().create_fulfillment(request.clone()).await;
        let packed =
            self.patience.call(call).await?.fulfillment.context("the answer holds no fulfillment")?;
        let fulfillment_id = packed.fulfillment_id;
        let request = SubmitFulfillmentRequest {
            request_id: request_id(wanted, "submit"),
            fulfillment_id: fulfillment_id.clone(),
            ..SubmitFulfillmentRequest::default()
        };
        self.patience
            .call(async || self.clients.fulfillments().submit_fulfillment(request.clone()).await)
            .await?;
        let request = ShipFulfillmentRequest {
            request_id: request_id(wanted, "ship"),
            fulfillment_id: fulfillment_id.clone(),
            lines: Vec::new(),
            tracking_number: String::new(),
        };
        self.patience
            .call(async || self.clients.fulfillments().ship_fulfillment(request.clone()).await)
            .await?;
        if !wanted.delivered.is_empty() {
            let request = DeliverFulfillmentRequest {
                request_id: request_id(wanted, "deliver"),
                fulfillment_id,
                lines: selection(order, &wanted.delivered),
            };
            let call = async || self.clients.fulfillments().deliver_fulfillment(request.clone()).await;
            self.patience.call(call).await?;
        }
        self.heard_of(order, wanted).await
    }

    /// The order service hears of shipments by events: a cancellation that comes before could take the wrong units.
    async fn heard_of(&self, order: &Order, wanted: &Checked) -> Result<()> {
        let shipped = wanted.shipped();
        for _ in 0..LOOKS_MAX {
            let now = self.order(&order.order_id).await?;
            let has_left = shipped.iter().all(|&(number, units)| quantities(&now, number).fulfilled >= units);
            if has_left && is_delivered(&now, wanted) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        bail!("the order service has not heard of it; run the import again later")
    }

    async fn cancel(&self, order: &Order, wanted: &Checked) -> Result<()> {
        let cancelled = wanted.cancelled();
        let is_whole = wanted.units.iter().all(|(ordered, _, cancelled)| ordered == cancelled);
        let chunks: Vec<&[(i64, i64)]> =
            if is_whole { vec![&cancelled[..]] } else { cancelled.chunks(LINES_PER_CHANGE).collect() };
        for (index, chunk) in chunks.into_iter().enumerate().filter(|(_, chunk)| !chunk.is_empty()) {
            let line = |&(line_number, quantity)| ChangeLineInput {
                line_number,
                quantity,
                ..ChangeLineInput::default()
            };
            let settlement = if self.settle { Settlement::Auto } else { Settlement::None };
            let kind = if is_whole { ChangeOrderType::CancelOrder } else { ChangeOrderType::CancelItems };
            let request = SubmitChangeOrderRequest {
                request_id: request_id(wanted, &format!("cancel:{index}")),
                change: Some(ChangeInput {
                    order_id: order.order_id.clone(),
                    r#type: kind.into(),
                    lines: if is_whole { Vec::new() } else { chunk.iter().map(line).collect() },
                    settlement: settlement.into(),
                    reason_code: wanted.reason.clone(),
                    note: wanted.note.clone(),
                    // It has happened: whoever had to be asked was asked there.
                    supplier_contacted: true,
                    confirm: true,
                    ..ChangeInput::default()
                }),
                wait: Wait::Completed.into(),
                ..SubmitChangeOrderRequest::default()
            };
            let call = async || self.clients.changes().submit_change_order(request.clone()).await;
            let submitted = self.patience.call(call).await?.change_order;
            self.completed(submitted.context("the answer holds no change order")?).await?;
        }
        Ok(())
    }

    async fn completed(&self, mut change: ChangeOrder) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            match (change.state(), &change.cause) {
                (ChangeOrderState::Completed | ChangeOrderState::CompletedWithExceptions, _) => return Ok(()),
                (ChangeOrderState::Rejected, Some(cause)) => bail!("{} ({})", cause.message, cause.reason),
                _ => tokio::time::sleep(LOOK_AGAIN).await,
            }
            let request = GetChangeOrderRequest { change_order_id: change.change_order_id.clone() };
            let call = async || self.clients.changes().get_change_order(request.clone()).await;
            change =
                self.patience.call(call).await?.change_order.context("the answer holds no change order")?;
        }
        bail!("change {} is not through; run the import again later", change.number)
    }

    /// Puts units into the warehouse, or takes them out, once.
    async fn adjust(&self, wanted: &Checked, step: &str, units: &Units, sign: i64) -> Result<()> {
        let sku = |number: i64| {
            let index = usize::try_from(number - 1).expect("lines are numbered from 1");
            wanted.request.lines[index].sku.clone()
        };
        let adjustments: Vec<StockAdjustment> = units
            .iter()
            .map(|&(number, units)| StockAdjustment {
                warehouse_id: self.warehouse.to_owned(),
                sku: sku(number),
                delta: units * sign,
            })
            .collect();
        for (index, chunk) in adjustments.chunks(ROWS_PER_CALL).enumerate() {
            let request = AdjustStockRequest {
                request_id: request_id(wanted, &format!("{step}:{index}")),
                adjustments: chunk.to_vec(),
            };
            self.patience.call(async || self.clients.stock().adjust_stock(request.clone()).await).await?;
        }
        Ok(())
    }
}

/// Why an order that is there stays as it is.
fn judge(order: &Order, wanted: &Checked) -> Outcome {
    if let (OrderState::PlacementFailed, Some(cause)) = (order.state(), &order.placement_cause) {
        let what = "receive its goods (or say --with-stock) and give it another reference";
        return Outcome::Refused(format!("it was not placed: {} ({}); {what}", cause.message, cause.reason));
    }
    if is_beyond(order, wanted) {
        return Outcome::Refused(format!(
            "more of order {} was shipped or cancelled here since; it stays as it is",
            order.number
        ));
    }
    Outcome::BroughtIn
}

/// The same for the same step of the same order, so that a step is done once.
fn request_id(wanted: &Checked, step: &str) -> String {
    format!("import:{}:{step}", wanted.fingerprint())
}

/// The service has understood and says no; the same record would be refused again.
fn is_refusal(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::NotFound
            | Code::OutOfRange
    )
}

fn selection(order: &Order, units: &Units) -> Vec<FulfillmentLineSelection> {
    let select = |&(number, quantity): &(i64, i64)| {
        let line = order.lines.iter().find(|line| line.line_number == number)?;
        Some(FulfillmentLineSelection { line_id: line.line_id.clone(), quantity })
    };
    units.iter().filter_map(select).collect()
}
