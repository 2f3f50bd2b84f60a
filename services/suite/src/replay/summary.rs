//! What the services hold of a file after a replay, read back through the public lists.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use proto::order::v1::{
    ChangeOrderState, ListChangeOrdersRequest, ListOrdersRequest, OrderState, OrderSummary,
};
use serde::Serialize;

use super::plan::{Matching, Plan};
use super::run::SYSTEM;
use crate::clients::Clients;
use crate::patience::Patience;
use crate::render;

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Serialize)]
pub struct Summary {
    pub rows_skipped: u64,
    pub orders: u64,
    pub lines: i64,
    pub placed_minor: i64,
    pub matching: Matching,
    pub change_orders: u64,
    pub change_orders_unfinished: u64,
    pub orders_changed: u64,
    pub orders_wholly_cancelled: u64,
    pub units_cancelled: i64,
    pub refunded_minor: i64,
    pub currency: &'static str,
}

/// Reads every order of the file and every change order of those orders.
pub async fn read_back(clients: &Clients, plan: &Plan, patience: Patience) -> Result<Summary> {
    let invoices: HashSet<&str> = plan.orders.iter().map(|order| order.invoice.as_str()).collect();
    let orders = orders(clients, &invoices, patience).await?;
    let mut summary = Summary {
        rows_skipped: plan.skipped_rows,
        orders: 0,
        lines: 0,
        placed_minor: 0,
        matching: plan.matching.clone(),
        change_orders: 0,
        change_orders_unfinished: 0,
        orders_changed: 0,
        orders_wholly_cancelled: 0,
        units_cancelled: 0,
        refunded_minor: 0,
        currency: "GBP",
    };
    for order in orders.values() {
        summary.orders += 1;
        summary.lines += order.line_count;
        summary.placed_minor += order.totals.map_or(0, |totals| totals.placed_minor);
        summary.units_cancelled += order.units_cancelled;
        summary.orders_wholly_cancelled += u64::from(order.state() == OrderState::Cancelled);
    }
    add_changes(clients, &orders, patience, &mut summary).await?;
    Ok(summary)
}

async fn orders(
    clients: &Clients,
    invoices: &HashSet<&str>,
    patience: Patience,
) -> Result<HashMap<String, OrderSummary>> {
    let mut orders = HashMap::new();
    let mut page_token = String::new();
    loop {
        let request = ListOrdersRequest {
            page_size: PAGE_SIZE,
            page_token,
            external_system: SYSTEM.to_owned(),
            ..ListOrdersRequest::default()
        };
        let page = patience.call(async || clients.orders().list_orders(request.clone()).await).await?;
        orders.extend(
            page.orders
                .into_iter()
                .filter(|order| {
                    order.external_references.iter().any(|r| invoices.contains(r.reference.as_str()))
                })
                .map(|order| (order.order_id.clone(), order)),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(orders);
        }
    }
}

async fn add_changes(
    clients: &Clients,
    orders: &HashMap<String, OrderSummary>,
    patience: Patience,
    summary: &mut Summary,
) -> Result<()> {
    let mut changed = HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = ListChangeOrdersRequest {
            page_size: PAGE_SIZE,
            page_token,
            external_system: SYSTEM.to_owned(),
            ..ListChangeOrdersRequest::default()
        };
        let page =
            patience.call(async || clients.changes().list_change_orders(request.clone()).await).await?;
        for change in page.change_orders.iter().filter(|change| orders.contains_key(&change.order_id)) {
            match change.state() {
                ChangeOrderState::Completed | ChangeOrderState::CompletedWithExceptions => {
                    summary.change_orders += 1;
                    changed.insert(change.order_id.clone());
                }
                ChangeOrderState::Rejected => {}
                _ => summary.change_orders_unfinished += 1,
            }
            summary.refunded_minor += change
                .refunds
                .iter()
                .filter(|refund| refund.state == "succeeded" && !refund.void_of_authorisation)
                .map(|refund| refund.amount_minor)
                .sum::<i64>();
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    summary.orders_changed = changed.len().try_into()?;
    Ok(())
}

impl Summary {
    /// The figures, aligned.
    pub fn text(&self) -> String {
        let unsigned = |number: u64| render::count(i64::try_from(number).unwrap_or(i64::MAX));
        let money = |minor| render::money(self.currency, minor);
        let matching = &self.matching;
        let rows = [
            ("rows skipped (no customer)", unsigned(self.rows_skipped)),
            ("rows unusable", unsigned(matching.unusable_rows)),
            ("orders", unsigned(self.orders)),
            ("  lines", render::count(self.lines)),
            ("  worth", money(self.placed_minor)),
            ("cancellation lines", unsigned(matching.cancellation_lines)),
            ("  fully matched", unsigned(matching.fully_matched)),
            ("  partly matched", unsigned(matching.partly_matched)),
            ("  unmatched", unsigned(matching.unmatched)),
            ("  units asked for", render::count(matching.units)),
            ("  units matched", render::count(matching.units_matched)),
            ("change orders", unsigned(self.change_orders)),
            ("  unfinished", unsigned(self.change_orders_unfinished)),
            ("  on orders", unsigned(self.orders_changed)),
            ("  orders wholly cancelled", unsigned(self.orders_wholly_cancelled)),
            ("  units cancelled", render::count(self.units_cancelled)),
            ("  refunded", money(self.refunded_minor)),
        ];
        render::table(
            &["read back from the services", ""],
            &[1],
            rows.map(|(name, value)| vec![name.to_owned(), value]),
        )
    }
}
