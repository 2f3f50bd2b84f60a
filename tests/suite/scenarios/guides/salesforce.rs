//! Rows S1 to S23: change orders.

use anyhow::{Result, ensure};
use proto::inventory::v1::CreateFulfillmentRequest;
use proto::order::v1::{
    ChangeLineInput, ChangeOrderState, ChangeOrderType, LineDefaults, Order, OrderLineState, OrderState,
    PreviewChangeOrderRequest,
};
use tests::shop::{WAREHOUSE, line, refused};
use tests::{Shop, eventually};
use tonic::Code;

use super::under::{can, placed, unchanged, under};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    s1_only_what_is_not_allocated_can_be_cancelled,
    s3_items_or_all_are_two_flows,
    s4_at_most_a_hundred_items_are_selected,
    s5_cancel_all_leaves_what_is_not_eligible,
    s6_only_eligible_items_are_listed,
    s11_details_are_required_for_each_item,
    s12_in_cancel_all_the_details_apply_to_all,
    s14_a_review_before_the_submit_is_held_to,
    s17_the_totals_of_the_order_follow,
    s18_excess_funds_are_refunded,
    s19_no_credit_memo_is_made,
    s20_the_quantities_of_the_product_follow,
    s21_an_item_without_quantity_is_cancelled,
    s22_otherwise_the_state_tells_of_what_is_left,
];

/// Allocates the first line of an order and waits until the order has heard of it.
pub async fn allocated(shop: &Shop, order: &Order) -> Result<()> {
    let first = &order.lines[0];
    let selection = proto::inventory::v1::FulfillmentLineSelection {
        line_id: first.line_id.clone(),
        quantity: first.quantities.unwrap_or_default().open,
    };
    let request = CreateFulfillmentRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        warehouse_id: WAREHOUSE.to_owned(),
        lines: vec![selection],
        ..CreateFulfillmentRequest::default()
    };
    shop.clients.fulfillments().create_fulfillment(request).await?;
    eventually("the order hears of the allocation", async || {
        let state = shop.order(&order.order_id).await?.lines[0].state();
        Ok((state == OrderLineState::Allocated).then_some(()))
    })
    .await
}

fn all_eligible(shop: &Shop, order: &Order) -> proto::order::v1::SubmitChangeOrderRequest {
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.change.get_or_insert_default().r#type = ChangeOrderType::AllEligible.into();
    request
}

pub async fn s1_only_what_is_not_allocated_can_be_cancelled(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    allocated(&shop, &order).await?;
    let before = shop.order(&order.order_id).await?;
    for lines in [&[(1, 1)][..], &[]] {
        let answer = shop.submit(shop.cancel_request(&order.order_id, lines)).await;
        refused(answer, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
        unchanged(&shop, &before).await?;
    }
    shop.submit(shop.cancel_request(&order.order_id, &[(2, 4)])).await?;
    ensure!(shop.order(&order.order_id).await?.lines[1].state() == OrderLineState::Cancelled);
    Ok(())
}

pub async fn s3_items_or_all_are_two_flows(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    let mut mixed = all_eligible(&shop, &order);
    mixed.change.get_or_insert_default().lines =
        vec![ChangeLineInput { line_number: 1, quantity: 1, ..ChangeLineInput::default() }];
    refused(shop.submit(mixed).await, Code::InvalidArgument, "FIELD_INVALID")?;
    unchanged(&shop, &order).await?;

    let items = shop.submit(shop.cancel_request(&order.order_id, &[(2, 1)])).await?;
    let all = shop.submit(all_eligible(&shop, &order)).await?;
    let types = [items.r#type(), all.r#type()];
    ensure!(types == [ChangeOrderType::CancelItems, ChangeOrderType::AllEligible], "{types:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled);
    Ok(())
}

pub async fn s4_at_most_a_hundred_items_are_selected(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let sku = shop.sku("PEN");
    shop.receive(&sku, 101).await?;
    let mut request = shop.order_request(&sku, 1, "1.00", 10_100);
    request.lines = (0..101).map(|_| line(&sku, 1, "1.00")).collect();
    let order = shop.create(request).await?;
    let lines: Vec<(i64, i64)> = (1..=101).map(|number| (number, 1)).collect();

    let answer = shop.submit(shop.cancel_request(&order.order_id, &lines)).await;
    refused(answer, Code::InvalidArgument, "TOO_MANY_LINES")?;
    unchanged(&shop, &order).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &lines[..100])).await?;
    ensure!(change.lines.len() == 100 && change.state() == ChangeOrderState::Completed);
    Ok(())
}

pub async fn s5_cancel_all_leaves_what_is_not_eligible(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    allocated(&shop, &order).await?;

    let change = shop.submit(all_eligible(&shop, &order)).await?;

    ensure!(change.lines.len() == 1 && change.lines[0].line_number == 2, "{change:?}");
    ensure!(change.skipped.len() == 1 && change.skipped[0].line_number == 1, "{:?}", change.skipped);
    ensure!(!change.skipped[0].reason.is_empty() && !change.skipped[0].message.is_empty());
    let left = shop.order(&order.order_id).await?;
    ensure!(left.lines[0].quantities.unwrap_or_default().open == 2, "what is not eligible stays");
    let again = shop.submit(all_eligible(&shop, &order)).await;
    refused(again, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &left).await
}

pub async fn s6_only_eligible_items_are_listed(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    allocated(&shop, &order).await?;
    let answer = can(&shop, &order).await?;
    let available: Vec<i64> = answer.lines.iter().map(|line| line.available_to_cancel).collect();
    ensure!(available == [0, 4] && answer.lines[0].blockers.len() == 1, "{answer:?}");
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(refusal, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    Ok(())
}

pub async fn s11_details_are_required_for_each_item(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1), (2, 1)]);
    let change = request.change.get_or_insert_default();
    change.reason_code = String::new();
    "CHANGED_MIND".clone_into(&mut change.lines[0].reason_code);
    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "REASON_REQUIRED")?;
    unchanged(&shop, &order).await?;

    // Apply to all items, but for those that say otherwise.
    let defaults = LineDefaults { reason_code: "OUT_OF_STOCK".to_owned(), note: "again".to_owned() };
    request.change.get_or_insert_default().defaults = Some(defaults);
    let accepted = shop.submit(request).await?;
    let stored = shop.change(&accepted.change_order_id).await?;
    let reasons: Vec<&str> = stored.lines.iter().map(|line| line.reason_code.as_str()).collect();
    ensure!(reasons == ["CHANGED_MIND", "OUT_OF_STOCK"] && stored.lines[1].note == "again", "{stored:?}");
    Ok(())
}

pub async fn s12_in_cancel_all_the_details_apply_to_all(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    let mut request = all_eligible(&shop, &order);
    let change = request.change.get_or_insert_default();
    change.reason_code = String::new();
    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "REASON_REQUIRED")?;
    unchanged(&shop, &order).await?;

    let defaults = LineDefaults { reason_code: "NO_CAPACITY".to_owned(), note: "closed".to_owned() };
    request.change.get_or_insert_default().defaults = Some(defaults);
    let stored = shop.submit(request).await?;
    let same =
        |line: &proto::order::v1::ChangeOrderLine| line.reason_code == "NO_CAPACITY" && line.note == "closed";
    ensure!(stored.lines.len() == 2 && stored.lines.iter().all(same), "{stored:?}");
    Ok(())
}

pub async fn s14_a_review_before_the_submit_is_held_to(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(2, 2)]);
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    let review = shop.clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(review.total_before_minor - review.total_after_minor == 200, "{review:?}");
    request.quote_id = review.quote_id.clone();
    let change = shop.submit(request).await?;
    ensure!(change.amounts == review.amounts, "{change:?}");

    let mut outdated = shop.cancel_request(&order.order_id, &[(2, 2)]);
    outdated.quote_id = review.quote_id;
    let before = shop.order(&order.order_id).await?;
    refused(shop.submit(outdated).await, Code::Aborted, "QUOTE_STALE")?;
    unchanged(&shop, &before).await
}

pub async fn s17_the_totals_of_the_order_follow(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let now = shop.order(&order.order_id).await?;
    ensure!(now.totals.unwrap_or_default().total_minor == 1_400 && now.version > order.version, "{now:?}");
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(1, 2)])).await;
    refused(refusal, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &now).await
}

pub async fn s18_excess_funds_are_refunded(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1), (2, 4)]);
    let change = shop.submit(request.clone()).await?;
    ensure!(change.state() == ChangeOrderState::Completed && change.refund_owed_minor == 0, "{change:?}");
    let refunded: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(refunded == 1_400, "{refunded}");
    // Nothing is in excess that is not cancelled.
    request.request_id = shop.request_id();
    refused(shop.submit(request).await, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    ensure!(shop.refunds(&order.order_id).await?.len() == 1);
    Ok(())
}

pub async fn s19_no_credit_memo_is_made(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(2, 4)])).await?;
    let refunds = shop.refunds(&order.order_id).await?;
    ensure!(refunds.len() == 1, "the excess goes back to the card and makes no other document: {refunds:?}");
    let told = super::under::timeline(&shop, &order).await?;
    ensure!(!told.iter().any(|entry| entry.event.contains("credit")), "{told:?}");
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(2, 1)])).await;
    refused(refusal, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    Ok(())
}

pub async fn s20_the_quantities_of_the_product_follow(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(2, 3)])).await?;
    let now = shop.order(&order.order_id).await?;
    let cups = now.lines[1].quantities.unwrap_or_default();
    ensure!((cups.ordered, cups.open, cups.cancelled, cups.net) == (4, 1, 3, 1), "{cups:?}");
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(2, 2)])).await;
    refused(refusal, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &now).await
}

pub async fn s21_an_item_without_quantity_is_cancelled(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(2, 4)])).await?;
    let now = shop.order(&order.order_id).await?;
    ensure!(now.lines[1].state() == OrderLineState::Cancelled, "{:?}", now.lines[1]);
    ensure!(now.lines[0].state() == OrderLineState::Ordered, "{:?}", now.lines[0]);
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(2, 1)])).await;
    refused(refusal, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    Ok(())
}

pub async fn s22_otherwise_the_state_tells_of_what_is_left(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let order = placed(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let left = shop.order(&order.order_id).await?;
    ensure!(left.lines[0].state() == OrderLineState::Ordered, "{:?}", left.lines[0]);
    allocated(&shop, &left).await?;
    let before = shop.order(&order.order_id).await?;
    let refusal = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(refusal, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    unchanged(&shop, &before).await
}
