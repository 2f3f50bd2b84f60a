//! Bad input gets a precise answer and changes nothing; strange input is kept as it was.

use anyhow::{Context, Result, ensure};
use proto::common::v1::ExternalReference;
use proto::order::v1::{
    ChangeOrderState, CreateOrderRequest, GetOrderRequest, LineTax, ListOrdersRequest, OrderState,
};
use proto::payment::v1::GetMoneyPositionRequest;
use tests::clients::Caller;
use tests::shop::{card, line, reason, refused};
use tests::{Shop, Suite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::Stage;

/// Accepted and stored to the letter: reserved words, quotes, markup, other scripts, four-byte characters.
const STRANGE: [&str; 8] = [
    "select",
    "'; DROP TABLE order_head; --",
    "\"quoted\" \\ back\\slash %s %d $1 ?1",
    "<script>alert(1)</script>",
    "{{ template }} ${env} `tick`",
    "Größe ±½ Ω",
    "注文取消 🧦🎩",
    "null",
];

/// Refused: they cannot be stored, shown or compared safely.
const HOSTILE: [&str; 5] =
    ["nul \0 byte", "bell \u{7}", "carriage \r return", "delete \u{7f}", "sequence \u{9b}2J"];

pub async fn hostile_text_is_stored_as_it_was_or_refused(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    for (index, text) in STRANGE.into_iter().enumerate() {
        let sku = format!("{} {text}", shop.sku("S")).chars().take(64).collect::<String>();
        shop.receive(&sku, 2).await.with_context(|| format!("receiving {text:?}"))?;
        let mut request = shop.order_request(&sku, 2, "1.00", 200);
        text.clone_into(&mut request.lines[0].description);
        text.clone_into(&mut request.customer_id);
        request.external_references =
            vec![ExternalReference { system: text.to_owned(), reference: shop.sku(&index.to_string()) }];
        let order = shop.create(request).await.with_context(|| format!("placing {text:?}"))?;
        ensure!(order.state() == OrderState::Confirmed, "{text:?}: {:?}", order.placement_cause);
        ensure!(order.lines[0].description == text && order.customer_id == text, "{order:?}");
        let mut cancel = shop.cancel_request(&order.order_id, &[]);
        text.clone_into(&mut cancel.change.as_mut().context("the request has a change")?.note);
        let change = shop.submit(cancel).await?;
        ensure!(change.state() == ChangeOrderState::Completed && change.note == text, "{change:?}");
    }
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    for text in HOSTILE {
        let mut request = shop.order_request(&shop.sku("LAMP"), 1, "1.00", 100);
        text.clone_into(&mut request.lines[0].description);
        let status = shop.create(request).await.err().with_context(|| format!("{text:?} was accepted"))?;
        names_field(&status, "lines[0].description")?;
        let mut cancel = shop.cancel_request(&order.order_id, &[]);
        text.clone_into(&mut cancel.change.as_mut().context("the request has a change")?.note);
        names_field(&shop.submit(cancel).await.err().context("accepted")?, "change.note")?;
    }
    Ok(())
}

pub(super) fn names_field(status: &Status, field: &str) -> Result<()> {
    ensure!(status.code() == Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let fields: Vec<String> = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect())
        .unwrap_or_default();
    ensure!(
        fields.iter().any(|named| named == field),
        "expected {field}, named {fields:?}: {}",
        status.message()
    );
    Ok(())
}

/// What is wrong, the field that must be named, and how to make it so.
type Edge = (&'static str, &'static str, fn(&mut CreateOrderRequest));

const EDGES: [Edge; 17] = [
    ("no request id", "request_id", |request| request.request_id.clear()),
    ("no lines", "lines", |request| request.lines.clear()),
    ("quantity 0", "lines[0].quantity", |request| request.lines[0].quantity = 0),
    ("quantity -1", "lines[0].quantity", |request| request.lines[0].quantity = -1),
    ("quantity beyond the limit", "lines[0].quantity", |request| request.lines[0].quantity = 1_000_001),
    ("quantity at the end of i64", "lines[0].quantity", |request| request.lines[0].quantity = i64::MAX),
    ("negative price", "lines[0].unit_price", |request| request.lines[0].unit_price = "-1".into()),
    ("price that is no number", "lines[0].unit_price", |request| {
        request.lines[0].unit_price = "1e3".into();
    }),
    ("seven decimals", "lines[0].unit_price", |request| request.lines[0].unit_price = "1.0000001".into()),
    ("negative line discount", "lines[0].line_discount_minor", |request| {
        request.lines[0].line_discount_minor = -1;
    }),
    ("line discount above the line", "lines[0].line_discount_minor", |request| {
        request.lines[0].line_discount_minor = 100_000;
    }),
    ("negative tax", "lines[0].tax.amount_minor", |request| {
        request.lines[0].tax = Some(LineTax { amount_minor: -1, included: false });
    }),
    ("negative order discount", "order_discount_minor", |request| request.order_discount_minor = -1),
    ("discount above the goods", "order_discount_minor", |request| request.order_discount_minor = 100_000),
    ("unknown currency", "currency_code", |request| request.currency_code = "XYZ".into()),
    ("lower-case currency", "currency_code", |request| request.currency_code = "gbp".into()),
    ("negative tender", "tenders[0].amount_minor", |request| request.tenders[0].amount_minor = -1),
];

pub async fn numeric_edges_are_refused_with_their_field(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 5).await?;
    for (what, field, spoil) in EDGES {
        let mut request = shop.order_request(&sku, 2, "10.00", 2_000);
        spoil(&mut request);
        let status = shop.create(request).await.err().with_context(|| format!("{what} was accepted"))?;
        names_field(&status, field).with_context(|| what.to_owned())?;
    }
    let mut request = shop.order_request(&sku, 1_000_000, "999999999999.00", 0);
    request.tenders.clear();
    let status = shop.create(request).await.err().context("an amount beyond every bound was accepted")?;
    ensure!(status.code() == Code::InvalidArgument, "{status:?}");
    let short = shop.create(shop.order_request(&sku, 2, "10.00", 1_999)).await;
    refused(short, Code::InvalidArgument, "TENDERS_MISMATCH")?;
    ensure!(shop.stock(&sku).await?.reserved == 0, "a refused request takes nothing");

    let order = shop.placed(&sku, 2).await?;
    for (quantity, number) in [(0, 1), (-1, 1), (i64::MIN, 1), (1, 0), (1, 99)] {
        let answer = shop.submit(shop.cancel_request(&order.order_id, &[(number, quantity)])).await;
        let status = answer.err().with_context(|| format!("{quantity} of line {number} was cancelled"))?;
        let expected = [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition];
        ensure!(expected.contains(&status.code()) && !reason(&status).is_empty(), "{status:?}");
    }
    ensure!(shop.order(&order.order_id).await? == order, "refusals leave no trace");
    Ok(())
}

pub async fn currencies_keep_their_exponent(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 20).await?;
    // 3 × 1.5 major units: yen have no minor unit (4.5 goes half-even to 4), dinars have three decimals.
    for (currency, total) in [("JPY", 4), ("GBP", 450), ("KWD", 4_500)] {
        let mut request = shop.order_request(&sku, 3, "1.5", total);
        request.currency_code = currency.to_owned();
        let order = shop.create(request).await.with_context(|| currency.to_owned())?;
        ensure!(order.state() == OrderState::Confirmed, "{currency}: {:?}", order.placement_cause);
        for units in [1, 2] {
            shop.submit(shop.cancel_request(&order.order_id, &[(1, units)])).await?;
        }
        let refunds = shop.refunds(&order.order_id).await?;
        let back: i64 = refunds.iter().map(|refund| refund.amount_minor).sum();
        ensure!(
            back == total && refunds.iter().all(|refund| refund.currency_code == currency),
            "{refunds:?}"
        );
    }
    Ok(())
}

pub async fn unknown_ids_are_not_found_in_any_tenant(stage: &Stage) -> Result<()> {
    let suite: &Suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let stranger =
        suite.clients().acting_as(Caller { tenant: "somebody-else".to_owned(), ..Caller::default() });

    let request = GetOrderRequest { order_id: order.order_id.clone(), ..GetOrderRequest::default() };
    refused(stranger.orders().get_order(request).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let listed = stranger.orders().list_orders(ListOrdersRequest::default()).await?.into_inner();
    ensure!(listed.orders.is_empty(), "{listed:?}");
    let request = GetMoneyPositionRequest { order_id: order.order_id.clone() };
    refused(stranger.payments().get_money_position(request).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let mut cancel = shop.cancel_request(&order.order_id, &[]);
    "stranger".clone_into(&mut cancel.request_id);
    let answer = stranger.changes().submit_change_order(cancel).await;
    refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND")?;

    let mut request = shop.order_request(&shop.sku("LAMP"), 1, "1.00", 0);
    request.lines.push(line("never-received", 1, "1.00"));
    request.tenders = vec![card("tok_approve", 200, true)];
    let order = shop.create(request).await?;
    ensure!(order.state() == OrderState::PlacementFailed, "an unknown article is no stock");
    Ok(())
}
