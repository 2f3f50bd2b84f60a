//! The rows about what is done after a cancellation, or instead of one: B15, B18, B19, D12, O22.

use anyhow::{Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{ChangeOrderState, OrderState};
use tests::shop::{card, refused};
use tests::{Shop, eventually};
use tonic::Code;

use crate::scenarios::proposals::{BUYER, SUPPLIER, approve, buyer, fewer, propose, supplier, two_sided};
use crate::scenarios::refund_only::refund;
use crate::scenarios::restore::{cancelled, reissue, restore};
use crate::scenarios::returns;
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    b15_supplier_modifies_the_order_and_the_buyer_approves,
    b18_shipped_order_is_settled_by_a_refund,
    b19_supplier_or_buyer_creates_a_cancelled_order_again,
    d12_cancelled_order_is_restored_and_shipped,
    o22_order_is_made_again_under_a_new_number,
];

async fn b15_supplier_modifies_the_order_and_the_buyer_approves(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let outsider = shop.as_user("eve", "elsewhere", "buyer");
    let foreign = propose(&outsider.clients, fewer(&shop, &order.order_id, 1)).await;
    refused(foreign, Code::NotFound, "RESOURCE_NOT_FOUND")?;

    let proposal = propose(&supplier(&shop), fewer(&shop, &order.order_id, 2)).await?;
    let change = approve(&shop, &buyer(&shop), &proposal.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(after.lines[0].quantities.unwrap_or_default().open == 2, "{after:?}");
    let stock = shop.stock(&after.lines[0].sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (4, 2), "{stock:?}");
    Ok(())
}

async fn b18_shipped_order_is_settled_by_a_refund(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;
    let left = async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.state() == OrderState::Shipped).then_some(()))
    };
    eventually("the order has left", left).await?;
    let late = shop.submit(shop.cancel_request(&order.order_id, &[])).await;
    let late = late.err().map(|status| status.code());
    ensure!(late == Some(Code::FailedPrecondition), "what has left is not cancelled: {late:?}");

    let change = refund(&shop, &order.order_id, 300, "").await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 300, "{back}");
    let returned = returns::open(&shop, &order.order_id, 1, 0).await?;
    returns::receive(&shop, &returned, 1).await?;
    let change = returns::accept(&shop, &returned, 1, 0, Wait::Completed).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let order = shop.order(&order.order_id).await?;
    ensure!(order.totals.unwrap_or_default().total_minor == 700, "{:?}", order.totals);
    ensure!(order.lines[0].quantities.unwrap_or_default().returned == 1, "{:?}", order.lines);
    Ok(())
}

async fn b19_supplier_or_buyer_creates_a_cancelled_order_again(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let as_supplier = shop.as_user("sam", SUPPLIER, "supplier");
    let as_buyer = shop.as_user("bea", BUYER, "buyer");
    let as_guest = shop.as_user("web", "public", "guest");
    let paid = || vec![card("tok_approve", 4_400, true)];

    let guest = reissue(&as_guest, &order.order_id, paid()).await;
    refused(guest, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let again = reissue(&as_supplier, &order.order_id, paid()).await?;

    ensure!(again.reissue_of == order.order_id && again.state() == OrderState::Confirmed, "{again:?}");
    ensure!(again.totals.unwrap_or_default().total_minor == 4_400, "{:?}", again.totals);
    shop.receive(&again.lines[0].sku, 4).await?;
    let third = reissue(&as_buyer, &order.order_id, paid()).await?;
    ensure!(third.number == format!("{}-R2", order.number), "{}", third.number);
    ensure!(
        shop.order(&order.order_id).await?.state() == OrderState::Cancelled,
        "the first one stays cancelled"
    );
    Ok(())
}

async fn d12_cancelled_order_is_restored_and_shipped(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = cancelled(&shop, &shop.sku("LAMP"), 2).await?;
    let as_guest = shop.as_user("web", "public", "guest");
    let guest = restore(&as_guest, &order.order_id, vec![card("tok_approve", 2_000, true)]).await;
    refused(guest, Code::PermissionDenied, "PERMISSION_DENIED")?;

    let change = restore(&shop, &order.order_id, vec![card("tok_approve", 2_000, true)]).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;

    let stock = shop.stock(&order.lines[0].sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (0, 0), "it has left after all: {stock:?}");
    Ok(())
}

async fn o22_order_is_made_again_under_a_new_number(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = cancelled(&shop, &shop.sku("LAMP"), 1).await?;

    let short = reissue(&shop, &order.order_id, vec![card("tok_approve", 999, true)]).await;
    refused(short, Code::InvalidArgument, "TENDERS_MISMATCH")?;
    let again = reissue(&shop, &order.order_id, vec![card("tok_approve", 1_000, true)]).await?;

    ensure!(again.number == format!("{}-R1", order.number), "{}", again.number);
    ensure!(again.reissue_of == order.order_id, "{again:?}");
    ensure!(shop.order(&order.order_id).await? == order, "the one it is made of stays as it was");
    Ok(())
}
