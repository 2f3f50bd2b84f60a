//! Changes that both sides agree on beside fewer units: more units, other goods, a lower price, another address.

use anyhow::{Context as _, Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::preview_proposal_request::Of;
use proto::order::v1::{
    Address, ApproveChangeOrderRequest, ChangeOrder, ChangeOrderState, ChangeOrderType, Order,
    PreviewProposalRequest, PreviewProposalResponse, ProposeChangeOrderRequest, ProposedItem, ProposedLine,
    TenderInput,
};
use proto::payment::v1::RefundState;
use tests::clients::Clients;
use tests::shop::{card, refused};
use tests::{Service, Shop, eventually};
use tonic::{Code, Status};

use super::proposals::{approve, buyer, propose, supplier, two_sided};
use crate::Stage;

fn proposal(shop: &Shop, order_id: &str, kind: ChangeOrderType) -> ProposeChangeOrderRequest {
    ProposeChangeOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        r#type: kind.into(),
        ..ProposeChangeOrderRequest::default()
    }
}

fn left(line_number: i64, new_quantity: i64) -> ProposedLine {
    ProposedLine { line_number, new_quantity, ..ProposedLine::default() }
}

fn more(shop: &Shop, order_id: &str, quantity: i64) -> ProposeChangeOrderRequest {
    ProposeChangeOrderRequest {
        lines: vec![left(1, quantity)],
        ..proposal(shop, order_id, ChangeOrderType::EditQuantity)
    }
}

fn item(sku: &str, quantity: i64, unit_price: &str) -> ProposedItem {
    ProposedItem {
        sku: sku.to_owned(),
        quantity,
        unit_price: unit_price.to_owned(),
        ..ProposedItem::default()
    }
}

async fn pay(
    shop: &Shop,
    by: &Clients,
    change_order_id: &str,
    tenders: Vec<TenderInput>,
) -> Result<ChangeOrder, Status> {
    let request = ApproveChangeOrderRequest {
        request_id: shop.request_id(),
        change_order_id: change_order_id.to_owned(),
        wait: Wait::Completed.into(),
        tenders,
    };
    let answer = by.proposals().approve_change_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

async fn look(by: &Clients, of: Of) -> Result<PreviewProposalResponse, Status> {
    let request = PreviewProposalRequest { of: Some(of) };
    Ok(by.proposals().preview_proposal(request).await?.into_inner())
}

/// What the order is made of, to compare.
fn made_of(order: &Order) -> (usize, i64, i64) {
    let units = order.lines.iter().map(|line| line.quantities.unwrap_or_default().open).sum();
    (order.lines.len(), units, order.totals.unwrap_or_default().total_minor)
}

pub async fn more_units_are_reserved_and_paid_before_the_order_has_them(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let sku = order.lines[0].sku.clone();
    shop.receive(&sku, 2).await?;
    let looked = look(&supplier(&shop), Of::Proposal(more(&shop, &order.order_id, 6))).await?;
    ensure!((looked.to_pay_minor, looked.total_after_minor) == (2_000, 6_400), "{looked:?}");
    ensure!(looked.stock[0].enough && looked.blockers.is_empty(), "{looked:?}");

    let asked = propose(&supplier(&shop), more(&shop, &order.order_id, 6)).await?;
    let waiting = look(&buyer(&shop), Of::ChangeOrderId(asked.change_order_id.clone())).await?;
    ensure!(waiting.order.as_ref().map(made_of) == Some((2, 6, 6_400)), "{waiting:?}");
    let unpaid = approve(&shop, &buyer(&shop), &asked.change_order_id).await;
    refused(unpaid, Code::InvalidArgument, "TENDERS_MISMATCH")?;
    let tenders = vec![card("tok_approve", 2_000, false)];
    let change = pay(&shop, &buyer(&shop), &asked.change_order_id, tenders).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(made_of(&after) == (2, 6, 6_400), "{after:?}");
    ensure!(after.lines[0] == order.lines[0], "what was sold before is frozen");
    ensure!(shop.stock(&sku).await?.reserved == 6, "all of it is promised");
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let refunds = shop.refunds(&order.order_id).await?;
    let back: i64 = refunds.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 6_400 && refunds.iter().all(|it| it.state() == RefundState::Succeeded), "{refunds:?}");
    Ok(())
}

pub async fn a_declined_payment_for_more_units_leaves_everything_as_it_was(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let sku = order.lines[0].sku.clone();
    shop.receive(&sku, 2).await?;
    let asked = propose(&supplier(&shop), more(&shop, &order.order_id, 5)).await?;

    let tenders = vec![card("tok_decline", 1_000, true)];
    let change = pay(&shop, &buyer(&shop), &asked.change_order_id, tenders).await?;

    ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
    ensure!(change.cause.as_ref().is_some_and(|cause| cause.reason == "PAYMENT_DECLINED"), "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!((after.totals, &after.lines) == (order.totals, &order.lines), "{after:?}");
    ensure!(after.change_in_progress.is_empty(), "{after:?}");
    ensure!(shop.stock(&sku).await?.reserved == 4, "the promise was taken back");
    Ok(())
}

pub async fn more_units_than_there_are_cost_nobody_anything(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let looked = look(&supplier(&shop), Of::Proposal(more(&shop, &order.order_id, 9))).await?;
    ensure!(!looked.stock[0].enough && looked.stock[0].available == 0, "{looked:?}");
    let asked = propose(&supplier(&shop), more(&shop, &order.order_id, 9)).await?;

    let tenders = vec![card("tok_approve", 5_000, true)];
    let change = pay(&shop, &buyer(&shop), &asked.change_order_id, tenders).await?;

    ensure!(change.cause.as_ref().is_some_and(|cause| cause.reason == "INSUFFICIENT_STOCK"), "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!((after.totals, &after.lines) == (order.totals, &order.lines), "{after:?}");
    Ok(())
}

pub async fn an_item_is_added_with_the_payment_of_whoever_proposes_it(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let mug = shop.sku("MUG");
    shop.receive(&mug, 3).await?;
    let wish = ProposeChangeOrderRequest {
        items: vec![item(&mug, 2, "2.50")],
        tenders: vec![card("tok_approve", 500, true)],
        ..proposal(&shop, &order.order_id, ChangeOrderType::AddItem)
    };
    let asked = propose(&buyer(&shop), wish).await?;
    ensure!(asked.added_minor == 500 && asked.proposed_by == "buyer", "{asked:?}");

    let change = approve(&shop, &supplier(&shop), &asked.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(made_of(&after) == (2, 6, 4_900), "{after:?}");
    ensure!((after.lines[1].line_number, after.lines[1].sku.as_str()) == (2, mug.as_str()), "{after:?}");
    Ok(())
}

pub async fn goods_are_replaced_in_one_change_and_the_difference_goes_back(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let (sku, mug) = (order.lines[0].sku.clone(), shop.sku("MUG"));
    shop.receive(&mug, 1).await?;
    let wish = ProposeChangeOrderRequest {
        lines: vec![left(1, 2)],
        items: vec![item(&mug, 1, "12.00")],
        ..proposal(&shop, &order.order_id, ChangeOrderType::ReplaceItem)
    };
    let asked = propose(&supplier(&shop), wish).await?;

    let change = approve(&shop, &buyer(&shop), &asked.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 800, "two at 10.00 went, one at 12.00 came: {back}");
    let after = shop.order(&order.order_id).await?;
    ensure!(made_of(&after) == (2, 3, 3_600), "{after:?}");
    let (lamps, mugs) = (shop.stock(&sku).await?, shop.stock(&mug).await?);
    ensure!((lamps.reserved, mugs.reserved) == (2, 1), "{lamps:?} {mugs:?}");
    Ok(())
}

pub async fn a_price_is_lowered_by_agreement_and_its_units_are_worth_less(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let off = |off_minor: i64| ProposeChangeOrderRequest {
        lines: vec![ProposedLine { line_number: 1, off_minor, ..ProposedLine::default() }],
        ..proposal(&shop, &order.order_id, ChangeOrderType::PriceAdjust)
    };
    let raised = propose(&supplier(&shop), off(-1)).await;
    refused(raised, Code::FailedPrecondition, "PRICE_INCREASE_NOT_ALLOWED")?;
    let below = propose(&supplier(&shop), off(4_001)).await;
    refused(below, Code::InvalidArgument, "AMOUNT_OUT_OF_RANGE")?;

    let asked = propose(&supplier(&shop), off(1_001)).await?;
    let change = approve(&shop, &buyer(&shop), &asked.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(made_of(&after) == (1, 4, 3_399) && after.lines[0].adjusted_minor == 1_001, "{after:?}");
    let one = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    ensure!(one.amounts.unwrap_or_default().amount_minor == 750, "a quarter of 29.99: {one:?}");
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 4_400, "in the end all that was paid went back: {back}");
    Ok(())
}

pub async fn an_address_is_changed_by_agreement_until_something_has_left(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let to = |city: &str| ProposeChangeOrderRequest {
        address: Some(Address {
            recipient: "Ann Lee".to_owned(),
            lines: vec!["1 High St".to_owned()],
            city: city.to_owned(),
            country_code: "GB".to_owned(),
            ..Address::default()
        }),
        ..proposal(&shop, &order.order_id, ChangeOrderType::Address)
    };
    let asked = propose(&buyer(&shop), to("York")).await?;

    let change = approve(&shop, &supplier(&shop), &asked.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(after.delivery_address.as_ref().is_some_and(|address| address.city == "York"), "{after:?}");
    let fulfilment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfilment.fulfillment_id).await.context("what was held is let go")?;
    let seen = async || {
        let late = propose(&buyer(&shop), to("Leeds")).await;
        Ok(refused(late, Code::FailedPrecondition, "SHIPPED_FIRST").ok())
    };
    eventually("the shipment is seen", seen).await?;
    Ok(())
}

pub async fn a_proposal_of_an_outdated_order_is_not_taken(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    let outdated = ProposeChangeOrderRequest {
        pricing_version: order.pricing_version,
        ..more(&shop, &order.order_id, 6)
    };
    let refused_now = propose(&supplier(&shop), outdated).await;

    refused(refused_now, Code::Aborted, "QUOTE_STALE")?;
    Ok(())
}

pub async fn every_answer_to_an_addition_leaves_the_order_free(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    shop.receive(&order.lines[0].sku, 3).await?;
    let withdrawn = propose(&supplier(&shop), more(&shop, &order.order_id, 5)).await?;
    let taken_back = shop.withdraw(&withdrawn.change_order_id).await?;
    ensure!(taken_back.state() == ChangeOrderState::Withdrawn, "{taken_back:?}");
    let first = propose(&supplier(&shop), more(&shop, &order.order_id, 7)).await?;
    let counter = ProposeChangeOrderRequest {
        counter_of: first.change_order_id.clone(),
        tenders: vec![card("tok_approve", 1_000, true)],
        ..more(&shop, &order.order_id, 5)
    };
    let second = propose(&buyer(&shop), counter).await?;
    let answered = shop.change(&first.change_order_id).await?;
    ensure!(answered.state() == ChangeOrderState::Declined, "{answered:?}");

    let change = approve(&shop, &supplier(&shop), &second.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(made_of(&shop.order(&order.order_id).await?) == (2, 5, 5_400), "it is paid by the buyer's card");
    Ok(())
}

pub async fn a_kill_during_the_extra_authorisation_changes_nothing_but_the_time(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    for (token, expected, total) in [
        // The gateway has agreed and its answer is lost: it is looked up after the restart.
        ("tok_timeout", ChangeOrderState::Completed, 5_400),
        ("tok_decline", ChangeOrderState::Rejected, 4_400),
    ] {
        let order = two_sided(&shop).await?;
        let sku = order.lines[0].sku.clone();
        shop.receive(&sku, 1).await?;
        let asked = propose(&supplier(&shop), more(&shop, &order.order_id, 5)).await?;
        let before = shop.stock(&sku).await?.reserved;
        let request = ApproveChangeOrderRequest {
            request_id: shop.request_id(),
            change_order_id: asked.change_order_id.clone(),
            tenders: vec![card(token, 1_000, true)],
            ..ApproveChangeOrderRequest::default()
        };
        buyer(&shop).proposals().approve_change_order(request).await?;
        for service in [Service::Payment, Service::Order] {
            suite.kill(service)?;
            suite.restart(service).await?;
        }

        let ended = async || {
            let now = shop.change(&asked.change_order_id).await?;
            Ok((!now.finished_at.is_empty()).then_some(now))
        };
        let ended = eventually("the change ends after the restart", ended).await?;
        ensure!(ended.state() == expected, "{ended:?}");
        let after = shop.order(&order.order_id).await?;
        ensure!(after.totals.unwrap_or_default().total_minor == total, "{after:?}");
        let reserved = shop.stock(&sku).await?.reserved;
        let wanted = if expected == ChangeOrderState::Completed { before + 1 } else { before };
        ensure!(reserved == wanted, "{reserved} units are promised, not {wanted}");
    }
    Ok(())
}
