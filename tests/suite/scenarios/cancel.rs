//! Cancelling orders and lines of them.

use anyhow::{Context, Result, ensure};
use proto::notification::v1::{GetNotificationRequest, ListNotificationsRequest};
use proto::order::v1::{ChangeOrderState, GetTimelineRequest, OrderState};
use proto::payment::v1::RefundState;
use tests::shop::{card, line, refused};
use tests::{Shop, eventually};
use tonic::Code;

use crate::Stage;

pub async fn a_whole_order_is_cancelled_everywhere(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, 5).await?;
    ensure!(shop.stock(&sku).await?.reserved == 5, "placing reserves");

    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let order = shop.order(&order.order_id).await?;
    ensure!(order.state() == OrderState::Cancelled, "{:?}", order.state());
    ensure!(order.totals.unwrap_or_default().total_minor == 0, "{:?}", order.totals);
    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (5, 0), "{stock:?}");
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].state() == RefundState::Succeeded, "{refunds:?}");
    ensure!(refunds[0].amount_minor == 5_000, "{refunds:?}");
    Ok(())
}

pub async fn units_of_a_line_are_cancelled(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (lamp, cable) = (shop.sku("LAMP"), shop.sku("CABLE"));
    shop.receive(&lamp, 3).await?;
    shop.receive(&cable, 9).await?;
    let mut request = shop.order_request(&lamp, 3, "10.00", 0);
    request.lines.push(line(&cable, 9, "1.11"));
    request.tenders = vec![card("tok_approve", 3_000 + 999, true)];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2), (2, 4)])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.amounts.unwrap_or_default().amount_minor == 2_000 + 444, "{:?}", change.amounts);
    let order = shop.order(&order.order_id).await?;
    ensure!(order.state() == OrderState::Confirmed, "what is left is still wanted: {:?}", order.state());
    let open: Vec<i64> = order.lines.iter().map(|line| line.quantities.unwrap_or_default().open).collect();
    ensure!(open == [1, 5], "{open:?}");
    ensure!(shop.stock(&cable).await?.reserved == 5, "the other units stay reserved");
    Ok(())
}

pub async fn a_cancelled_order_has_nothing_left_to_cancel(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let again = shop.submit(shop.cancel_request(&order.order_id, &[])).await;

    refused(again, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    Ok(())
}

pub async fn more_than_is_open_is_refused_and_changes_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let before = shop.placed(&shop.sku("LAMP"), 2).await?;

    let answer = shop.submit(shop.cancel_request(&before.order_id, &[(1, 3)])).await;

    refused(answer, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    ensure!(shop.order(&before.order_id).await? == before, "a refusal leaves no trace");
    Ok(())
}

pub async fn the_timeline_tells_every_step_with_its_actor(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let request = GetTimelineRequest { order_id: order.order_id, page_size: 200, page_token: String::new() };
    let entries = shop.clients.orders().get_timeline(request).await?.into_inner().entries;

    let sequences: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
    ensure!(sequences == (1..=i64::try_from(entries.len())?).collect::<Vec<_>>(), "{sequences:?}");
    for step in ["hold_goods", "reserve_refund", "commit_change", "release_goods", "settle_refund"] {
        ensure!(entries.iter().any(|entry| entry.event.contains(step)), "no entry tells {step}");
    }
    for entry in &entries {
        let actor = entry.actor.clone().unwrap_or_default();
        ensure!(!actor.user.is_empty() && !entry.summary.is_empty() && !entry.at.is_empty(), "{entry:?}");
    }
    ensure!(entries.iter().any(|entry| entry.reason_code == "CUSTOMER_REQUEST"), "nobody says why");
    Ok(())
}

pub async fn people_are_told(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let told = async || {
        let request = ListNotificationsRequest {
            order_id: order.order_id.clone(),
            ..ListNotificationsRequest::default()
        };
        let page = shop.clients.notifications().list_notifications(request).await?.into_inner();
        let confirmed = page.notifications.iter().filter(|it| it.template == "cancellation.confirmed");
        let buyer: Vec<_> = confirmed.filter(|it| it.audience == "buyer" && it.channel == "inbox").collect();
        Ok((buyer.len() == 1).then(|| buyer[0].clone()))
    };
    let listed = eventually("the buyer is told once that the order was cancelled", told).await?;
    let request = GetNotificationRequest { notification_id: listed.notification_id.clone() };
    let read = shop.clients.notifications().get_notification(request).await?.into_inner().notification;
    let read = read.context("the answer holds no notification")?;
    ensure!(read.notification_id == listed.notification_id && !read.subject.is_empty(), "{read:?}");
    ensure!(read.body.contains(&order.number), "the message names the order: {read:?}");
    Ok(())
}
