//! How the policy and the caller have money given back: over which tenders, as store credit, beyond what is owed; and orders
//! that share a payment.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{
    ChangeOrderState, Parties, PreviewChangeOrderRequest, Settlement, SubmitChangeOrderRequest, TenderInput,
    TenderRefundInput, TenderStrategy,
};
use proto::payment::v1::{
    CapturePaymentRequest, GetMoneyPositionRequest, GetSharedPaymentRequest, ListPaymentsRequest,
    MakeChargesRequest, Payment, PaymentState, RecordSharedPaymentRequest, RefundKind, RefundMethod,
    RefundState, ResolveRefundRequest, SandboxCharge, SharedPayment,
};
use tests::shop::{card, detail, refused};
use tests::{Shop, eventually};
use tonic::Code;

use super::guides::under::{rewritten, under};
use crate::Stage;

async fn payments(shop: &Shop, order_id: &str) -> Result<Vec<Payment>> {
    let request = ListPaymentsRequest { order_id: order_id.to_owned() };
    Ok(shop.clients.payments().list_payments(request).await?.into_inner().payments)
}

/// Three units at 10.00 on these cards, all captured.
async fn paid(shop: &Shop, cards: &[(&str, i64)]) -> Result<String> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let mut request = shop.order_request(&sku, 3, "10.00", 0);
    request.tenders = cards.iter().map(|(token, amount)| card(token, *amount, true)).collect();
    request.parties = Some(Parties { supplier: "mill".to_owned(), ..Parties::default() });
    let order = shop.create(request).await?;
    let captured = async || {
        let payments = payments(shop, &order.order_id).await?;
        let all = payments.iter().all(|payment| payment.state() == PaymentState::Captured);
        Ok((all && payments.len() == cards.len()).then_some(()))
    };
    eventually("the cards are captured", captured).await?;
    Ok(order.order_id)
}

pub async fn the_policy_says_how_money_is_divided_over_the_tenders(stage: &Stage) -> Result<()> {
    let shop = under(stage, "default").await?;
    rewritten(&shop, "default", "\"lifo\"", "\"proportional\"").await?;
    let order_id = paid(&shop, &[("tok_approve", 1_200), ("tok_approve", 1_800)]).await?;
    let request = shop.cancel_request(&order_id, &[(1, 1)]);

    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    let preview = shop.clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(preview.tender_strategy() == TenderStrategy::Proportional, "{preview:?}");
    let mut foreseen: Vec<i64> = preview.tenders.iter().map(|tender| tender.refund_minor).collect();
    foreseen.sort_unstable();
    ensure!(foreseen == [400, 600] && preview.tenders_shortfall_minor == 0, "{preview:?}");
    let of_captures = preview.tenders.iter().flat_map(|tender| &tender.captures);
    ensure!(of_captures.map(|capture| capture.refund_minor).sum::<i64>() == 1_000, "{preview:?}");

    let change = shop.submit(request).await?;
    ensure!(change.tender_strategy() == TenderStrategy::Proportional, "{change:?}");
    let mut given: Vec<i64> =
        shop.refunds(&order_id).await?.iter().map(|refund| refund.amount_minor).collect();
    given.sort_unstable();
    ensure!(given == [400, 600], "{given:?}");

    rewritten(&shop, "default", "\"proportional\"", "\"explicit\"").await?;
    let unnamed = shop.submit(shop.cancel_request(&order_id, &[(1, 1)])).await;
    refused(unnamed, Code::InvalidArgument, "FIELD_REQUIRED")?;
    Ok(())
}

pub async fn store_credit_instead_of_a_declined_refund_needs_the_policy_or_a_permission(
    stage: &Stage,
) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, &[("tok_refund_decline", 3_000)]).await?;
    let mut request = shop.cancel_request(&order_id, &[(1, 1)]);
    request.change.as_mut().context("the request has a change")?.store_credit_fallback = true;
    let supplier = shop.as_user("sam", "mill", "supplier");
    let answer =
        supplier.submit(SubmitChangeOrderRequest { request_id: shop.request_id(), ..request.clone() });
    let status = refused(answer.await, Code::PermissionDenied, "PERMISSION_DENIED")?;
    ensure!(detail(&status, "rule_id") == "refund.store_credit", "{status:?}");

    let change = shop.submit(request).await?;

    ensure!(change.state() == ChangeOrderState::Completed && change.store_credit_fallback, "{change:?}");
    let refunds = shop.refunds(&order_id).await?;
    let credited = refunds.iter().find(|refund| refund.method() == RefundMethod::StoreCredit);
    let credited = credited.context("nothing became store credit")?;
    ensure!(credited.state() == RefundState::Succeeded && credited.amount_minor == 1_000, "{credited:?}");
    let request = GetMoneyPositionRequest { order_id };
    let position = shop.clients.payments().get_money_position(request).await?.into_inner().position;
    ensure!(position.context("no position")?.store_credit_minor == 1_000);
    Ok(())
}

pub async fn explicit_tenders_give_back_more_than_is_owed_only_with_a_reason(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, &[("tok_approve", 3_000)]).await?;
    let payment_id = payments(&shop, &order_id).await?.remove(0).payment_id;
    let by_name = |amount_minor, allow_over_refund, reason: &str| {
        let mut request = shop.cancel_request(&order_id, &[(1, 1)]);
        if let Some(change) = &mut request.change {
            change.settlement = Settlement::Explicit.into();
            change.tenders = vec![TenderRefundInput { payment_id: payment_id.clone(), amount_minor }];
            change.allow_over_refund = allow_over_refund;
            reason.clone_into(&mut change.over_refund_reason);
        }
        request
    };

    let less = shop.submit(by_name(600, false, "")).await?;
    ensure!(less.refund_owed_minor == 400, "what is not named stays owed: {less:?}");
    let more = shop.submit(by_name(1_500, false, "")).await?;
    ensure!(more.state() == ChangeOrderState::Rejected, "{more:?}");
    ensure!(more.cause.context("no cause")?.reason == "EXCEEDS_REFUNDABLE");
    refused(shop.submit(by_name(1_500, true, "")).await, Code::InvalidArgument, "FIELD_REQUIRED")?;
    let supplier = shop.as_user("sam", "mill", "supplier");
    let answer = supplier.submit(by_name(1_500, true, "a gesture")).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;

    // 1,000 for the unit and 400 that are owed: 100 more.
    let change = shop.submit(by_name(1_500, true, "a gesture")).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.over_refund_reason == "a gesture", "{change:?}");
    let refunds = shop.refunds(&order_id).await?;
    let refund = refunds.iter().find(|refund| refund.amount_minor == 1_500).context("no such refund")?;
    ensure!(refund.explanation.clone().context("not explained")?.over_minor == 100, "{refund:?}");
    let beyond = shop.submit(by_name(1_001, true, "a gesture")).await?;
    ensure!(beyond.state() == ChangeOrderState::Rejected, "never more than was captured: {beyond:?}");
    Ok(())
}

pub async fn attention_about_a_refund_ends_when_it_is_resolved(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, &[("tok_refund_decline", 3_000)]).await?;
    shop.submit(shop.cancel_request(&order_id, &[(1, 1)])).await?;
    let open = async || Ok(shop.order(&order_id).await?.attention_open.then_some(()));
    eventually("somebody is asked to look", open).await?;

    let failed = shop.refunds(&order_id).await?.remove(0);
    let resolve = ResolveRefundRequest {
        request_id: shop.request_id(),
        refund_id: failed.refund_id,
        reference: "transfer 9".to_owned(),
        note: String::new(),
    };
    shop.clients.refunds().resolve_refund(resolve).await?;

    let closed = async || Ok((!shop.order(&order_id).await?.attention_open).then_some(()));
    eventually("nobody has to look any more", closed).await
}

async fn shared(shop: &Shop, shared_payment_id: &str) -> Result<SharedPayment> {
    let request = GetSharedPaymentRequest { shared_payment_id: shared_payment_id.to_owned() };
    let answer = shop.clients.payments().get_shared_payment(request).await?.into_inner();
    answer.shared_payment.context("the answer holds no payment")
}

/// One unit at 10.00, paid with a part of a payment that other orders share.
async fn order_with_part(shop: &Shop, shared_payment_id: &str) -> Result<String> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    let tender = card(shared_payment_id, 1_000, false);
    request.tenders = vec![TenderInput { gateway: "shared".to_owned(), ..tender }];
    Ok(shop.create(request).await?.order_id)
}

pub async fn p38_orders_that_share_a_payment_give_back_their_own_parts(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let reference = format!("checkout-{}", shop.request_id());
    let made = SandboxCharge {
        reference: reference.clone(),
        currency_code: "GBP".to_owned(),
        authorised_minor: 2_000,
        ..SandboxCharge::default()
    };
    shop.clients.sandbox().make_charges(MakeChargesRequest { charges: vec![made] }).await?;
    let request = RecordSharedPaymentRequest {
        gateway: "sandbox".to_owned(),
        gateway_reference: reference,
        currency_code: "GBP".to_owned(),
        authorised_minor: 2_000,
        captured: false,
    };
    let recorded = shop.clients.payments().record_shared_payment(request.clone()).await?.into_inner();
    let id = recorded.shared_payment.context("the answer holds no payment")?.shared_payment_id;
    let again = shop.clients.payments().record_shared_payment(request).await?.into_inner();
    ensure!(again.shared_payment.context("no payment")?.shared_payment_id == id, "the same is shared once");
    let (one, other) = (order_with_part(&shop, &id).await?, order_with_part(&shop, &id).await?);
    ensure!(shared(&shop, &id).await?.allotted_minor == 2_000);

    let change = shop.submit(shop.cancel_request(&one, &[])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let refunds = shop.refunds(&one).await?;
    ensure!(refunds.len() == 1 && refunds[0].kind() == RefundKind::Void, "{refunds:?}");
    let sibling = payments(&shop, &other).await?.remove(0);
    ensure!(sibling.state() == PaymentState::Authorised && sibling.shared_payment_id == id, "{sibling:?}");
    let capture = CapturePaymentRequest {
        request_id: shop.request_id(),
        payment_id: sibling.payment_id,
        amount_minor: 0,
    };
    let captured = shop.clients.payments().capture_payment(capture).await?.into_inner().payment;
    ensure!(captured.context("no payment")?.captured_minor == 1_000, "the sibling's part is still there");
    shop.submit(shop.cancel_request(&other, &[])).await?;
    let whole = shared(&shop, &id).await?;
    let sums = [whole.allotted_minor, whole.voided_minor, whole.captured_minor, whole.refunded_minor];
    ensure!(sums == [2_000, 1_000, 1_000, 1_000] && whole.parts.len() == 2, "{whole:?}");
    Ok(())
}
