//! Rows B1 to B23: buyers and suppliers.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use proto::order::v1::{
    AddNoteRequest, CancelAdvice, ChangeOrderState, ConfirmOrderRequest, GetCancelabilityResponse, Order,
    OrderState, PreviewChangeOrderRequest, RequiredAck, TimelineVisibility,
};
use tests::shop::refused;
use tests::{Shop, eventually};
use tonic::Code;

use super::under::{can, placed, processing, rewritten, unchanged, under};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    b1_a_buyer_cancels_by_the_status_of_the_order,
    b2_the_statuses_are_those_of_the_guide,
    b3_a_pending_order_is_cancelled_freely,
    b4_a_confirmed_order_recommends_to_contact_the_supplier,
    b5_a_processing_order_wants_the_supplier_contacted,
    b6_an_order_on_its_way_cannot_be_cancelled,
    b7_a_delivered_order_is_returned_instead,
    b8_each_status_has_its_level,
    b10_the_status_is_seen_before,
    b11_the_action_is_absent_when_the_status_forbids_it,
    b12_an_urgent_cancel_is_confirmed_first,
    b14_an_earlier_cancel_has_less_impact,
    b16_the_policy_of_a_supplier_may_charge,
    b17_a_click_cancels_at_once,
    b20_a_buyer_cancels_the_whole_order_only,
    b22_the_order_shows_cancelled,
];

/// Who supplies the orders here.
const SUPPLIER: &str = "mill";

/// The shop's tenant, as the order's buyer.
fn buyer(shop: &Shop) -> Shop {
    shop.as_user("bea", "bistro", "buyer")
}

async fn confirmed(shop: &Shop, order: &Order) -> Result<()> {
    let request = ConfirmOrderRequest { request_id: shop.request_id(), order_id: order.order_id.clone() };
    shop.clients.orders().confirm_order(request).await?;
    Ok(())
}

/// Ships everything and waits until the order has heard of it.
async fn shipped(shop: &Shop, order: &Order) -> Result<()> {
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;
    eventually("the order hears that it was shipped", async || {
        let state = shop.order(&order.order_id).await?.state();
        Ok((state == OrderState::Shipped).then_some(()))
    })
    .await
}

fn advice(answer: &GetCancelabilityResponse) -> (bool, CancelAdvice) {
    (answer.allowed, answer.advice())
}

pub async fn b1_a_buyer_cancels_by_the_status_of_the_order(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let (pending, on_its_way) = (placed(&shop).await?, placed(&shop).await?);
    shipped(&shop, &on_its_way).await?;

    let change = buyer(&shop).submit(shop.cancel_request(&pending.order_id, &[])).await?;
    ensure!(
        (change.rule_id.as_str(), change.granted_by.as_str()) == ("b3-pending-freely", "own"),
        "{change:?}"
    );
    let answer = buyer(&shop).submit(shop.cancel_request(&on_its_way.order_id, &[])).await;
    refused(answer, Code::FailedPrecondition, "IN_TRANSIT")?;
    // To somebody else's buyer there is no such order at any status.
    let stranger = shop.as_user("sam", "another-bistro", "buyer");
    let other = placed(&shop).await?;
    let answer = stranger.submit(shop.cancel_request(&other.order_id, &[])).await;
    refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    unchanged(&shop, &other).await
}

pub async fn b2_the_statuses_are_those_of_the_guide(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    ensure!(order.state() == OrderState::Pending, "the supplier has not confirmed yet: {:?}", order.state());
    confirmed(&shop, &order).await?;
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Confirmed);
    processing(&shop, &order).await?;
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Processing);
    shop.submit(shop.cancel_request(&placed(&shop).await?.order_id, &[])).await?;
    shipped(&shop, &order).await?;
    let answer = shop.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(answer, Code::FailedPrecondition, "IN_TRANSIT")?;
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Shipped);
    Ok(())
}

pub async fn b3_a_pending_order_is_cancelled_freely(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let answer = can(&buyer(&shop), &order).await?;
    ensure!(advice(&answer) == (true, CancelAdvice::Safe) && answer.required_acks.is_empty(), "{answer:?}");
    let guest = shop.as_user("gus", "", "guest");
    let refusal = guest.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(refusal, Code::PermissionDenied, "PERMISSION_DENIED")?;
    unchanged(&shop, &order).await?;

    let change = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(change.amounts.unwrap_or_default().fee_minor == 0, "{change:?}");
    Ok(())
}

pub async fn b4_a_confirmed_order_recommends_to_contact_the_supplier(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    confirmed(&shop, &order).await?;
    let answer = can(&buyer(&shop), &order).await?;
    ensure!(advice(&answer) == (true, CancelAdvice::ContactFirst), "{answer:?}");
    ensure!(answer.warnings[0].code == "CONTACT_SUPPLIER", "a warning, not a block: {answer:?}");
    let lines = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(lines, Code::PermissionDenied, "USE_PROPOSAL")?;

    let change = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(!change.supplier_contacted && change.state() == ChangeOrderState::Completed, "{change:?}");
    Ok(())
}

pub async fn b5_a_processing_order_wants_the_supplier_contacted(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    for by_message in [false, true] {
        let order = placed(&shop).await?;
        processing(&shop, &order).await?;
        let before = shop.order(&order.order_id).await?;
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().confirm = true;
        let answer = buyer(&shop).submit(request.clone()).await;
        refused(answer, Code::FailedPrecondition, "CONTACT_REQUIRED")?;
        unchanged(&shop, &before).await?;

        let spoken = message(&buyer(&shop), &order, TimelineVisibility::Parties).await?;
        let said = request.change.get_or_insert_default();
        if by_message {
            spoken.clone_into(&mut said.supplier_contact_ref);
        } else {
            said.supplier_contacted = true;
        }
        let change = buyer(&shop).submit(request).await?;
        let stored = shop.change(&change.change_order_id).await?;
        ensure!(stored.supplier_contacted != by_message, "{stored:?}");
        ensure!((stored.supplier_contact_ref == spoken) == by_message, "{stored:?}");
    }
    Ok(())
}

/// Writes a message about an order and answers its name.
async fn message(who: &Shop, order: &Order, visibility: TimelineVisibility) -> Result<String> {
    let request = AddNoteRequest {
        request_id: who.request_id(),
        order_id: order.order_id.clone(),
        visibility: visibility.into(),
        text: "spoken to on the telephone".to_owned(),
        change_order_id: String::new(),
    };
    let note = who.clients.conversation().add_note(request).await?.into_inner().note;
    Ok(note.context("the answer holds no note")?.message_id)
}

pub async fn only_ones_own_message_to_the_supplier_proves_that_they_were_spoken_to(
    stage: &Stage,
) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let (order, other) = (placed(&shop).await?, placed(&shop).await?);
    processing(&shop, &order).await?;
    let before = shop.order(&order.order_id).await?;
    let supplier = shop.as_user("sam", SUPPLIER, "supplier");
    let staff = shop.as_user("stan", "shop", "staff");
    let no_proof = [
        "msg_bogus".to_owned(),
        "she said yes".to_owned(),
        message(&buyer(&shop), &other, TimelineVisibility::Parties).await?,
        message(&supplier, &order, TimelineVisibility::Parties).await?,
        message(&staff, &order, TimelineVisibility::Internal).await?,
        message(&staff, &order, TimelineVisibility::Parties).await?,
    ];
    for named in no_proof {
        let mut request = shop.cancel_request(&order.order_id, &[]);
        let said = request.change.get_or_insert_default();
        (said.confirm, said.supplier_contact_ref) = (true, named.clone());
        let status =
            refused(buyer(&shop).submit(request).await, Code::FailedPrecondition, "CONTACT_REQUIRED")?;
        ensure!(status.message().contains("AddNote"), "{named}: {status:?}");
        unchanged(&shop, &before).await?;
    }
    Ok(())
}

pub async fn b6_an_order_on_its_way_cannot_be_cancelled(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let (kept, order) = (placed(&shop).await?, placed(&shop).await?);
    shipped(&shop, &order).await?;
    let before = shop.order(&order.order_id).await?;
    let answer = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(answer, Code::FailedPrecondition, "IN_TRANSIT")?;
    unchanged(&shop, &before).await?;
    buyer(&shop).submit(shop.cancel_request(&kept.order_id, &[])).await?;
    Ok(())
}

pub async fn b7_a_delivered_order_is_returned_instead(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    ensure!(can(&buyer(&shop), &order).await?.allowed, "until then it may be cancelled");
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;
    let request = proto::inventory::v1::DeliverFulfillmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        ..Default::default()
    };
    shop.clients.fulfillments().deliver_fulfillment(request).await?;
    eventually("the order hears that it was delivered", async || {
        let reached = shop.order(&order.order_id).await?.state();
        Ok((reached == OrderState::Delivered).then_some(()))
    })
    .await?;
    let before = shop.order(&order.order_id).await?;
    let answer = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    let status = refused(answer, Code::FailedPrecondition, "DELIVERED")?;
    ensure!(status.message().contains("return"), "{status:?}");
    ensure!(can(&buyer(&shop), &order).await?.advice() == CancelAdvice::Completed);
    unchanged(&shop, &before).await
}

pub async fn b8_each_status_has_its_level(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let mut levels = vec![can(&buyer(&shop), &order).await?.advice_key];
    confirmed(&shop, &order).await?;
    levels.push(can(&buyer(&shop), &order).await?.advice_key);
    processing(&shop, &order).await?;
    levels.push(can(&buyer(&shop), &order).await?.advice_key);
    let refusal = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(refusal, Code::FailedPrecondition, "CONTACT_REQUIRED")?;
    shipped(&shop, &order).await?;
    levels.push(can(&buyer(&shop), &order).await?.advice_key);
    let expected =
        ["safe", "contact_first", "urgent", "too_late"].map(|level| format!("cancel.advice.{level}"));
    ensure!(levels == expected, "{levels:?}");
    Ok(())
}

pub async fn b10_the_status_is_seen_before(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let seen = buyer(&shop).order(&order.order_id).await?;
    let answer = can(&buyer(&shop), &seen).await?;
    ensure!((seen.state(), answer.allowed) == (OrderState::Pending, true), "{answer:?}");
    // What was seen decides nothing: the order moved on in between.
    shipped(&shop, &order).await?;
    let late = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(late, Code::FailedPrecondition, "IN_TRANSIT")?;
    Ok(())
}

pub async fn b11_the_action_is_absent_when_the_status_forbids_it(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let submit =
        |answer: &GetCancelabilityResponse| answer.allowed_actions.iter().any(|a| a == "SubmitChangeOrder");
    ensure!(submit(&can(&buyer(&shop), &order).await?));
    shipped(&shop, &order).await?;
    let answer = can(&buyer(&shop), &order).await?;
    ensure!(!submit(&answer) && !answer.allowed && answer.blockers[0].reason == "IN_TRANSIT", "{answer:?}");
    let refusal = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(refusal, Code::FailedPrecondition, "IN_TRANSIT")?;
    Ok(())
}

pub async fn b12_an_urgent_cancel_is_confirmed_first(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    processing(&shop, &order).await?;
    let before = shop.order(&order.order_id).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.change.get_or_insert_default().supplier_contacted = true;
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    let shown = buyer(&shop).clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(shown.required_acks().collect::<Vec<_>>() == [RequiredAck::Confirm], "{shown:?}");
    let answer = buyer(&shop).submit(request.clone()).await;
    refused(answer, Code::FailedPrecondition, "CONFIRMATION_REQUIRED")?;
    unchanged(&shop, &before).await?;

    // The quote of the preview holds: what is confirmed is what was shown.
    request.quote_id = shown.quote_id;
    request.change.get_or_insert_default().confirm = true;
    let change = buyer(&shop).submit(request).await?;
    ensure!(change.confirmed && change.amounts == shown.amounts, "{change:?}");
    Ok(())
}

pub async fn b14_an_earlier_cancel_has_less_impact(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let early = can(&buyer(&shop), &order).await?.impact.unwrap_or_default();
    ensure!((early.allocated_units, early.submitted_units) == (0, 0), "{early:?}");
    shop.submitted(&order.order_id).await?;
    let late = eventually("the order hears of the allocation", async || {
        let impact = can(&buyer(&shop), &order).await?.impact.unwrap_or_default();
        Ok((impact.submitted_units == 6).then_some(impact))
    })
    .await?;
    ensure!(late.allocated_units == 6, "{late:?}");
    let refusal = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(refusal, Code::FailedPrecondition, "CONTACT_REQUIRED")?;
    Ok(())
}

pub async fn b16_the_policy_of_a_supplier_may_charge(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let (free, charged) = (placed(&shop).await?, placed(&shop).await?);
    let change = buyer(&shop).submit(shop.cancel_request(&free.order_id, &[])).await?;
    ensure!(change.amounts.unwrap_or_default().amount_minor == 2_400, "no charge by default: {change:?}");

    let tariff = "\"fees\":[{\"rule\":\"mill-charges\",\"supplier\":\"mill\",\"states\":[\"pending\"],\
               \"basis_points\":1000,\"amount_minor\":0,\"currency\":\"\"},";
    rewritten(&shop, "marketplace", "\"fees\":[", tariff).await?;
    let mut request = shop.cancel_request(&charged.order_id, &[]);
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    let shown = buyer(&shop).clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(shown.fee_rule == "mill-charges", "{shown:?}");
    "not what was quoted".clone_into(&mut request.change.get_or_insert_default().note);
    request.quote_id = shown.quote_id;
    refused(buyer(&shop).submit(request.clone()).await, Code::FailedPrecondition, "QUOTE_MISMATCH")?;
    request.change.get_or_insert_default().note = String::new();
    let change = buyer(&shop).submit(request).await?;
    let amounts = change.amounts.unwrap_or_default();
    ensure!((amounts.fee_minor, amounts.amount_minor) == (240, 2_160), "{amounts:?}");
    let refunds = shop.refunds(&charged.order_id).await?;
    ensure!(refunds.iter().map(|refund| refund.amount_minor).sum::<i64>() == 2_160, "{refunds:?}");
    let totals = shop.order(&charged.order_id).await?.totals.unwrap_or_default();
    ensure!((totals.total_minor, totals.fees_minor) == (0, 240), "{totals:?}");
    Ok(())
}

pub async fn b17_a_click_cancels_at_once(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = proto::common::v1::Wait::Committed.into();
    let clicked = Instant::now();
    let change = buyer(&shop).submit(request).await?;
    ensure!(!change.decided_at.is_empty(), "decided within the call, after {:?}", clicked.elapsed());
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled);
    let again = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(again, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    Ok(())
}

pub async fn b20_a_buyer_cancels_the_whole_order_only(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let order = placed(&shop).await?;
    let answer = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(answer, Code::PermissionDenied, "USE_PROPOSAL")?;
    unchanged(&shop, &order).await?;
    let supplier = shop.as_user("mia", "mill", "supplier");
    supplier.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let open = shop.order(&order.order_id).await?.lines[0].quantities.unwrap_or_default().open;
    ensure!(open == 1, "{open}");
    buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await?;
    Ok(())
}

pub async fn b22_the_order_shows_cancelled(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    let (order, other) = (placed(&shop).await?, placed(&shop).await?);
    let change = buyer(&shop).submit(shop.cancel_request(&order.order_id, &[])).await?;
    let seen = buyer(&shop).order(&order.order_id).await?;
    ensure!(seen.state() == OrderState::Cancelled && seen.cancelled_by_change == change.change_order_id);
    let guest = shop.as_user("gus", "", "guest");
    let refusal = guest.submit(shop.cancel_request(&other.order_id, &[])).await;
    refused(refusal, Code::PermissionDenied, "PERMISSION_DENIED")?;
    ensure!(buyer(&shop).order(&other.order_id).await?.state() == OrderState::Pending);
    Ok(())
}
