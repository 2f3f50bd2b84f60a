//! Changes that one side asks for and the other answers.

use anyhow::{Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{
    ApproveChangeOrderRequest, ChangeOrder, ChangeOrderState, ChangeOrderType, DeclineChangeOrderRequest,
    Order, Parties, ProposeChangeOrderRequest, ProposedLine, ShippingReversalInput,
};
use tests::clients::{Caller, Clients};
use tests::shop::refused;
use tests::{Shop, eventually};
use tonic::{Code, Status};

use crate::Stage;

pub const BUYER: &str = "bakery";
pub const SUPPLIER: &str = "maker";

fn someone(user: &str, organisation: &str, role: &str) -> Caller {
    Caller {
        user: user.to_owned(),
        organisation: organisation.to_owned(),
        role: role.to_owned(),
        ..Caller::default()
    }
}

pub fn supplier(shop: &Shop) -> Clients {
    shop.clients.acting_as(someone("sam", SUPPLIER, "supplier"))
}

pub fn buyer(shop: &Shop) -> Clients {
    shop.clients.acting_as(someone("bea", BUYER, "buyer"))
}

/// Four units at 10.00 between a buyer and a supplier, delivered for 4.00.
pub async fn two_sided(shop: &Shop) -> Result<Order> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 4).await?;
    let mut request = shop.order_request(&sku, 4, "10.00", 4_400);
    request.shipping = vec![proto::order::v1::ShippingInput {
        amount_minor: 400,
        ..proto::order::v1::ShippingInput::default()
    }];
    request.parties = Some(Parties {
        buyer: BUYER.to_owned(),
        supplier: SUPPLIER.to_owned(),
        client_contact: "ann@example.org".to_owned(),
        ..Parties::default()
    });
    Ok(shop.create(request).await?)
}

pub fn fewer(shop: &Shop, order_id: &str, left: i64) -> ProposeChangeOrderRequest {
    ProposeChangeOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        r#type: ChangeOrderType::EditQuantity.into(),
        lines: vec![ProposedLine { line_number: 1, new_quantity: left, ..ProposedLine::default() }],
        note: "one is cracked".to_owned(),
        ..ProposeChangeOrderRequest::default()
    }
}

pub async fn propose(by: &Clients, request: ProposeChangeOrderRequest) -> Result<ChangeOrder, Status> {
    let answer = by.proposals().propose_change_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn approve(shop: &Shop, by: &Clients, change_order_id: &str) -> Result<ChangeOrder, Status> {
    let request = ApproveChangeOrderRequest {
        request_id: shop.request_id(),
        change_order_id: change_order_id.to_owned(),
        wait: Wait::Completed.into(),
        ..ApproveChangeOrderRequest::default()
    };
    let answer = by.proposals().approve_change_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn a_proposal_moves_nothing_until_the_other_side_agrees(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let proposal = propose(&supplier(&shop), fewer(&shop, &order.order_id, 3)).await?;
    ensure!(
        proposal.state() == ChangeOrderState::Requested && !proposal.expires_at.is_empty(),
        "{proposal:?}"
    );
    ensure!(proposal.amounts.unwrap_or_default().amount_minor == 1_000, "both sides see its price");
    let waiting = shop.order(&order.order_id).await?;
    ensure!((waiting.totals, &waiting.lines) == (order.totals, &order.lines), "{waiting:?}");

    let own = approve(&shop, &supplier(&shop), &proposal.change_order_id).await;
    refused(own, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let change = approve(&shop, &buyer(&shop), &proposal.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(after.totals.unwrap_or_default().total_minor == 3_400, "{:?}", after.totals);
    Ok(())
}

pub async fn an_approval_at_another_price_stays_requested(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let proposal = propose(&supplier(&shop), fewer(&shop, &order.order_id, 3)).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    let outdated = approve(&shop, &buyer(&shop), &proposal.change_order_id).await;

    refused(outdated, Code::Aborted, "QUOTE_STALE")?;
    let still = shop.change(&proposal.change_order_id).await?;
    ensure!(still.state() == ChangeOrderState::Requested, "{still:?}");
    Ok(())
}

pub async fn a_counter_proposal_takes_the_place_of_the_one_it_answers(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let first = propose(&supplier(&shop), fewer(&shop, &order.order_id, 2)).await?;
    let counter = ProposeChangeOrderRequest {
        counter_of: first.change_order_id.clone(),
        ..fewer(&shop, &order.order_id, 3)
    };

    let second = propose(&buyer(&shop), counter).await?;

    ensure!(second.counter_of == first.change_order_id, "{second:?}");
    ensure!(
        shop.change(&first.change_order_id).await?.state() == ChangeOrderState::Declined,
        "it was answered"
    );
    let done = approve(&shop, &supplier(&shop), &second.change_order_id).await?;
    ensure!(done.state() == ChangeOrderState::Completed, "{done:?}");
    Ok(())
}

pub async fn a_delivery_charge_is_lowered_by_agreement_and_never_raised(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let by = |shipping_minor: i64| ProposeChangeOrderRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        r#type: ChangeOrderType::ShippingAdjust.into(),
        shipping: vec![ShippingReversalInput { shipping_minor, ..ShippingReversalInput::default() }],
        ..ProposeChangeOrderRequest::default()
    };
    let raised = propose(&supplier(&shop), by(-1)).await;
    refused(raised, Code::FailedPrecondition, "PRICE_INCREASE_NOT_ALLOWED")?;

    let proposal = propose(&supplier(&shop), by(150)).await?;
    let change = approve(&shop, &buyer(&shop), &proposal.change_order_id).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let totals = shop.order(&order.order_id).await?.totals.unwrap_or_default();
    ensure!(totals.total_minor == 4_250, "{totals:?}");
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 4_400, "the rest of the charge went back with the last unit: {back}");
    Ok(())
}

pub async fn a_proposal_is_declined_or_ends_by_the_clock(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let declined = propose(&supplier(&shop), fewer(&shop, &order.order_id, 3)).await?;
    let request = DeclineChangeOrderRequest {
        request_id: shop.request_id(),
        change_order_id: declined.change_order_id.clone(),
        note: "we need all four".to_owned(),
    };
    buyer(&shop).proposals().decline_change_order(request).await?;
    let late = approve(&shop, &buyer(&shop), &declined.change_order_id).await;
    refused(late, Code::FailedPrecondition, "ALREADY_DECIDED")?;

    let short = ProposeChangeOrderRequest { valid_seconds: 1, ..fewer(&shop, &order.order_id, 3) };
    let short = propose(&supplier(&shop), short).await?;
    let ended = async || {
        let now = shop.change(&short.change_order_id).await?;
        Ok((now.state() == ChangeOrderState::Expired).then_some(now))
    };
    let ended = eventually("a proposal nobody answers expires", ended).await?;
    ensure!(!ended.finished_at.is_empty(), "{ended:?}");
    Ok(())
}
