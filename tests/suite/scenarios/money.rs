//! Money goes back exactly, once, and nothing is called refunded without the gateway's word.

use anyhow::{Context, Result, ensure};
use proto::audit::v1::ListGatewayEffectsRequest;
use proto::common::v1::Wait;
use proto::order::v1::{
    AcknowledgeAttentionRequest, ChangeOrder, ChangeOrderState, OrderState, Settlement, ShippingInput,
};
use proto::payment::v1::{RefundKind, RefundState, ResolveRefundRequest};
use tests::shop::{card, refused};
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::Code;

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

/// The state of a change once nothing more moves by itself.
async fn ended(shop: &Shop, change: &ChangeOrder) -> Result<ChangeOrder> {
    let final_state = async || {
        let change = shop.change(&change.change_order_id).await?;
        let moving = [ChangeOrderState::Executing, ChangeOrderState::Unwinding, ChangeOrderState::Settling];
        Ok((!moving.contains(&change.state())).then_some(change))
    };
    eventually("the change ends", final_state).await
}

/// Places one article for 10.00 on a card of the sandbox that misbehaves as its token says, and cancels it.
async fn cancelled_on(shop: &Shop, token: &str) -> Result<ChangeOrder> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card(token, 1_000, true)];
    let order = shop.create(request).await?;
    Ok(shop.submit(shop.cancel_request(&order.order_id, &[])).await?)
}

/// What a change left owed is given back with the next one, and is not owed any more; nothing is counted twice.
pub async fn what_was_owed_goes_back_with_the_next_change(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    for (settlement, owed, refunded) in
        [(Settlement::None, 1_000, 0), (Settlement::None, 2_000, 0), (Settlement::Auto, 0, 3_000)]
    {
        let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
        request.change.as_mut().context("the request has a change")?.settlement = settlement.into();

        let change = shop.submit(request).await?;

        ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
        let totals = shop.order(&order.order_id).await?.totals.unwrap_or_default();
        ensure!(totals.refund_owed_minor == owed, "{owed} must be owed: {totals:?}");
        let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
        ensure!(back == refunded, "{back} is refunded, not {refunded}");
    }
    Ok(())
}

pub async fn an_unknown_refund_is_resolved_with_the_same_key(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;

    let change = cancelled_on(&shop, "tok_refund_timeout").await?;

    ensure!(change.state() == ChangeOrderState::Settling || change.state() == ChangeOrderState::Completed);
    let change = ended(&shop, &change).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&change.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Succeeded, "{refunds:?}");
    ensure!(effects_of(&shop, &refunds[0].refund_id).await? == 1, "the gateway gave money back once");
    Ok(())
}

/// Between the call and its answer the service dies: what became of the refund is asked, never guessed or done again.
pub async fn a_refund_in_doubt_survives_a_crash_and_is_made_once(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card("tok_refund_timeout", 1_000, true)];
    let order = shop.create(request).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Committed.into();
    let change = shop.submit(request).await?;
    ensure!(change.state() == ChangeOrderState::Settling, "{change:?}");
    suite.kill(Service::Payment)?;
    suite.restart(Service::Payment).await?;

    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Succeeded, "{refunds:?}");
    ensure!(effects_of(&shop, &refunds[0].refund_id).await? == 1, "the gateway gave money back once");
    assert_books_balance(&suite).await
}

async fn effects_of(shop: &Shop, key: &str) -> Result<usize> {
    let mut audit = shop.clients.audit(Service::Payment);
    let (mut found, mut page_token) = (0, String::new());
    loop {
        let request = ListGatewayEffectsRequest { page_size: 200, page_token };
        let page = audit.list_gateway_effects(request).await?.into_inner();
        found += page.effects.iter().filter(|effect| effect.key == key).count();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

pub async fn a_refund_that_is_late_keeps_the_change_settling(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;

    let change = ended(&shop, &cancelled_on(&shop, "tok_refund_late").await?).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(shop.order(&change.order_id).await?.state() == OrderState::Cancelled);
    let refunds = shop.refunds(&change.order_id).await?;
    ensure!(refunds.iter().all(|refund| refund.state() == RefundState::Succeeded), "{refunds:?}");
    Ok(())
}

/// The one way out of COMPLETED: money that seemed to have gone back did not.
pub async fn a_refund_that_fails_afterwards_is_owed_and_asks_for_attention(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;

    let change = cancelled_on(&shop, "tok_refund_fail_after").await?;

    let reversed = async || {
        let change = shop.change(&change.change_order_id).await?;
        let is_told = change.refund_owed_minor > 0;
        Ok((is_told && change.state() == ChangeOrderState::CompletedWithExceptions).then_some(change))
    };
    let change = eventually("the reversal reaches the change", reversed).await?;
    ensure!(change.refund_owed_minor == 1_000 && change.attention_open, "{change:?}");
    let refunds = shop.refunds(&change.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Reversed, "{refunds:?}");
    let order = shop.order(&change.order_id).await?;
    ensure!(order.state() == OrderState::Cancelled && order.attention_open, "it is not re-opened: {order:?}");
    let item = shop.attention(&change.order_id).await?.pop().context("no attention item")?;
    ensure!(item.allowed_actions == ["RetryRefund", "ResolveRefund"], "{item:?}");
    Ok(())
}

/// A cause that looking cannot mend stays until the money is where it belongs.
pub async fn x27_a_declined_refund_is_on_the_list_until_it_was_paid(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let change = cancelled_on(&shop, "tok_refund_decline").await?;
    let raised = async || Ok(shop.attention(&change.order_id).await?.pop());
    let item = eventually("the declined refund is on the list", raised).await?;

    let acknowledge = AcknowledgeAttentionRequest {
        request_id: shop.request_id(),
        attention_id: item.attention_id.clone(),
        note: "seen".to_owned(),
    };
    let looked = shop.clients.operations().acknowledge_attention(acknowledge).await;
    refused(looked, Code::FailedPrecondition, "STATE_CONFLICT")?;
    let resolve = ResolveRefundRequest {
        request_id: shop.request_id(),
        refund_id: item.subject_id,
        reference: "bank transfer 17".to_owned(),
        note: "the card is closed".to_owned(),
    };
    shop.clients.refunds().resolve_refund(resolve).await?;

    let closed = async || Ok(shop.attention(&change.order_id).await?.is_empty().then_some(()));
    eventually("the item is closed", closed).await?;
    ensure!(!shop.order(&change.order_id).await?.attention_open);
    Ok(())
}

pub async fn an_authorisation_without_an_answer_is_asked_after(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card("tok_timeout", 1_000, false)];
    let order = shop.create(request).await?;

    let placed = async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.state() == OrderState::Confirmed).then_some(()))
    };
    eventually("the gateway is asked what became of the authorisation", placed).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].kind() == RefundKind::Void, "{refunds:?}");
    Ok(())
}

pub async fn settlement_none_moves_no_money_and_says_what_is_owed(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
    request.change.as_mut().context("the request has a change")?.settlement = Settlement::None.into();

    let change = shop.submit(request).await?;

    ensure!(change.state() == ChangeOrderState::Completed && change.refund_owed_minor == 1_000, "{change:?}");
    ensure!(shop.refunds(&order.order_id).await?.is_empty(), "no money moves");
    ensure!(shop.order(&order.order_id).await?.totals.unwrap_or_default().refund_owed_minor == 1_000);
    Ok(())
}
