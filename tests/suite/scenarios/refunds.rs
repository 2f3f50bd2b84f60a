//! Refunds over several tenders, explained; and what an operator does about those that failed.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{ChangeOrder, ChangeOrderState, Settlement, TenderInput, TenderRefundInput};
use proto::payment::v1::{
    GetMoneyPositionRequest, ListPaymentsRequest, MoneyPosition, Refund, RefundState, ResolveRefundRequest,
    RetryRefundRequest, TenderKind,
};
use tests::shop::{card, refused};
use tests::{Shop, eventually};
use tonic::Code;

use crate::Stage;

fn ours(gateway: &str, amount_minor: i64) -> TenderInput {
    TenderInput { gateway: gateway.to_owned(), ..card("4711", amount_minor, true) }
}

async fn position(shop: &Shop, order_id: &str) -> Result<MoneyPosition> {
    let request = GetMoneyPositionRequest { order_id: order_id.to_owned() };
    let answer = shop.clients.payments().get_money_position(request).await?.into_inner();
    answer.position.context("the answer holds no position")
}

/// The parts of a refund sum to it.
fn ensure_explained(refund: &Refund) -> Result<()> {
    let parts = refund.explanation.clone().context("the refund is not explained")?;
    let sum = parts.gross_minor - parts.discount_minor
        + parts.tax_minor
        + parts.shipping_minor
        + parts.shipping_tax_minor
        - parts.fee_minor
        + parts.remainder_minor
        + parts.carried_minor
        + parts.elsewhere_minor;
    ensure!(sum == refund.amount_minor, "{refund:?}");
    ensure!(!parts.tenders.is_empty(), "{parts:?}");
    Ok(())
}

pub async fn gift_card_and_store_credit_go_back_before_the_card_and_each_part_is_explained(
    stage: &Stage,
) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let mut request = shop.order_request(&sku, 3, "10.00", 0);
    request.order_discount_minor = 100;
    request.tenders =
        vec![card("tok_approve", 1_900, true), ours("store_credit", 400), ours("gift_card", 600)];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2)])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let amount = change.amounts.unwrap_or_default().amount_minor;
    let refunds = shop.refunds(&order.order_id).await?;
    refunds.iter().try_for_each(ensure_explained)?;
    let position = position(&shop, &order.order_id).await?;
    let confirmed = |kind| -> i64 {
        let tenders = position.tenders.iter().filter(|tender| tender.kind() == kind);
        tenders.map(|tender| tender.confirmed_minor).sum()
    };
    ensure!(confirmed(TenderKind::GiftCard) == 600, "{position:?}");
    ensure!(confirmed(TenderKind::StoreCredit) == 400, "{position:?}");
    ensure!(confirmed(TenderKind::Gateway) == amount - 1_000, "{amount}: {position:?}");
    ensure!(position.confirmed_minor == amount && position.store_credit_minor == 400, "{position:?}");
    ensure!(position.owed_minor == 0 && position.reserved_minor == 0, "{position:?}");
    Ok(())
}

/// Three units on two cards; the second one declines the refund of a unit.
async fn owed(shop: &Shop) -> Result<(ChangeOrder, Refund)> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let mut request = shop.order_request(&sku, 3, "10.00", 0);
    request.tenders = vec![card("tok_approve", 1_500, true), card("tok_refund_decline", 1_500, true)];
    let order = shop.create(request).await?;
    let request = ListPaymentsRequest { order_id: order.order_id.clone() };
    let payments = shop.clients.payments().list_payments(request).await?.into_inner().payments;
    // By name: any other change would go on to the next tender by itself.
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
    let wish = request.change.as_mut().context("the request has a change")?;
    wish.settlement = Settlement::Explicit.into();
    wish.tenders =
        vec![TenderRefundInput { payment_id: payments[1].payment_id.clone(), amount_minor: 1_000 }];
    let change = shop.submit(request).await?;
    let refunds = shop.refunds(&order.order_id).await?;
    let declined = refunds.into_iter().find(|refund| refund.state() == RefundState::Declined);
    Ok((change, declined.context("the second card declines")?))
}

async fn owed_minor(shop: &Shop, order_id: &str) -> Result<i64> {
    Ok(shop.order(order_id).await?.totals.unwrap_or_default().refund_owed_minor)
}

pub async fn a_refund_paid_by_hand_is_owed_no_more(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (change, failed) = owed(&shop).await?;
    ensure!(owed_minor(&shop, &change.order_id).await? == failed.amount_minor, "{change:?}");

    let resolve = ResolveRefundRequest {
        request_id: shop.request_id(),
        refund_id: failed.refund_id.clone(),
        reference: "transfer 7".to_owned(),
        note: "paid on Monday".to_owned(),
    };
    let resolved = shop.clients.refunds().resolve_refund(resolve.clone()).await?.into_inner().refund;
    let resolved = resolved.context("the answer holds no refund")?;

    ensure!(resolved.state() == RefundState::ResolvedExternally, "{resolved:?}");
    ensure!(resolved.resolution_reference == "transfer 7", "{resolved:?}");
    let settled = async || Ok((owed_minor(&shop, &change.order_id).await? == 0).then_some(()));
    eventually("the order hears of it", settled).await?;
    let again = ResolveRefundRequest { request_id: shop.request_id(), ..resolve };
    refused(shop.clients.refunds().resolve_refund(again).await, Code::FailedPrecondition, "NOT_RETRYABLE")?;
    let position = position(&shop, &change.order_id).await?;
    ensure!(position.by_hand_minor == failed.amount_minor && position.owed_minor == 0, "{position:?}");
    Ok(())
}

pub async fn a_declined_refund_is_tried_again_on_another_tender(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (change, failed) = owed(&shop).await?;
    let request = ListPaymentsRequest { order_id: change.order_id.clone() };
    let payments = shop.clients.payments().list_payments(request).await?.into_inner().payments;
    let free = |payment: &proto::payment::v1::Payment| {
        payment.captured_minor - payment.refunded_minor - payment.returning_minor
    };
    let other = payments
        .iter()
        .find(|payment| payment.payment_id != failed.payment_id && free(payment) >= failed.amount_minor);
    let Some(other) = other else {
        // The other card has nothing left: the cap holds for a second try too.
        let retry = RetryRefundRequest {
            request_id: shop.request_id(),
            refund_id: failed.refund_id,
            payment_id: payments[0].payment_id.clone(),
        };
        let answer = shop.clients.refunds().retry_refund(retry).await;
        refused(answer, Code::FailedPrecondition, "EXCEEDS_REFUNDABLE")?;
        return Ok(());
    };

    let retry = RetryRefundRequest {
        request_id: shop.request_id(),
        refund_id: failed.refund_id.clone(),
        payment_id: other.payment_id.clone(),
    };
    let again = shop.clients.refunds().retry_refund(retry).await?.into_inner().refund;
    let again = again.context("the answer holds no refund")?;

    ensure!(again.retry_of == failed.refund_id && again.refund_id != failed.refund_id, "{again:?}");
    ensure_explained(&again)?;
    let settled = async || Ok((owed_minor(&shop, &change.order_id).await? == 0).then_some(()));
    eventually("the order hears of it", settled).await?;
    let states: Vec<_> = shop.refunds(&change.order_id).await?.iter().map(Refund::state).collect();
    ensure!(states.contains(&RefundState::Declined), "history stays: {states:?}");
    Ok(())
}
