//! Parcels: their labels, how they are undone, and that it is believed when one has left.

use anyhow::{Context, Result, ensure};
use proto::inventory::v1::{
    AdjustStockRequest, DeliverFulfillmentRequest, FulfillmentState, GetStockRequest, MoveFulfillmentRequest,
    ReportPartnerShipmentRequest, StockAdjustment, UnpackFulfillmentRequest, VoidLabelRequest, WarehouseKind,
};
use proto::order::v1::{ChangeOrderState, LabelAction, OrderState};
use tests::shop::{WAREHOUSE, refused};
use tests::{Shop, eventually};
use tonic::Code;

use super::goods::{cancel, open, pack, shipped};
use super::guides::under::under;
use crate::Stage;

pub async fn a_label_is_its_parcels_whatever_number_the_shipment_names(stage: &Stage) -> Result<()> {
    let shop = under(stage, "ordoro").await?;
    let sku = shop.sku("LAMP");
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    // The label's number is not repeated.
    shipped(&shop, &order.order_id, &fulfillment.fulfillment_id).await?;
    ensure!(shop.shelf(&sku).await? == (0, 0), "it has left");

    let change = cancel(&shop, &order.order_id, LabelAction::Void).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(shop.shelf(&sku).await? == (3, 0), "{:?}", shop.shelf(&sku).await?);
    Ok(())
}

pub async fn the_label_of_a_delivered_parcel_is_not_voided(stage: &Stage) -> Result<()> {
    let shop = under(stage, "ordoro").await?;
    let (order, fulfillment) = shop.labelled("lbl_ok").await?;
    shipped(&shop, &order.order_id, &fulfillment.fulfillment_id).await?;
    deliver(&shop, &fulfillment.fulfillment_id).await?;
    let label_id = shop.label(&order.order_id).await?.label_id;

    let request = VoidLabelRequest { request_id: shop.request_id(), label_id };
    let answer = shop.clients.labels().void_label(request).await;

    refused(answer, Code::FailedPrecondition, "DELIVERED")?;
    Ok(())
}

async fn deliver(shop: &Shop, fulfillment_id: &str) -> Result<()> {
    let request = DeliverFulfillmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: fulfillment_id.to_owned(),
        ..DeliverFulfillmentRequest::default()
    };
    shop.clients.fulfillments().deliver_fulfillment(request).await?;
    Ok(())
}

pub async fn our_own_warehouse_is_believed_that_it_shipped_what_was_cancelled(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, 2).await?;
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(shop.shelf(&sku).await? == (2, 0), "the books say that they are here");
    let instruction = shop.ship(&fulfillment.fulfillment_id).await;
    refused(instruction, Code::FailedPrecondition, "STATE_CONFLICT")?;

    let request = ReportPartnerShipmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        tracking_number: "1Z7".to_owned(),
        ..ReportPartnerShipmentRequest::default()
    };
    let report = shop.clients.integrations().report_partner_shipment(request).await?.into_inner();

    ensure!((report.shipped, report.shipped_after_cancel) == (0, 2), "{report:?}");
    ensure!(shop.shelf(&sku).await? == (0, 0), "they are not on the shelf");
    eventually("somebody is asked to look", async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.attention_open && order.state() == OrderState::Cancelled).then_some(()))
    })
    .await
}

pub async fn a_parcel_is_undone_or_packed_elsewhere_without_a_label(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (sku, york) = (shop.sku("LAMP"), shop.sku("YORK"));
    open(&shop, &york, WarehouseKind::Own).await?;
    let order = shop.placed(&sku, 2).await?;
    let packed = shop.submitted(&order.order_id).await?;

    let request = UnpackFulfillmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: packed.fulfillment_id.clone(),
        ..UnpackFulfillmentRequest::default()
    };
    let undone = shop.clients.fulfillments().unpack_fulfillment(request).await?.into_inner().fulfillment;
    ensure!(undone.unwrap_or_default().state() == FulfillmentState::Cancelled, "nothing is in it any more");
    ensure!(shop.shelf(&sku).await? == (2, 2), "its goods stay promised");
    let again = pack(&shop, &order.order_id, WAREHOUSE, false).await?;

    let request = || MoveFulfillmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: again.fulfillment_id.clone(),
        warehouse_id: york.clone(),
        ..MoveFulfillmentRequest::default()
    };
    let lacking = shop.clients.fulfillments().move_fulfillment(request()).await;
    refused(lacking, Code::FailedPrecondition, "INSUFFICIENT_STOCK")?;
    receive_at(&shop, &york, &sku, 2).await?;
    let moved = shop.clients.fulfillments().move_fulfillment(request()).await?.into_inner().fulfillment;
    let moved = moved.context("the answer holds no fulfillment")?;
    ensure!(moved.warehouse_id == york && shop.shelf(&sku).await? == (2, 0), "{moved:?}");

    shipped(&shop, &order.order_id, &moved.fulfillment_id).await?;
    let request = GetStockRequest { sku: sku.clone(), warehouse_id: york.clone() };
    let stock = shop.clients.stock().get_stock(request).await?.into_inner().stock;
    ensure!((stock[0].on_hand, stock[0].reserved) == (0, 0), "{stock:?}");
    let next = shop.create(shop.order_request(&sku, 2, "10.00", 2_000)).await?;
    receive_at(&shop, &york, &sku, 2).await?;
    ensure!(pack(&shop, &next.order_id, &york, false).await.is_err(), "it is reserved elsewhere");
    pack(&shop, &next.order_id, &york, true).await?;
    ensure!(shop.shelf(&sku).await? == (2, 0), "its reservation has moved");
    Ok(())
}

async fn receive_at(shop: &Shop, warehouse_id: &str, sku: &str, delta: i64) -> Result<()> {
    let adjustment = StockAdjustment { warehouse_id: warehouse_id.to_owned(), sku: sku.to_owned(), delta };
    let request = AdjustStockRequest { request_id: shop.request_id(), adjustments: vec![adjustment] };
    shop.clients.stock().adjust_stock(request).await?;
    Ok(())
}
