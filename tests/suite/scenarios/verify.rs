//! Verify judges each change by the facts of its moment: what happens later makes no old change red.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{ChangeOrderState, RequestWithdrawalRequest, ShippingInput};
use tests::clients::Caller;
use tests::shop::card;
use tests::{Shop, assert_books_balance, eventually};

use super::proposals::two_sided;
use super::restore::restore;
use crate::Stage;
use crate::lives::simulator::Simulator;

/// Any customer may ask for a withdrawal, and it waits for as long as nobody answers.
pub async fn a_withdrawal_that_waits_for_an_answer_is_no_fault(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = two_sided(&shop).await?;
    let nobody = Caller { user: "web".to_owned(), role: "guest".to_owned(), ..Caller::default() };
    let request = RequestWithdrawalRequest {
        request_id: shop.request_id(),
        order_number: order.number,
        client_contact: "ann@example.org".to_owned(),
        note: String::new(),
    };

    shop.clients.acting_as(nobody).proposals().request_withdrawal(request).await?;

    assert_books_balance(&suite).await
}

/// The shipping came back with the last unit that was cancelled, because nothing had shipped then.
pub async fn what_ships_after_a_restoration_says_nothing_of_the_cancellation_before(
    stage: &Stage,
) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("MUG");
    shop.receive(&sku, 2).await?;
    let mut request = shop.order_request(&sku, 2, "7.50", 1_995);
    request.shipping = vec![ShippingInput { amount_minor: 495, ..ShippingInput::default() }];
    let order = shop.create(request).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let restored = restore(&shop, &order.order_id, vec![card("tok_approve", 1_995, true)]).await?;
    ensure!(restored.state() == ChangeOrderState::Completed, "{restored:?}");

    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;
    eventually("the order knows that it was shipped", async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.lines[0].quantities.unwrap_or_default().fulfilled == 2).then_some(()))
    })
    .await?;

    assert_books_balance(&suite).await
}

/// The sandbox of the payment service knows nothing of what another gateway gave back.
pub async fn a_refund_at_a_gateway_with_a_book_of_its_own_is_no_fault(stage: &Stage) -> Result<()> {
    let simulator = Simulator::start().await?;
    let suite = stage.own_suite(&simulator.settings()).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
    "acme".clone_into(&mut request.tenders[0].gateway);
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    let refund = refunds.first().context("the gateway gave the money back")?;
    ensure!(refund.gateway_reference.starts_with("sandbox-"), "it names its effects alike: {refund:?}");
    assert_books_balance(&suite).await
}
