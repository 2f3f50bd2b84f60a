//! What a batch would do: each item held against its order as it is now. Nothing happens to any order.

use std::collections::BTreeMap;

use kit::Failure;
use types::{OrderId, Refusal, Timestamp};

use super::Orders;
use crate::domain::batches::{Batch, Estimate, Item, ItemState};
use crate::domain::lifecycle::preview;
use crate::domain::order::Order;
use crate::domain::policy::Shelf;
use crate::domain::pricing::PricedChange;

/// Units of an article that an item would take back.
type Units = (i64, String, i64);

impl Orders {
    /// Foresees each of these items. They keep waiting: the orders may change before the batch is started.
    pub(super) async fn foresee(
        &self,
        batch: &Batch,
        items: Vec<Item>,
        orders: &BTreeMap<OrderId, Order>,
    ) -> Result<(Vec<Item>, Vec<Units>), Failure> {
        let policies = self.shelf(&batch.tenant).await?;
        let now = self.now();
        let mut foreseen = Vec::with_capacity(items.len());
        let mut units = Vec::new();
        for item in items {
            let order = item.order_id.as_ref().and_then(|id| orders.get(id));
            let fixed = batch.fixed(item.clone(), order);
            let (estimate, cause) = match (fixed.state, order) {
                (ItemState::Submitting, Some(order)) => match priced(batch, &fixed, order, &policies, now) {
                    Ok(priced) => {
                        units.extend(units_of(&item, &priced));
                        let lines = priced.lines.iter().map(|line| line.quantity).sum();
                        foreseen.push(Item {
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
            foreseen.push(Item { estimate: Some(estimate), cause, ..item });
        }
        Ok((foreseen, units))
    }
}

/// The price of an item's change as it would be accepted now, or what would refuse it.
fn priced(
    batch: &Batch,
    item: &Item,
    order: &Order,
    policies: &Shelf,
    now: Timestamp,
) -> Result<PricedChange, Refusal> {
    let request = batch.request(item, &order.order_id)?;
    let previewed =
        preview(order, &request, policies.of(order), &policies.catalogue, &batch.created_by, now)?;
    match previewed.blockers.into_iter().next() {
        Some(refusal) => Err(refusal),
        None => Ok(previewed.priced),
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
