//! Orders that nobody pays for: warned of, then ended by the clock.

use anyhow::{Result, ensure};
use proto::order::v1::{ChangeOrderState, ChangeOrderType, ListChangeOrdersRequest, Order, OrderState};
use tests::shop::card;
use tests::{Service, Shop, assert_books_balance, eventually};

use super::guides::under::{rewritten, timeline, under};
use super::restore::{cancelled, restore};
use crate::Stage;

/// The shop's orders have to be paid within so many seconds from now on.
async fn pays_within(shop: &Shop, seconds: i64) -> Result<()> {
    let to = format!("\"unpaid_seconds\":{seconds}");
    rewritten(shop, "default", "\"unpaid_seconds\":604800", &to).await?;
    Ok(())
}

/// An order that was restored without tenders and waits for its payment.
async fn unpaid(shop: &Shop, sku: &str, units: i64) -> Result<Order> {
    let order = cancelled(shop, sku, units).await?;
    let change = restore(shop, &order.order_id, Vec::new()).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let order = shop.order(&order.order_id).await?;
    ensure!(order.awaits_payment_minor == units * 1_000, "{order:?}");
    Ok(order)
}

async fn ended(shop: &Shop, order_id: &str) -> Result<()> {
    let request =
        ListChangeOrdersRequest { order_id: order_id.to_owned(), ..ListChangeOrdersRequest::default() };
    eventually("the clock ends the unpaid order", async || {
        let changes = shop.clients.changes().list_change_orders(request.clone()).await?.into_inner();
        let expired = changes.change_orders.into_iter().find(|change| {
            change.r#type() == ChangeOrderType::Expire && change.state() == ChangeOrderState::Completed
        });
        Ok(expired.map(|_| ()))
    })
    .await
}

pub async fn an_unpaid_order_is_warned_of_and_then_ends_by_the_clock(stage: &Stage) -> Result<()> {
    let shop = under(stage, "default").await?;
    pays_within(&shop, 2).await?;
    let sku = shop.sku("LAMP");
    let order = unpaid(&shop, &sku, 3).await?;

    ended(&shop, &order.order_id).await?;

    let after = shop.order(&order.order_id).await?;
    ensure!(after.state() == OrderState::Cancelled && after.awaits_payment_minor == 0, "{after:?}");
    ensure!(shop.stock(&sku).await?.reserved == 0, "its goods are free again");
    let told: Vec<String> = timeline(&shop, &after).await?.into_iter().map(|entry| entry.event).collect();
    let at = |name: &str| told.iter().rposition(|event| event == name);
    let (warned, accepted) = (at("order.expiring"), at("change_order.accepted"));
    ensure!(warned.is_some() && warned < accepted, "the warning comes first: {told:?}");
    Ok(())
}

pub async fn an_order_that_is_paid_in_time_stands(stage: &Stage) -> Result<()> {
    let shop = under(stage, "default").await?;
    // A day is warned of at once and over in a day.
    pays_within(&shop, 86_400).await?;
    let order = unpaid(&shop, &shop.sku("LAMP"), 1).await?;
    eventually("the order is warned of", async || {
        let told = timeline(&shop, &order).await?;
        Ok(told.iter().any(|entry| entry.event == "order.expiring").then_some(()))
    })
    .await?;

    let request = proto::order::v1::PayOrderRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        tenders: vec![card("tok_approve", 1_000, true)],
        wait: proto::common::v1::Wait::Completed.into(),
    };
    shop.clients.remedies().pay_order(request).await?;
    pays_at_once(&shop).await?;

    let after = shop.order(&order.order_id).await?;
    ensure!(after.state() == OrderState::Confirmed && after.awaits_payment_minor == 0, "{after:?}");
    let warnings = timeline(&shop, &order).await?;
    let warnings = warnings.iter().filter(|entry| entry.event == "order.expiring").count();
    ensure!(warnings == 1, "it was warned of once, not {warnings} times");
    Ok(())
}

/// Even where no time is given at all, what is paid does not end.
async fn pays_at_once(shop: &Shop) -> Result<()> {
    rewritten(shop, "default", "\"unpaid_seconds\":86400", "\"unpaid_seconds\":0").await?;
    Ok(())
}

pub async fn a_crash_in_the_middle_ends_an_unpaid_order_once(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = unpaid(&shop, &sku, 2).await?;
    pays_within(&shop, 0).await?;
    for service in [Service::Inventory, Service::Payment, Service::Order] {
        suite.kill(service)?;
        suite.restart(service).await?;
    }

    ended(&shop, &order.order_id).await?;

    ensure!(shop.stock(&sku).await?.reserved == 0, "its goods are free again");
    let request = ListChangeOrdersRequest { order_id: order.order_id.clone(), ..Default::default() };
    let changes = shop.clients.changes().list_change_orders(request).await?.into_inner().change_orders;
    let expiries = changes.iter().filter(|change| change.r#type() == ChangeOrderType::Expire).count();
    ensure!(expiries == 1, "{changes:?}");
    assert_books_balance(&suite).await
}
