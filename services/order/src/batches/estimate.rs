//! What a batch would do: each item held against its order as it is now. Nothing happens to any order.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use kit::Failure;
use proto::payment::v1::{ForecastRefundRequest, ForecastRefundResponse, RefundKind};
use types::{OrderId, Refusal, Timestamp};

use super::ask::Batches;
use super::worker;
use crate::batches::domain::means::{Expected, What, labels_voided, stock_back};
use crate::batches::domain::{Batch, Estimate, Item, ItemState};
use crate::domain::change::{LabelAction, MoneyTerms, Settlement};
use crate::domain::lifecycle::preview;
use crate::domain::order::Order;
use crate::domain::policy::Shelf;
use crate::domain::pricing::PricedChange;
use crate::ops::plans;

/// Units of an article that an item would take back.
type Units = (i64, String, i64);

/// How many orders' tenders are asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// What a round of estimating found.
#[derive(Default)]
pub(super) struct Foreseen {
    pub items: Vec<Item>,
    pub units: Vec<Units>,
    pub expected: Vec<Expected>,
}

/// A question to the payment service: how an item's refund would be given back.
struct Question {
    item_number: i64,
    request: ForecastRefundRequest,
}

impl Batches {
    /// Foresees each of these items. They keep waiting: the orders may change before the batch is started.
    pub(super) async fn foresee(
        &self,
        batch: &Batch,
        items: Vec<Item>,
        orders: &BTreeMap<OrderId, Order>,
    ) -> Result<Foreseen, Failure> {
        let policies = self.orders.shelf(&batch.tenant).await?;
        let now = self.orders.now();
        let mut foreseen = Foreseen::default();
        let mut questions = Vec::new();
        for item in items {
            let order = item.order_id.as_ref().and_then(|id| orders.get(id));
            let fixed = batch.fixed(item.clone(), order);
            let (estimate, cause) = match (fixed.state, order) {
                (ItemState::Submitting, Some(order)) => match priced(batch, &fixed, order, &policies, now) {
                    Ok((priced, money)) => {
                        foreseen.units.extend(units_of(&item, &priced));
                        foreseen.expected.extend(stock_back(item.item_number, order, &priced));
                        if fixed.label_action == LabelAction::Void {
                            foreseen.expected.extend(labels_voided(item.item_number, order));
                        }
                        let kept = priced.total_after_minor + order.fees_minor + priced.amounts.fee;
                        questions.extend(money.map(|money| Question {
                            item_number: item.item_number,
                            request: plans::forecast(&order.order_id, kept, &money, &[]),
                        }));
                        let lines = priced.lines.iter().map(|line| line.quantity).sum();
                        foreseen.items.push(Item {
                            estimate: Some(Estimate::Cancelled),
                            currency: order.currency.to_string(),
                            amount_minor: priced.amounts.amount,
                            units: lines,
                            ..item
                        });
                        continue;
                    }
                    Err(refusal) => ended(item.clone().refused(refusal)),
                },
                _ => ended(fixed),
            };
            foreseen.items.push(Item { estimate: Some(estimate), cause, ..item });
        }
        foreseen.expected.extend(self.tenders(batch, questions).await);
        Ok(foreseen)
    }

    /// How the refunds would be given back; what the payment service does not say is said to be unknown.
    async fn tenders(&self, batch: &Batch, questions: Vec<Question>) -> Vec<Expected> {
        let caller = worker::caller(batch, self.orders.shelves().roles());
        let ask = |question: Question| {
            let caller = &caller;
            async move {
                let answer = self.orders.forecast_refund(caller, question.request).await;
                answer.map_or_else(
                    |_| vec![unknown(question.item_number)],
                    |forecast| legs(question.item_number, &forecast),
                )
            }
        };
        let answers: Vec<Vec<Expected>> =
            stream::iter(questions).map(ask).buffer_unordered(ASKED_AT_ONCE).collect().await;
        answers.into_iter().flatten().collect()
    }
}

/// The price of an item's change as it would be accepted now and, if money would move by it, how; or what would refuse
/// it.
fn priced(
    batch: &Batch,
    item: &Item,
    order: &Order,
    policies: &Shelf,
    now: Timestamp,
) -> Result<(PricedChange, Option<MoneyTerms>), Refusal> {
    let request = batch.request(item, &order.order_id)?;
    let previewed =
        preview(order, &request, policies.of(order), &policies.catalogue, &batch.created_by, now)?;
    if let Some(refusal) = previewed.blockers.into_iter().next() {
        return Err(refusal);
    }
    let moves_money = previewed.standing.settlement(&request) != Settlement::None;
    let money = moves_money.then(|| previewed.standing.money_terms(&request));
    Ok((previewed.priced, money))
}

/// What goes back on each kind of tender of one order.
fn legs(item_number: i64, forecast: &ForecastRefundResponse) -> Vec<Expected> {
    let mut by_gateway: BTreeMap<(What, &str), i64> = BTreeMap::new();
    for leg in &forecast.legs {
        let what = match leg.kind() {
            RefundKind::Void => What::Void,
            // A kind of a newer payment service gives money back in some way, too.
            RefundKind::Refund | RefundKind::Unspecified => What::Refund,
        };
        *by_gateway.entry((what, &leg.gateway)).or_default() += leg.amount_minor;
    }
    let expected = by_gateway.into_iter().map(|((what, gateway), amount_minor)| Expected {
        name: gateway.to_owned(),
        currency: forecast.currency_code.clone(),
        amount_minor,
        what,
        ..unknown(item_number)
    });
    expected.collect()
}

fn unknown(item_number: i64) -> Expected {
    Expected {
        item_number,
        what: What::TendersUnknown,
        name: String::new(),
        sku: String::new(),
        currency: String::new(),
        amount_minor: 0,
        units: 0,
    }
}

fn units_of(item: &Item, priced: &PricedChange) -> Vec<Units> {
    let mut by_sku: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &priced.lines {
        *by_sku.entry(&line.sku).or_default() += line.quantity;
    }
    by_sku.into_iter().map(|(sku, units)| (item.item_number, sku.to_owned(), units)).collect()
}

fn ended(item: Item) -> (Estimate, Option<Refusal>) {
    let estimate = match item.state {
        ItemState::AlreadyCancelled => Estimate::AlreadyCancelled,
        ItemState::Waiting
        | ItemState::Submitting
        | ItemState::Executing
        | ItemState::Cancelled
        | ItemState::Refused => Estimate::Refused,
    };
    (estimate, item.cause)
}
