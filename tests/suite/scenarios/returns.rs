//! What buyers send back, from the return to the shelf and to the money.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::inventory::v1::DeliverFulfillmentRequest;
use proto::order::v1::{
    AcceptReturnLineInput, AcceptReturnRequest, ChangeOrder, ChangeOrderState, ChangeOrderType,
    CloseReturnRequest, GetReturnRequest, ListReturnsRequest, OpenReturnRequest, Order, OrderState,
    ReceiveReturnRequest, RejectReturnRequest, Return, ReturnLineInput, ReturnState, VerifyOrderRequest,
};
use proto::payment::v1::RefundState;
use tests::shop::{card, refused};
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::{Code, Status};

use crate::Stage;

/// An order of `units` at 10.00, delivered, known to the order by then.
pub async fn delivered(shop: &Shop, units: i64, token: &str) -> Result<(Order, String)> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, units).await?;
    let mut request = shop.order_request(&sku, units, "10.00", 0);
    request.tenders = vec![card(token, units * 1_000, true)];
    let order = shop.create(request).await?;
    Ok((deliver(shop, &order.order_id).await?, sku))
}

/// Ships and delivers all of an order; it knows of it by then.
pub async fn deliver(shop: &Shop, order_id: &str) -> Result<Order> {
    let fulfillment = shop.submitted(order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;
    let request = DeliverFulfillmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        ..DeliverFulfillmentRequest::default()
    };
    shop.clients.fulfillments().deliver_fulfillment(request).await?;
    eventually("the order knows that it was delivered", async || {
        let order = shop.order(order_id).await?;
        Ok((order.state() == OrderState::Delivered).then_some(order))
    })
    .await
}

fn counted(units: i64) -> Vec<ReturnLineInput> {
    vec![ReturnLineInput { line_id: String::new(), line_number: 1, quantity: units }]
}

pub async fn open(shop: &Shop, order_id: &str, units: i64, valid_seconds: i64) -> Result<Return, Status> {
    let request = OpenReturnRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        lines: counted(units),
        reason_code: "DAMAGED".to_owned(),
        note: String::new(),
        valid_seconds,
    };
    let answer = shop.clients.returns().open_return(request).await?.into_inner();
    answer.order_return.ok_or_else(|| Status::internal("the answer holds no return"))
}

pub async fn receive(shop: &Shop, of: &Return, units: i64) -> Result<Return, Status> {
    let request = ReceiveReturnRequest {
        request_id: shop.request_id(),
        return_id: of.return_id.clone(),
        lines: counted(units),
        note: String::new(),
    };
    let answer = shop.clients.returns().receive_return(request).await?.into_inner();
    answer.order_return.ok_or_else(|| Status::internal("the answer holds no return"))
}

async fn reject(shop: &Shop, of: &Return, units: i64) -> Result<Return, Status> {
    let request = RejectReturnRequest {
        request_id: shop.request_id(),
        return_id: of.return_id.clone(),
        lines: counted(units),
        note: "worn".to_owned(),
    };
    let answer = shop.clients.returns().reject_return(request).await?.into_inner();
    answer.order_return.ok_or_else(|| Status::internal("the answer holds no return"))
}

pub async fn accept(
    shop: &Shop,
    of: &Return,
    restock: i64,
    write_off: i64,
    wait: Wait,
) -> Result<ChangeOrder, Status> {
    let line =
        AcceptReturnLineInput { line_number: 1, restock, write_off, ..AcceptReturnLineInput::default() };
    let request = AcceptReturnRequest {
        request_id: shop.request_id(),
        return_id: of.return_id.clone(),
        lines: vec![line],
        note: String::new(),
        wait: wait.into(),
    };
    let answer = shop.clients.returns().accept_return(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

async fn found(shop: &Shop, of: &Return) -> Result<Return> {
    let request = GetReturnRequest { return_id: of.return_id.clone() };
    let answer = shop.clients.returns().get_return(request).await?.into_inner();
    answer.order_return.context("the answer holds no return")
}

pub async fn what_comes_back_is_on_the_shelf_and_paid_back_once(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (order, sku) = delivered(&shop, 3, "tok_approve").await?;
    let back = open(&shop, &order.order_id, 3, 0).await?;
    ensure!(shop.shelf(&sku).await? == (0, 0), "opening moves nothing");
    receive(&shop, &back, 3).await?;

    let change = accept(&shop, &back, 1, 1, Wait::Completed).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.r#type() == ChangeOrderType::Return && change.return_id == back.return_id, "{change:?}");
    ensure!(shop.shelf(&sku).await? == (1, 0), "one can be sold again, one was written off");
    let ended = reject(&shop, &back, 1).await?;
    ensure!(ended.state() == ReturnState::Completed, "{ended:?}");
    let line = &ended.lines[0];
    ensure!((line.accepted, line.rejected) == (2, 1), "{line:?}");
    let order = shop.order(&order.order_id).await?;
    let quantities = order.lines[0].quantities.unwrap_or_default();
    ensure!((quantities.returned, quantities.fulfilled, quantities.net) == (2, 3, 1), "{quantities:?}");
    ensure!(order.totals.unwrap_or_default().total_minor == 1_000, "{:?}", order.totals);
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 2_000, "{back}");
    let request = VerifyOrderRequest { order_id: order.order_id };
    let verified = shop.clients.operations().verify_order(request).await?.into_inner();
    ensure!(verified.holds, "{verified:?}");
    Ok(())
}

pub async fn an_order_that_came_back_whole_is_returned(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (order, sku) = delivered(&shop, 2, "tok_approve").await?;
    let back = open(&shop, &order.order_id, 2, 0).await?;
    receive(&shop, &back, 1).await?;
    accept(&shop, &back, 1, 0, Wait::Completed).await?;
    receive(&shop, &back, 1).await?;

    accept(&shop, &back, 1, 0, Wait::Completed).await?;

    let order = shop.order(&order.order_id).await?;
    ensure!(order.state() == OrderState::Returned, "{:?}", order.state());
    ensure!(shop.shelf(&sku).await? == (2, 0), "each unit came back once");
    ensure!(found(&shop, &back).await?.state() == ReturnState::Completed);
    let refused_more = open(&shop, &order.order_id, 1, 0).await;
    refused(refused_more, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    Ok(())
}

pub async fn what_has_not_shipped_does_not_come_back(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;

    let answer = open(&shop, &order.order_id, 1, 0).await;

    refused(answer, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    ensure!(shop.order(&order.order_id).await? == order, "a refusal leaves no trace");
    Ok(())
}

pub async fn a_buyer_opens_a_return_and_does_not_decide_it(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (order, _) = delivered(&shop, 1, "tok_approve").await?;
    let stranger = shop.as_user("eve", "elsewhere", "buyer");
    refused(open(&stranger, &order.order_id, 1, 0).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let back = open(&shop, &order.order_id, 1, 0).await?;

    refused(receive(&stranger, &back, 1).await, Code::PermissionDenied, "PERMISSION_DENIED")?;

    ensure!(found(&shop, &back).await?.lines[0].received == 0, "a refusal leaves no trace");
    Ok(())
}

pub async fn a_return_of_which_nothing_came_is_closed_or_expires(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (order, _) = delivered(&shop, 2, "tok_approve").await?;
    let closing = open(&shop, &order.order_id, 1, 0).await?;
    let expiring = open(&shop, &order.order_id, 1, 1).await?;

    let request = CloseReturnRequest {
        request_id: shop.request_id(),
        return_id: closing.return_id.clone(),
        note: "kept after all".to_owned(),
    };
    let closed = shop.clients.returns().close_return(request).await?.into_inner().order_return;

    ensure!(closed.context("the answer holds no return")?.state() == ReturnState::Closed);
    eventually("the clock ends the return", async || {
        let back = found(&shop, &expiring).await?;
        Ok((back.state() == ReturnState::Expired).then_some(()))
    })
    .await?;
    let late = receive(&shop, &expiring, 1).await;
    refused(late, Code::FailedPrecondition, "STATE_CONFLICT")?;
    let request = ListReturnsRequest { order_id: order.order_id.clone(), ..ListReturnsRequest::default() };
    let listed = shop.clients.returns().list_returns(request).await?.into_inner().returns;
    ensure!(listed.len() == 2, "{listed:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(after.lines == order.lines && after.totals == order.totals, "nothing of the order moved");
    Ok(())
}

pub async fn a_return_whose_refund_is_declined_is_owed_and_its_goods_are_here(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (order, sku) = delivered(&shop, 1, "tok_refund_declined").await?;
    let back = open(&shop, &order.order_id, 1, 0).await?;
    receive(&shop, &back, 1).await?;

    let change = accept(&shop, &back, 1, 0, Wait::Completed).await?;

    ensure!(change.state() == ChangeOrderState::CompletedWithExceptions, "{change:?}");
    ensure!(change.refund_owed_minor == 1_000, "{change:?}");
    ensure!(shop.shelf(&sku).await? == (1, 0));
    Ok(())
}

pub async fn a_crash_in_the_middle_of_a_return_moves_nothing_twice(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let (order, sku) = delivered(&shop, 2, "tok_refund_timeout").await?;
    let back = open(&shop, &order.order_id, 2, 0).await?;
    receive(&shop, &back, 2).await?;

    let change = accept(&shop, &back, 2, 0, Wait::Committed).await?;
    for service in [Service::Payment, Service::Inventory, Service::Order] {
        suite.kill(service)?;
        suite.restart(service).await?;
    }

    let ended = eventually("the return ends after the crash", async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed).then_some(change))
    })
    .await?;
    ensure!(ended.amounts.unwrap_or_default().amount_minor == 2_000, "{ended:?}");
    ensure!(shop.shelf(&sku).await? == (2, 0), "the units are on the shelf once");
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Succeeded, "{refunds:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Returned);
    assert_books_balance(&suite).await
}
