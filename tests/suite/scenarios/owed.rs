//! What is owed is one figure: payment owns it, the order and every message name it, and it can always be paid out.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::notification::v1::ListNotificationsRequest;
use proto::order::v1::{
    ChangeOrder, ChangeOrderState, GetTimelineRequest, OrderState, OwedPayOut, PayOutRequest,
    PreviewChangeOrderRequest, PreviewPayOutRequest, Settlement, SubmitChangeOrderRequest, TenderRefundInput,
};
use proto::payment::v1::{
    CapturePaymentRequest, GetMoneyPositionRequest, ListPaymentsRequest, MoneyPosition, PayOutWay, Payment,
    RecordRefundRequest, RefundMethod, RefundState,
};
use tests::shop::{card, refused};
use tests::{Shop, eventually};
use tonic::{Code, Status};

use super::refund_only::refund;
use crate::Stage;

/// Units at 10.00, on cards that take their money at once.
async fn paid(shop: &Shop, units: i64, tenders: &[(&str, i64)]) -> Result<String> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, units).await?;
    let mut request = shop.order_request(&sku, units, "10.00", 0);
    request.tenders = tenders.iter().map(|(token, minor)| card(token, *minor, true)).collect();
    Ok(shop.create(request).await?.order_id)
}

/// A cancellation that moves no money, or what is named of each tender.
async fn cancel(
    shop: &Shop,
    order_id: &str,
    lines: &[(i64, i64)],
    settlement: Settlement,
    tenders: Vec<TenderRefundInput>,
) -> Result<ChangeOrder> {
    let mut request = shop.cancel_request(order_id, lines);
    let change = request.change.as_mut().context("the request has a change")?;
    change.settlement = settlement.into();
    change.tenders = tenders;
    Ok(shop.submit(request).await?)
}

async fn pay_out(shop: &Shop, order_id: &str, pay_out: OwedPayOut) -> Result<ChangeOrder, Status> {
    let request = PayOutRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        pay_out: Some(pay_out),
        wait: Wait::Completed.into(),
        ..PayOutRequest::default()
    };
    let answer = shop.clients.remedies().pay_out(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

async fn position(shop: &Shop, order_id: &str) -> Result<MoneyPosition> {
    let request = GetMoneyPositionRequest { order_id: order_id.to_owned() };
    let answer = shop.clients.payments().get_money_position(request).await?.into_inner();
    answer.position.context("the answer holds no position")
}

async fn payments(shop: &Shop, order_id: &str) -> Result<Vec<Payment>> {
    let request = ListPaymentsRequest { order_id: order_id.to_owned() };
    Ok(shop.clients.payments().list_payments(request).await?.into_inner().payments)
}

/// Both services come to name the same figure, by the same decision and the same number.
async fn owed_by_both(shop: &Shop, order_id: &str, owed: i64) -> Result<()> {
    let same = async || {
        let totals = shop.order(order_id).await?.totals.unwrap_or_default();
        let position = position(shop, order_id).await?;
        let shown = (totals.refund_owed_minor, totals.position_sequence, totals.position_pending);
        Ok((shown == (owed, position.owed_sequence, false) && position.owed_minor == owed).then_some(()))
    };
    eventually(&format!("both say that {owed} is owed"), same).await
}

pub async fn x26_an_end_of_one_change_inside_another_leaves_one_figure(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, 1, &[("tok_refund_late", 1_000)]).await?;
    let payment_id = payments(&shop, &order_id).await?.remove(0).payment_id;
    let named = vec![TenderRefundInput { payment_id, amount_minor: 800 }];
    let mut request = shop.cancel_request(&order_id, &[]);
    request.wait = Wait::Committed.into();
    let change = request.change.as_mut().context("the request has a change")?;
    change.settlement = Settlement::Explicit.into();
    change.tenders = named;
    let first = shop.submit(request).await?;
    ensure!(first.state() == ChangeOrderState::Settling, "its refund is late: {first:?}");

    // The order comes to nothing, and 200 of what was paid is left: no goodwill can be given of that, and it is owed.
    refused(refund(&shop, &order_id, 64, "").await, Code::FailedPrecondition, "EXCEEDS_REFUNDABLE")?;
    owed_by_both(&shop, &order_id, 200).await?;
    let second = pay_out(&shop, &order_id, OwedPayOut { amount_minor: 64, ..OwedPayOut::default() }).await?;

    ensure!(second.state() != ChangeOrderState::Rejected, "it is allowed while another settles: {second:?}");
    let ended = async || {
        Ok((shop.change(&first.change_order_id).await?.state() == ChangeOrderState::Completed).then_some(()))
    };
    eventually("the first one ends", ended).await?;
    owed_by_both(&shop, &order_id, 136).await
}

pub async fn p59_what_is_owed_is_paid_out_to_tenders_as_credit_or_by_hand(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, 2, &[("tok_approve", 1_200), ("tok_approve", 800)]).await?;
    let whole = cancel(&shop, &order_id, &[], Settlement::None, Vec::new()).await?;
    ensure!(whole.state() == ChangeOrderState::Completed && whole.refund_owed_minor == 2_000, "{whole:?}");
    owed_by_both(&shop, &order_id, 2_000).await?;

    let too_much = OwedPayOut { amount_minor: 2_001, ..OwedPayOut::default() };
    refused(pay_out(&shop, &order_id, too_much).await, Code::FailedPrecondition, "EXCEEDS_REFUNDABLE")?;
    let supplier = shop.as_user("sam", "mill", "supplier");
    let answer = pay_out(&supplier, &order_id, OwedPayOut::default()).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let by_hand = OwedPayOut { way: PayOutWay::ByHand.into(), ..OwedPayOut::default() };
    refused(pay_out(&shop, &order_id, by_hand).await, Code::InvalidArgument, "FIELD_REQUIRED")?;

    let preview = PreviewPayOutRequest { order_id: order_id.clone(), pay_out: Some(OwedPayOut::default()) };
    let preview = shop.clients.remedies().preview_pay_out(preview).await?.into_inner();
    let foreseen: i64 = preview.tenders.iter().map(|tender| tender.refund_minor).sum();
    ensure!((preview.owed_minor, foreseen, preview.shortfall_minor) == (2_000, 2_000, 0), "{preview:?}");

    let other = payments(&shop, &order_id).await?.into_iter().find(|paid| paid.captured_minor == 1_200);
    let tenders = vec![TenderRefundInput {
        payment_id: other.context("no such tender")?.payment_id,
        amount_minor: 700,
    }];
    let ways = [
        (OwedPayOut { tenders, ..OwedPayOut::default() }, 1_300),
        (
            OwedPayOut { amount_minor: 300, way: PayOutWay::StoreCredit.into(), ..OwedPayOut::default() },
            1_000,
        ),
        (
            OwedPayOut {
                amount_minor: 400,
                way: PayOutWay::ByHand.into(),
                reference: "transfer 7".to_owned(),
                ..OwedPayOut::default()
            },
            600,
        ),
        (OwedPayOut::default(), 0),
    ];
    for (wish, left) in ways {
        let change = pay_out(&shop, &order_id, wish).await?;
        ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
        owed_by_both(&shop, &order_id, left).await?;
    }
    let refunds = shop.refunds(&order_id).await?;
    let credit = refunds.iter().filter(|refund| refund.method() == RefundMethod::StoreCredit);
    ensure!(credit.map(|refund| refund.amount_minor).sum::<i64>() == 300, "{refunds:?}");
    let by_hand = refunds.iter().filter(|refund| refund.state() == RefundState::ResolvedExternally);
    ensure!(by_hand.map(|refund| refund.amount_minor).sum::<i64>() == 400, "{refunds:?}");
    let totals = shop.order(&order_id).await?.totals.unwrap_or_default();
    ensure!((totals.total_minor, totals.goodwill_minor) == (0, 0), "nothing is taken off: {totals:?}");
    refused(
        pay_out(&shop, &order_id, OwedPayOut::default()).await,
        Code::FailedPrecondition,
        "EXCEEDS_REFUNDABLE",
    )?;
    last_message_owes_nothing(&shop, &order_id).await?;
    let settled =
        async || Ok((shop.change(&whole.change_order_id).await?.refund_owed_minor == 0).then_some(()));
    eventually("the change that left it owed says so no more", settled).await
}

/// What the order's last message about money goes by.
async fn last_message_owes_nothing(shop: &Shop, order_id: &str) -> Result<()> {
    let said = async || {
        let request = ListNotificationsRequest {
            order_id: order_id.to_owned(),
            page_size: 200,
            ..ListNotificationsRequest::default()
        };
        let told = shop.clients.notifications().list_notifications(request).await?.into_inner().notifications;
        let mut about_money = told.iter().filter(|message| message.template.starts_with("refund."));
        let last = about_money.next_back().map(|message| message.body.clone());
        Ok(last.filter(|body| body.contains("Refund issued") && !body.contains("Still owed")))
    };
    eventually("the last message names nothing that is owed", said).await.map(drop)
}

pub async fn with_its_last_exception_settled_a_change_is_completed(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, 1, &[("tok_refund_decline", 600), ("tok_approve", 400)]).await?;
    let change = shop.submit(shop.cancel_request(&order_id, &[])).await?;
    ensure!(change.state() == ChangeOrderState::CompletedWithExceptions, "{change:?}");
    owed_by_both(&shop, &order_id, 600).await?;

    let by_hand = OwedPayOut {
        way: PayOutWay::ByHand.into(),
        reference: "transfer 8".to_owned(),
        ..OwedPayOut::default()
    };
    let paid = pay_out(&shop, &order_id, by_hand).await?;

    ensure!(paid.state() == ChangeOrderState::Completed, "{paid:?}");
    owed_by_both(&shop, &order_id, 0).await?;
    let mended = async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed && change.exceptions.is_empty()).then_some(change))
    };
    let mended = eventually("the change is completed after all", mended).await?;
    ensure!(mended.refund_owed_minor == 0, "{mended:?}");
    Ok(())
}

/// An operator tells of a refund that was made at the gateway's dashboard.
async fn made_elsewhere(shop: &Shop, payment_id: &str, amount_minor: i64) -> Result<()> {
    let request = RecordRefundRequest {
        request_id: shop.request_id(),
        payment_id: payment_id.to_owned(),
        amount_minor,
        gateway_reference: format!("re_{}", shop.request_id()),
    };
    shop.clients.refunds().record_refund(request).await?;
    Ok(())
}

pub async fn a_quote_binds_what_moves_of_each_tender(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    for elsewhere in [0, 1_500] {
        let order_id = paid(&shop, 2, &[("tok_approve", 2_000)]).await?;
        let payment_id = payments(&shop, &order_id).await?.remove(0).payment_id;
        let request = shop.cancel_request(&order_id, &[]);
        let preview = PreviewChangeOrderRequest { change: request.change.clone() };
        let preview = shop.clients.changes().preview_change_order(preview).await?.into_inner();
        if elsewhere > 0 {
            made_elsewhere(&shop, &payment_id, elsewhere).await?;
        }

        let quoted = SubmitChangeOrderRequest { quote_id: preview.quote_id, ..request };
        let change = shop.submit(quoted).await?;

        if elsewhere == 0 {
            ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
            continue;
        }
        ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
        ensure!(change.cause.context("no cause")?.reason == "QUOTE_STALE");
        let order = shop.order(&order_id).await?;
        ensure!(order.state() == OrderState::Confirmed, "everything was put back: {order:?}");
        let whole = shop.submit(shop.cancel_request(&order_id, &[])).await?;
        ensure!(whole.state() == ChangeOrderState::Completed, "{whole:?}");
        let back: i64 = shop.refunds(&order_id).await?.iter().map(|refund| refund.amount_minor).sum();
        ensure!(back == 2_000, "{back}");
    }
    Ok(())
}

pub async fn a_refund_at_the_gateway_that_spans_captures_is_booked_and_told(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let mut request = shop.order_request(&sku, 2, "10.00", 0);
    request.tenders = vec![card("tok_approve", 2_000, false)];
    let order_id = shop.create(request).await?.order_id;
    let payment_id = payments(&shop, &order_id).await?.remove(0).payment_id;
    for amount_minor in [1_200, 800] {
        let request = CapturePaymentRequest {
            request_id: shop.request_id(),
            payment_id: payment_id.clone(),
            amount_minor,
        };
        shop.clients.payments().capture_payment(request).await?;
    }

    made_elsewhere(&shop, &payment_id, 1_500).await?;

    let refunds = shop.refunds(&order_id).await?;
    let rows: Vec<_> = refunds.iter().map(|refund| (refund.state(), refund.amount_minor)).collect();
    ensure!(rows.iter().map(|(_, minor)| minor).sum::<i64>() == 1_500 && rows.len() == 2, "{refunds:?}");
    let payment = payments(&shop, &order_id).await?.remove(0);
    ensure!((payment.refunded_minor, payment.returning_minor) == (1_500, 0), "{payment:?}");
    let told = async || {
        let request =
            GetTimelineRequest { order_id: order_id.clone(), page_size: 200, page_token: String::new() };
        let entries = shop.clients.orders().get_timeline(request).await?.into_inner().entries;
        Ok(entries.iter().any(|entry| entry.event == "refund.elsewhere").then_some(()))
    };
    eventually("the timeline tells of it", told).await?;
    owed_by_both(&shop, &order_id, 0).await
}

pub async fn what_only_was_promised_back_is_not_called_refunded(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order_id = paid(&shop, 1, &[("tok_refund_pending", 1_000)]).await?;
    let mut request = shop.cancel_request(&order_id, &[]);
    request.wait = Wait::Committed.into();
    shop.submit(request).await?;

    let sent = async || {
        let payment = payments(&shop, &order_id).await?.remove(0);
        Ok((payment.returning_minor == 1_000).then_some(payment))
    };
    let payment = eventually("the refund is on its way", sent).await?;
    ensure!(payment.refunded_minor == 0, "{payment:?}");
    Ok(())
}
