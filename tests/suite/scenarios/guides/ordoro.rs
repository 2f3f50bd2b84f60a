//! Rows D1 to D17: labels, stock, batches, records.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::inventory::v1::{LabelCredit, LabelState, ListStockLedgerRequest, PartnerWord, VoidLabelRequest};
use proto::order::v1::{ChangeOrder, ChangeOrderState, LabelAction, OrderState, PreviewChangeOrderRequest};
use tests::outside::TRACKING;
use tests::shop::{WAREHOUSE, refused};
use tests::{Shop, eventually};
use tonic::{Code, Status};

use super::under::under;
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    d2_label_may_be_voided_only_where_there_is_one,
    d3_voiding_cancels_the_label_and_asks_for_its_refund,
    d4_kept_label_stays_and_can_be_voided_later,
    d5_order_without_label_has_no_label_options,
    d8_cancel_before_shipping_frees_the_commitment_only,
    d9_cancel_after_shipping_moves_no_stock,
    d10_voided_label_of_a_shipped_order_restocks_its_warehouse_once,
    d11_shipped_orders_can_be_cancelled,
    d16_tracking_number_is_struck_out_and_kept,
    d17_dropship_cancel_asks_the_third_party_and_moves_no_stock,
];

async fn shop(stage: &Stage) -> Result<Shop> {
    under(stage, "ordoro").await
}

async fn cancel(shop: &Shop, order_id: &str, label: LabelAction) -> Result<ChangeOrder, Status> {
    let mut request = shop.cancel_request(order_id, &[]);
    if let Some(change) = &mut request.change {
        change.label_action = label.into();
        change.confirm = true;
    }
    shop.submit(request).await
}

async fn options(shop: &Shop, order_id: &str) -> Result<usize> {
    let change = shop.cancel_request(order_id, &[]).change;
    let request = PreviewChangeOrderRequest { change };
    let preview = shop.clients.changes().preview_change_order(request).await?.into_inner();
    Ok(preview.label_options.len())
}

async fn kinds(shop: &Shop, sku: &str) -> Result<Vec<String>> {
    let request = ListStockLedgerRequest {
        warehouse_id: WAREHOUSE.to_owned(),
        sku: sku.to_owned(),
        ..ListStockLedgerRequest::default()
    };
    let entries = shop.clients.stock().list_stock_ledger(request).await?.into_inner().entries;
    Ok(entries.into_iter().map(|entry| entry.kind).collect())
}

async fn d2_label_may_be_voided_only_where_there_is_one(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (with, _) = shop.labelled("lbl_ok").await?;
    let without = shop.placed(&shop.sku("CABLE"), 1).await?;

    refused(cancel(&shop, &without.order_id, LabelAction::Void).await, Code::InvalidArgument, "NO_LABEL")?;
    let change = cancel(&shop, &with.order_id, LabelAction::Void).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(shop.label(&with.order_id).await?.state() == LabelState::Voided, "the label went with it");
    ensure!(shop.order(&without.order_id).await?.state() != OrderState::Cancelled, "nothing was done");
    Ok(())
}

async fn d3_voiding_cancels_the_label_and_asks_for_its_refund(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (order, _) = shop.labelled("lbl_credit_late").await?;
    let (used, _) = shop.labelled("lbl_used").await?;

    let change = cancel(&shop, &order.order_id, LabelAction::Void).await?;
    let refused_void = cancel(&shop, &used.order_id, LabelAction::Void).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    eventually("the carrier grants the label's refund", async || {
        let label = shop.label(&order.order_id).await?;
        Ok((label.credit() == LabelCredit::Granted).then_some(()))
    })
    .await?;
    ensure!(refused_void.state() == ChangeOrderState::CompletedWithExceptions, "{refused_void:?}");
    ensure!(refused_void.exceptions[0].reason == "LABEL_VOID_REFUSED", "{refused_void:?}");
    ensure!(shop.order(&used.order_id).await?.state() == OrderState::Cancelled, "the order stays cancelled");
    Ok(())
}

async fn d4_kept_label_stays_and_can_be_voided_later(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (order, _) = shop.labelled("lbl_ok").await?;

    cancel(&shop, &order.order_id, LabelAction::Keep).await?;

    let kept = shop.label(&order.order_id).await?;
    ensure!(kept.state() == LabelState::Purchased, "{kept:?}");
    let void = |id: String| VoidLabelRequest { request_id: shop.request_id(), label_id: id };
    shop.clients.labels().void_label(void(kept.label_id.clone())).await?;
    eventually("the label is void", async || {
        Ok((shop.label(&order.order_id).await?.state() == LabelState::Voided).then_some(()))
    })
    .await?;
    let again = shop.clients.labels().void_label(void(kept.label_id)).await;
    refused(again, Code::FailedPrecondition, "STATE_CONFLICT")?;
    Ok(())
}

async fn d5_order_without_label_has_no_label_options(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (with, _) = shop.labelled("lbl_ok").await?;
    let without = shop.placed(&shop.sku("CABLE"), 1).await?;

    ensure!(options(&shop, &with.order_id).await? == 2, "keep or void");
    ensure!(options(&shop, &without.order_id).await? == 0, "nothing to choose");
    refused(cancel(&shop, &without.order_id, LabelAction::Void).await, Code::InvalidArgument, "NO_LABEL")?;
    Ok(())
}

async fn d8_cancel_before_shipping_frees_the_commitment_only(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let sku = shop.sku("LAMP");
    let (order, _) = shop.labelled("lbl_ok").await?;
    ensure!(shop.shelf(&sku).await? == (3, 3), "placing reserves");

    cancel(&shop, &order.order_id, LabelAction::Keep).await?;
    let again = cancel(&shop, &order.order_id, LabelAction::Keep).await;

    refused(again, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    ensure!(shop.shelf(&sku).await? == (3, 0), "{:?}", shop.shelf(&sku).await?);
    let kinds = kinds(&shop, &sku).await?;
    ensure!(kinds == ["adjust", "reserve", "release"], "{kinds:?}");
    Ok(())
}

async fn d9_cancel_after_shipping_moves_no_stock(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let sku = shop.sku("LAMP");
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    shop.ship_labelled(&order.order_id, &fulfillment.fulfillment_id).await?;
    ensure!(shop.shelf(&sku).await? == (0, 0), "it has left");

    cancel(&shop, &order.order_id, LabelAction::Keep).await?;
    let again = cancel(&shop, &order.order_id, LabelAction::Keep).await;

    refused(again, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    ensure!(shop.shelf(&sku).await? == (0, 0), "nothing comes back by itself");
    ensure!(kinds(&shop, &sku).await?.last().context("a ledger")? == "ship", "no movement followed");
    Ok(())
}

async fn d10_voided_label_of_a_shipped_order_restocks_its_warehouse_once(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let sku = shop.sku("LAMP");
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    shop.ship_labelled(&order.order_id, &fulfillment.fulfillment_id).await?;
    let (kept, other) = shop.labelled("lbl_used").await?;
    shop.ship_labelled(&kept.order_id, &other.fulfillment_id).await?;

    let change = cancel(&shop, &order.order_id, LabelAction::Void).await?;
    let refused_void = cancel(&shop, &kept.order_id, LabelAction::Void).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(refused_void.state() == ChangeOrderState::CompletedWithExceptions, "{refused_void:?}");
    ensure!(shop.shelf(&sku).await? == (3, 0), "only what was really voided came back");
    let restocked = kinds(&shop, &sku).await?.iter().filter(|kind| *kind == "restock_label_void").count();
    ensure!(restocked == 1, "exactly once");
    Ok(())
}

async fn d11_shipped_orders_can_be_cancelled(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    shop.ship_labelled(&order.order_id, &fulfillment.fulfillment_id).await?;
    let strict = Shop::open(stage.suite().await?.clients()).await?;
    let (held_to, left) = strict.labelled("lbl_ok").await?;
    strict.ship_labelled(&held_to.order_id, &left.fulfillment_id).await?;

    let change = cancel(&shop, &order.order_id, LabelAction::Keep).await?;
    let denied = strict.submit(strict.cancel_request(&held_to.order_id, &[])).await;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let cancelled = shop.order(&order.order_id).await?;
    ensure!(cancelled.state() == OrderState::Cancelled, "{:?}", cancelled.state());
    let units = cancelled.lines[0].quantities.unwrap_or_default();
    ensure!(units.cancelled_after_ship == 3 && units.cancelled == 0, "{units:?}");
    ensure!(
        denied.is_err_and(|status| status.code() == Code::FailedPrecondition),
        "another policy forbids it"
    );
    Ok(())
}

async fn d16_tracking_number_is_struck_out_and_kept(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (order, _) = shop.labelled("lbl_ok").await?;
    let (refused_void, _) = shop.labelled("lbl_window").await?;

    cancel(&shop, &order.order_id, LabelAction::Void).await?;
    cancel(&shop, &refused_void.order_id, LabelAction::Void).await?;

    let label = shop.label(&order.order_id).await?;
    ensure!(label.tracking_void && label.tracking_number == TRACKING, "{label:?}");
    let valid = shop.label(&refused_void.order_id).await?;
    ensure!(!valid.tracking_void, "a void that was refused leaves the number valid: {valid:?}");
    Ok(())
}

async fn d17_dropship_cancel_asks_the_third_party_and_moves_no_stock(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    shop.partner("default_unknown").await?;
    let (order, fulfillment) = shop.at_partner("").await?;
    ensure!(fulfillment.integration == "default_unknown", "a third party has it: {fulfillment:?}");

    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;
    let task = shop.task(&order.order_id, |task| task.needs_person).await?;
    ensure!(shop.change(&change.change_order_id).await?.decided_at.is_empty(), "not without its word");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;

    eventually("the order is cancelled", async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.state() == OrderState::Cancelled).then_some(()))
    })
    .await?;
    ensure!(kinds(&shop, &shop.sku("KITE")).await?.is_empty(), "its shelves are no affair of ours");
    Ok(())
}
