//! Rows S7 to S10 and S13: bundles, whose price stands on their parent unless the store's policy divides it.

use anyhow::{Result, ensure};
use proto::order::v1::{BundleChildInput, ChangeOrder, LineInput, Order};
use tests::Shop;
use tests::shop::{line, refused};
use tonic::Code;

use super::under::{rewritten, unchanged, under};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    s7_selecting_a_bundle_selects_all_its_children,
    s8_children_are_chosen_one_by_one,
    s9_only_the_bundle_itself_brings_a_refund,
    s10_the_store_decides_its_bundle_policy,
    s13_the_refund_of_a_bundle_is_not_prorated,
];

/// Three sets at 10.00, of two cups and one pot each.
async fn sets(shop: &Shop) -> Result<Order> {
    let child = |name: &str, quantity, ratio| LineInput {
        parent_line: 1,
        ratio,
        ..line(&shop.sku(name), quantity, "0")
    };
    for (name, units) in [("SET", 3), ("CUP", 6), ("POT", 3)] {
        shop.receive(&shop.sku(name), units).await?;
    }
    let mut request = shop.order_request(&shop.sku("SET"), 3, "10.00", 3_000);
    request.lines.extend([child("CUP", 6, 2), child("POT", 3, 1)]);
    Ok(shop.create(request).await?)
}

fn units(change: &ChangeOrder) -> Vec<(i64, i64)> {
    change.lines.iter().map(|line| (line.line_number, line.quantity)).collect()
}

fn amount(change: &ChangeOrder) -> i64 {
    change.amounts.unwrap_or_default().amount_minor
}

pub async fn s7_selecting_a_bundle_selects_all_its_children(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = sets(&shop).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2)])).await?;
    ensure!(units(&change) == [(1, 2), (2, 4), (3, 2)], "{change:?}");
    let before = shop.order(&order.order_id).await?;
    let answer = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2)])).await;
    refused(answer, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &before).await
}

pub async fn s8_children_are_chosen_one_by_one(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = sets(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
    let child = |line_number, quantity| BundleChildInput { line_number, quantity, ..Default::default() };
    request.change.get_or_insert_default().lines[0].bundle_children = vec![child(2, 7)];
    let answer = shop.submit(request.clone()).await;
    refused(answer, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &order).await?;

    request.change.get_or_insert_default().lines[0].bundle_children = vec![child(2, 1), child(3, 0)];
    let change = shop.submit(request).await?;
    ensure!(units(&change) == [(1, 1), (2, 1)], "{change:?}");
    Ok(())
}

pub async fn s9_only_the_bundle_itself_brings_a_refund(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = sets(&shop).await?;
    let children = shop.submit(shop.cancel_request(&order.order_id, &[(3, 1)])).await?;
    ensure!(
        amount(&children) == 0 && children.lines[0].explain == "BUNDLE_PARENT_NOT_SELECTED",
        "{children:?}"
    );
    ensure!(shop.refunds(&order.order_id).await?.is_empty());
    let parent = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    ensure!(amount(&parent) == 1_000, "{parent:?}");
    let mut priced = shop.order_request(&shop.sku("SET"), 1, "10.00", 1_500);
    priced.lines.push(LineInput { parent_line: 1, ratio: 1, ..line(&shop.sku("CUP"), 1, "5.00") });
    refused(shop.create(priced).await, Code::InvalidArgument, "FIELD_INVALID")?;
    Ok(())
}

pub async fn s10_the_store_decides_its_bundle_policy(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    rewritten(&shop, "salesforce", "\"parent_priced\"", "\"child_prorated\"").await?;
    let prorated = sets(&shop).await?;
    let cups = shop.submit(shop.cancel_request(&prorated.order_id, &[(2, 3)])).await?;
    ensure!(amount(&cups) == 1_000, "three of nine parts of 30.00: {cups:?}");

    rewritten(&shop, "salesforce", "\"child_prorated\"", "\"atomic\"").await?;
    let atomic = sets(&shop).await?;
    let answer = shop.submit(shop.cancel_request(&atomic.order_id, &[(2, 1)])).await;
    refused(answer, Code::InvalidArgument, "FIELD_INVALID")?;
    unchanged(&shop, &atomic).await?;
    let whole = shop.submit(shop.cancel_request(&atomic.order_id, &[(1, 1)])).await?;
    ensure!(units(&whole) == [(1, 1), (2, 2), (3, 1)] && amount(&whole) == 1_000, "{whole:?}");
    Ok(())
}

pub async fn s13_the_refund_of_a_bundle_is_not_prorated(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = sets(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
    request.change.get_or_insert_default().lines[0].without_children = true;
    let change = shop.submit(request).await?;
    ensure!(units(&change) == [(1, 1)] && amount(&change) == 1_000, "{change:?}");
    let rest = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2)])).await?;
    ensure!(amount(&rest) == 2_000, "{rest:?}");
    let before = shop.order(&order.order_id).await?;
    let answer = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(answer, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    unchanged(&shop, &before).await
}
