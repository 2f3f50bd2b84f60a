//! Goods say what is so: what is given out, of which bundle, from which shelf, and what comes back of it.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    AssignSkuRequest, CreateFulfillmentRequest, Fulfillment, ListReservationsRequest, UpsertWarehouseRequest,
    Warehouse, WarehouseKind,
};
use proto::order::v1::{
    AcceptReturnLineInput, AcceptReturnRequest, BatchState, ChangeOrder, ChangeOrderState, ChangeOrderType,
    CreateBatchRequest, GetBatchRequest, LabelAction, LineInput, OpenReturnRequest, Order, OrderState,
    ProposeChangeOrderRequest, ProposedItem, ProposedLine, ReceiveReturnRequest, ReturnLineInput,
};
use tests::shop::{WAREHOUSE, card, line, refused};
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::{Code, Status};

use super::guides::under::under;
use super::proposals::{approve, buyer, propose, supplier, two_sided};
use super::restore::restore;
use crate::Stage;

/// While the gateway is away an order is neither placed nor failed: its goods are promised, and stay.
pub async fn nothing_is_given_out_before_the_order_is_placed(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    suite.kill(Service::Payment)?;
    let mut request = shop.order_request(&sku, 2, "10.00", 0);
    request.tenders = vec![card("tok_decline", 2_000, true)];
    request.wait = Wait::Unspecified.into();
    let order = shop.create(request).await?;
    eventually("its goods are promised", async || {
        let promised = shop.stock(&sku).await.is_ok_and(|stock| stock.reserved == 2);
        Ok(promised.then_some(()))
    })
    .await?;

    let early = pack(&shop, &order.order_id, WAREHOUSE, false).await;

    refused(early, Code::Aborted, "CHANGE_IN_PROGRESS")?;
    suite.restart(Service::Payment).await?;
    eventually("the card declines and the placement has failed", async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.state() == OrderState::PlacementFailed).then_some(()))
    })
    .await?;
    ensure!(shop.shelf(&sku).await? == (2, 0), "nothing has left: {:?}", shop.shelf(&sku).await?);
    let placed = shop.create(shop.order_request(&sku, 2, "10.00", 2_000)).await?;
    pack(&shop, &placed.order_id, WAREHOUSE, false).await?;
    assert_books_balance(&suite).await
}

pub async fn pack(shop: &Shop, order_id: &str, at: &str, moving: bool) -> Result<Fulfillment, Status> {
    let request = CreateFulfillmentRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        warehouse_id: at.to_owned(),
        move_reservation: moving,
        ..CreateFulfillmentRequest::default()
    };
    let answer = shop.clients.fulfillments().create_fulfillment(request).await?.into_inner();
    answer.fulfillment.ok_or_else(|| Status::internal("the answer holds no fulfillment"))
}

/// Everything that is packed of an order has left, and the order knows.
pub async fn shipped(shop: &Shop, order_id: &str, fulfillment_id: &str) -> Result<Order> {
    shop.ship(fulfillment_id).await?;
    eventually("the order knows that it was shipped", async || {
        let order = shop.order(order_id).await?;
        let all = order.lines.iter().all(|line| {
            let units = line.quantities.unwrap_or_default();
            units.open == 0 && units.fulfilled > 0
        });
        Ok(all.then_some(order))
    })
    .await
}

pub async fn cancel(shop: &Shop, order_id: &str, label: LabelAction) -> Result<ChangeOrder, Status> {
    let mut request = shop.cancel_request(order_id, &[]);
    if let Some(change) = &mut request.change {
        change.label_action = label.into();
        change.confirm = true;
    }
    shop.submit(request).await
}

/// Two sets at 25.00, of two cups each, shipped. Nobody has stock of a set.
async fn shipped_sets(shop: &Shop) -> Result<Order> {
    shop.receive(&shop.sku("CUP"), 4).await?;
    let mut request = shop.order_request(&shop.sku("SET"), 2, "25.00", 5_000);
    request.lines.push(cups(shop));
    let order = shop.create(request).await?;
    ensure!(order.state() == OrderState::Confirmed, "a set is made of its cups: {order:?}");
    let fulfillment = shop.submitted(&order.order_id).await?;
    shipped(shop, &order.order_id, &fulfillment.fulfillment_id).await
}

fn cups(shop: &Shop) -> LineInput {
    LineInput { parent_line: 1, ratio: 2, ..line(&shop.sku("CUP"), 4, "0") }
}

/// Opens a return of units of a line, receives them and takes them back.
async fn taken_back(shop: &Shop, order_id: &str, line_number: i64, units: i64) -> Result<ChangeOrder> {
    let lines = || vec![ReturnLineInput { line_id: String::new(), line_number, quantity: units }];
    let request = OpenReturnRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        lines: lines(),
        reason_code: "DAMAGED".to_owned(),
        ..OpenReturnRequest::default()
    };
    let opened = shop.clients.returns().open_return(request).await?.into_inner().order_return;
    let return_id = opened.context("the answer holds no return")?.return_id;
    let request = ReceiveReturnRequest {
        request_id: shop.request_id(),
        return_id: return_id.clone(),
        lines: lines(),
        ..ReceiveReturnRequest::default()
    };
    shop.clients.returns().receive_return(request).await?;
    let line = AcceptReturnLineInput { line_number, restock: units, ..AcceptReturnLineInput::default() };
    let request = AcceptReturnRequest {
        request_id: shop.request_id(),
        return_id,
        lines: vec![line],
        wait: Wait::Completed.into(),
        ..AcceptReturnRequest::default()
    };
    let change = shop.clients.returns().accept_return(request).await?.into_inner().change_order;
    change.context("the answer holds no change order")
}

pub async fn a_bundle_that_comes_back_brings_its_parts_to_the_shelf(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shipped_sets(&shop).await?;

    let change = taken_back(&shop, &order.order_id, 1, 1).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.amounts.unwrap_or_default().amount_minor == 2_500, "{change:?}");
    ensure!(shop.shelf(&shop.sku("CUP")).await? == (2, 0), "its cups are back");
    taken_back(&shop, &order.order_id, 1, 1).await?;
    let after = shop.order(&order.order_id).await?;
    ensure!(after.state() == OrderState::Returned, "{after:?}");
    ensure!(shop.shelf(&shop.sku("CUP")).await? == (4, 0), "all of them");
    Ok(())
}

pub async fn a_part_that_comes_back_alone_brings_no_money(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shipped_sets(&shop).await?;

    let change = taken_back(&shop, &order.order_id, 2, 4).await?;

    ensure!(change.amounts.unwrap_or_default().amount_minor == 0, "{change:?}");
    ensure!(shop.refunds(&order.order_id).await?.is_empty(), "the sets are kept, and paid");
    // The sets have the whole price, and no cup is left to come with them.
    let sets = taken_back(&shop, &order.order_id, 1, 2).await?;
    ensure!(sets.amounts.unwrap_or_default().amount_minor == 5_000, "{sets:?}");
    ensure!(shop.shelf(&shop.sku("CUP")).await? == (4, 0), "each came back once");
    Ok(())
}

pub async fn a_bundle_is_made_of_its_parts_unless_it_has_stock_of_its_own(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    shop.receive(&shop.sku("CUP"), 8).await?;
    let mut request = shop.order_request(&shop.sku("SET"), 2, "25.00", 5_000);
    request.lines.push(cups(&shop));
    request.lines[0].own_stock = true;
    let without = shop.create(request.clone()).await?;
    ensure!(without.placement_cause.unwrap_or_default().reason == "INSUFFICIENT_STOCK", "no set is there");

    shop.receive(&shop.sku("SET"), 2).await?;
    request.request_id = shop.request_id();
    let with = shop.create(request.clone()).await?;
    ensure!(shop.shelf(&shop.sku("SET")).await? == (2, 2) && with.lines[0].own_stock, "{with:?}");

    request.request_id = shop.request_id();
    request.lines[0].own_stock = false;
    let made = shop.create(request).await?;
    ensure!(made.state() == OrderState::Confirmed, "{made:?}");
    ensure!(shop.shelf(&shop.sku("SET")).await? == (2, 2), "it takes no set off the shelf");
    ensure!(shop.shelf(&shop.sku("CUP")).await? == (8, 8), "but its cups");
    shop.submit(shop.cancel_request(&made.order_id, &[(1, 1)])).await?;
    ensure!(shop.shelf(&shop.sku("CUP")).await? == (8, 6), "which it gives back");
    Ok(())
}

pub async fn a_batch_by_article_takes_no_part_out_of_a_bundle_for_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    shop.receive(&shop.sku("CUP"), 6).await?;
    let mut request = shop.order_request(&shop.sku("SET"), 2, "25.00", 5_000);
    request.lines.push(cups(&shop));
    let set = shop.create(request).await?;
    let alone = shop.create(shop.order_request(&shop.sku("CUP"), 2, "5.00", 1_000)).await?;

    let request = CreateBatchRequest {
        request_id: shop.request_id(),
        sku: shop.sku("CUP"),
        reason_code: "OUT_OF_STOCK".to_owned(),
        ..CreateBatchRequest::default()
    };
    let batch = shop.clients.batches().create_batch(request).await?.into_inner().batch;
    let batch_id = batch.context("the answer holds no batch")?.batch_id;
    eventually("the batch has ended", async || {
        let request = GetBatchRequest { batch_id: batch_id.clone() };
        let batch = shop.clients.batches().get_batch(request).await?.into_inner().batch.unwrap_or_default();
        let ends = (batch.state(), batch.cancelled, batch.refused);
        Ok((ends == (BatchState::Completed, 1, 1)).then_some(()))
    })
    .await?;

    ensure!(shop.order(&set.order_id).await?.version == set.version, "the bundle is as it was");
    ensure!(shop.order(&alone.order_id).await?.state() == OrderState::Cancelled, "the cups alone are not");
    Ok(())
}

/// One that would be asked first, if it were asked.
pub async fn a_third_party_delivers_only_what_is_assigned_to_it(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (mill, lamp, kite) = (shop.sku("MILL"), shop.sku("LAMP"), shop.sku("KITE"));
    open(&shop, &mill, WarehouseKind::Dropship).await?;

    shop.placed(&lamp, 2).await?;
    ensure!(shop.shelf(&lamp).await? == (2, 2), "our own shelf serves it");
    let unassigned = shop.create(shop.order_request(&kite, 2, "10.00", 2_000)).await?;
    ensure!(
        unassigned.placement_cause.unwrap_or_default().reason == "INSUFFICIENT_STOCK",
        "nobody said that the mill has kites"
    );

    let request =
        AssignSkuRequest { request_id: shop.request_id(), sku: kite.clone(), warehouse_id: mill.clone() };
    shop.clients.stock().assign_sku(request).await?;
    let assigned = shop.create(shop.order_request(&kite, 2, "10.00", 2_000)).await?;
    let request = ListReservationsRequest { order_id: assigned.order_id.clone() };
    let kept = shop.clients.stock().list_reservations(request).await?.into_inner().reservations;
    ensure!(kept.iter().all(|row| row.warehouse_id == mill), "{kept:?}");
    let mut named = shop.order_request(&lamp, 1, "10.00", 1_000);
    named.lines[0].warehouse_id = mill;
    ensure!(shop.create(named).await?.state() == OrderState::Confirmed, "a line may name it, too");
    Ok(())
}

pub async fn open(shop: &Shop, warehouse_id: &str, kind: WarehouseKind) -> Result<()> {
    let warehouse = Warehouse {
        warehouse_id: warehouse_id.to_owned(),
        kind: kind.into(),
        priority: if kind == WarehouseKind::Dropship { 0 } else { 5 },
        active: true,
        ..Warehouse::default()
    };
    let request = UpsertWarehouseRequest { request_id: shop.request_id(), warehouse: Some(warehouse) };
    shop.clients.stock().upsert_warehouse(request).await?;
    Ok(())
}

pub async fn what_was_cancelled_after_it_had_left_is_restored_or_refused_at_once(
    stage: &Stage,
) -> Result<()> {
    let shop = under(stage, "ordoro").await?;
    let sku = shop.sku("LAMP");
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    shipped(&shop, &order.order_id, &fulfillment.fulfillment_id).await?;
    cancel(&shop, &order.order_id, LabelAction::Void).await?;
    ensure!(shop.shelf(&sku).await? == (3, 0), "its label was voided");
    let order = shop.order(&order.order_id).await?;
    let units = order.lines[0].quantities.unwrap_or_default();
    ensure!((order.state(), units.cancelled_after_ship) == (OrderState::Cancelled, 3), "{order:?}");

    let other = shop.create(shop.order_request(&sku, 1, "10.00", 1_000)).await?;
    let lacking = restore(&shop, &order.order_id, Vec::new()).await;
    refused(lacking, Code::FailedPrecondition, "INSUFFICIENT_STOCK")?;
    cancel(&shop, &other.order_id, LabelAction::Keep).await?;

    let change = restore(&shop, &order.order_id, Vec::new()).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    let units = after.lines[0].quantities.unwrap_or_default();
    ensure!((units.fulfilled, units.cancelled_after_ship) == (3, 0), "{after:?}");
    ensure!(shop.shelf(&sku).await? == (0, 0), "they have left again");
    Ok(())
}

pub async fn an_edit_of_a_cancelled_order_is_a_restoration(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let mug = shop.sku("MUG");
    shop.receive(&mug, 2).await?;
    let add = || ProposeChangeOrderRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        r#type: ChangeOrderType::AddItem.into(),
        items: vec![ProposedItem {
            sku: mug.clone(),
            quantity: 1,
            unit_price: "2.50".to_owned(),
            ..ProposedItem::default()
        }],
        tenders: vec![card("tok_approve", 250, true)],
        ..ProposeChangeOrderRequest::default()
    };
    let before = propose(&supplier(&shop), add()).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let edits = [
        add(),
        ProposeChangeOrderRequest {
            r#type: ChangeOrderType::EditQuantity.into(),
            items: Vec::new(),
            tenders: Vec::new(),
            lines: vec![ProposedLine { line_number: 1, new_quantity: 1, ..ProposedLine::default() }],
            ..add()
        },
    ];
    for edit in edits {
        refused(propose(&supplier(&shop), edit).await, Code::FailedPrecondition, "USE_RESTORE")?;
    }
    // One that was made before does not revive it either.
    let agreed = approve(&shop, &buyer(&shop), &before.change_order_id).await;
    refused(agreed, Code::FailedPrecondition, "USE_RESTORE")?;
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled, "it stays cancelled");
    Ok(())
}
