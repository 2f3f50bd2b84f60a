//! Money goes back exactly, once, and nothing is called refunded without the gateway's word.

use anyhow::{Result, ensure};
use proto::order::v1::{ChangeOrderState, ShippingInput};
use proto::payment::v1::{RefundKind, RefundState};
use tests::shop::card;
use tests::{Shop, eventually};

use crate::Stage;

pub async fn captured_and_authorised_tenders_are_given_back(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let mut request = shop.order_request(&sku, 3, "10.00", 0);
    request.tenders = vec![card("tok_approve", 1_800, true), card("tok_approve", 1_200, false)];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    let amount = |kind| -> i64 {
        refunds.iter().filter(|refund| refund.kind() == kind).map(|refund| refund.amount_minor).sum()
    };
    ensure!(amount(RefundKind::Refund) == 1_800 && amount(RefundKind::Void) == 1_200, "{refunds:?}");
    ensure!(refunds.iter().all(|refund| refund.state() == RefundState::Succeeded), "{refunds:?}");
    Ok(())
}

pub async fn partial_cancels_add_up_to_what_was_paid(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 7).await?;
    // 7 × 3.33 = 23.31, less 1.00, plus 4.99 shipping: nothing here divides evenly.
    let mut request = shop.order_request(&sku, 7, "3.33", 0);
    request.order_discount_minor = 100;
    request.shipping = vec![ShippingInput { amount_minor: 499, ..ShippingInput::default() }];
    request.tenders = vec![card("tok_approve", 2_331 - 100 + 499, true)];
    let order = shop.create(request).await?;

    let mut given_back = 0;
    for units in [2, 1, 3, 1] {
        let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, units)])).await?;
        ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
        let parts = change.amounts.unwrap_or_default();
        ensure!(
            parts.gross_minor - parts.discount_minor + parts.tax_minor + parts.shipping_minor
                == parts.amount_minor,
            "the parts explain the amount: {parts:?}"
        );
        given_back += parts.amount_minor;
    }

    ensure!(given_back == 2_331 - 100 + 499, "{given_back}");
    let refunded: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(refunded == given_back, "{refunded}");
    Ok(())
}

pub async fn a_declined_refund_is_owed_and_said(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card("tok_refund_decline", 1_000, true)];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    ensure!(change.state() == ChangeOrderState::CompletedWithExceptions, "{change:?}");
    ensure!(change.refund_owed_minor == 1_000, "{change:?}");
    let totals = shop.order(&order.order_id).await?.totals.unwrap_or_default();
    ensure!(totals.refund_owed_minor == 1_000, "{totals:?}");
    let stock = shop.stock(&sku).await?;
    ensure!(stock.reserved == 0, "the goods go back all the same: {stock:?}");
    Ok(())
}

pub async fn an_unknown_refund_is_resolved_with_the_same_key(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card("tok_refund_timeout", 1_000, true)];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    ensure!(change.state() == ChangeOrderState::Settling || change.state() == ChangeOrderState::Completed);
    let settled = async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed).then_some(()))
    };
    eventually("the resolver finds out what became of the refund", settled).await?;
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Succeeded, "{refunds:?}");
    Ok(())
}
