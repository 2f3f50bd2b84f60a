//! Turning back before the decision: whoever asks, everything is put back and nothing was given away.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{
    AbortBeforePivotRequest, ChangeOrder, ChangeOrderState, GetSagaRequest, OrderState, SagaState,
};
use proto::payment::v1::{ListPaymentsRequest, PaymentState, RefundState};
use tests::shop::{card, refused};
use tests::{Service, Shop, Suite, assert_books_balance, eventually};
use tonic::Code;

use crate::Stage;

/// A change that waits before its decision, because the inventory is away.
struct Waiting {
    suite: Suite,
    shop: Shop,
    sku: String,
    change: ChangeOrder,
}

const UNITS: i64 = 3;

async fn waiting(stage: &Stage) -> Result<Waiting> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, UNITS).await?;
    suite.kill(Service::Inventory)?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 2)]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;
    ensure!(change.state() == ChangeOrderState::Executing, "{change:?}");
    Ok(Waiting { suite, shop, sku, change })
}

/// The inventory comes back: the change ends REJECTED, all is as before, and the order may be cancelled again.
async fn assert_put_back(waiting: Waiting, cause: &str) -> Result<()> {
    let Waiting { suite, shop, sku, change } = waiting;
    suite.restart(Service::Inventory).await?;
    let rejected = async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Rejected).then_some(change))
    };
    let change = eventually("the change is rejected when everything was put back", rejected).await?;
    ensure!(change.cause.as_ref().is_some_and(|it| it.reason == cause), "{change:?}");

    let order = shop.order(&change.order_id).await?;
    let quantities = order.lines[0].quantities.unwrap_or_default();
    ensure!((quantities.open, quantities.cancel_pending, quantities.cancelled) == (UNITS, 0, 0), "{order:?}");
    ensure!(order.state() == OrderState::Confirmed && order.change_in_progress.is_empty(), "{order:?}");
    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (UNITS, UNITS), "{stock:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.iter().all(|refund| refund.state() == RefundState::Released), "{refunds:?}");

    let again = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(again.state() == ChangeOrderState::Completed, "{again:?}");
    assert_books_balance(&suite).await
}

pub async fn a_change_withdrawn_while_executing_is_put_back(stage: &Stage) -> Result<()> {
    let waiting = waiting(stage).await?;

    let withdrawn = waiting.shop.withdraw(&waiting.change.change_order_id).await?;

    let back = [ChangeOrderState::Executing, ChangeOrderState::Unwinding];
    ensure!(back.contains(&withdrawn.state()), "{withdrawn:?}");
    assert_put_back(waiting, "WITHDRAWN").await
}

pub async fn an_operator_aborts_a_change_before_its_decision(stage: &Stage) -> Result<()> {
    let waiting = waiting(stage).await?;

    let request = AbortBeforePivotRequest {
        request_id: waiting.shop.request_id(),
        saga_id: waiting.change.saga_id.clone(),
        note: "the customer called".to_owned(),
    };
    waiting.shop.clients.operations().abort_before_pivot(request).await?;

    assert_put_back(waiting, "ABORTED_BY_OPERATOR").await
}

pub async fn a_decided_change_is_not_withdrawn(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    refused(shop.withdraw(&change.change_order_id).await, Code::FailedPrecondition, "ALREADY_DECIDED")?;
    let request = AbortBeforePivotRequest {
        request_id: shop.request_id(),
        saga_id: change.saga_id.clone(),
        ..AbortBeforePivotRequest::default()
    };
    let answer = shop.clients.operations().abort_before_pivot(request).await;
    refused(answer, Code::FailedPrecondition, "ALREADY_DECIDED")?;

    let request = GetSagaRequest { saga_id: change.saga_id };
    let saga = shop.clients.operations().get_saga(request).await?.into_inner().saga.context("no saga")?;
    ensure!(saga.state() == SagaState::Completed && saga.unwind_cause.is_empty(), "{saga:?}");
    ensure!(!saga.decided_at.is_empty() && !saga.steps.is_empty(), "{saga:?}");
    Ok(())
}

pub async fn an_order_cancelled_while_placing_was_never_placed(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    suite.kill(Service::Payment)?;
    let mut request = shop.order_request(&sku, 2, "10.00", 0);
    request.tenders = vec![card("tok_approve", 500, false), card("tok_approve", 1_500, true)];
    request.wait = Wait::Unspecified.into();
    let order = shop.create(request).await?;
    ensure!(order.state() == OrderState::Placing, "{order:?}");

    let part = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(part, Code::Aborted, "CHANGE_IN_PROGRESS")?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;

    suite.restart(Service::Payment).await?;
    let ended = async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed).then_some(()))
    };
    eventually("the change completes when the placement was put back", ended).await?;
    let order = shop.order(&order.order_id).await?;
    ensure!(order.state() == OrderState::PlacementFailed, "{order:?}");
    ensure!(order.placement_cause.unwrap_or_default().reason == "CANCELLED_WHILE_PLACING");
    ensure!(shop.stock(&sku).await?.reserved == 0, "the goods are free again");
    let request = ListPaymentsRequest { order_id: order.order_id };
    let payments = shop.clients.payments().list_payments(request).await;
    let payments = payments.map(|answer| answer.into_inner().payments).unwrap_or_default();
    ensure!(payments.iter().all(|payment| payment.state() == PaymentState::Voided), "{payments:?}");
    assert_books_balance(&suite).await
}
