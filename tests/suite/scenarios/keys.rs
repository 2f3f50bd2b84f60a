//! What one caller has in hand is no use to another: request ids, quotes, tokens. And text has no power over who reads it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::inventory::v1::{
    AdjustStockRequest, GetStockRequest, SetStockRequest, ShipFulfillmentRequest, StockAdjustment,
    UpsertWarehouseRequest, Warehouse,
};
use proto::notification::v1::ListDeliveriesRequest;
use proto::order::v1::{
    AddNoteRequest, CreateOrderRequest, Folder, ListOrdersRequest, PreviewChangeOrderRequest,
    SubscribeRequest, UpsertFolderRequest,
};
use proto::payment::v1::AuthorizePaymentRequest;
use tests::clients::Caller;
use tests::process::binary;
use tests::shop::{WAREHOUSE, refused};
use tests::{Shop, Suite};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};

use super::input::names_field;
use crate::Stage;

pub async fn two_callers_may_use_one_request_id(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (ann, ben) = (shop.as_user("ann", "shop", "staff"), shop.as_user("ben", "shop", "staff"));
    let sku = shop.sku("LAMP");
    let delivery = |units: i64| AdjustStockRequest {
        request_id: "delivery-1".to_owned() + &sku,
        adjustments: vec![StockAdjustment {
            warehouse_id: WAREHOUSE.to_owned(),
            sku: sku.clone(),
            delta: units,
        }],
    };

    ann.clients.stock().adjust_stock(delivery(4)).await?;
    ben.clients.stock().adjust_stock(delivery(5)).await?;
    let again = shop.as_user("ann", "shop", "manager").clients.stock().adjust_stock(delivery(4)).await?;
    let of_ann = ann.create(ann.order_request(&sku, 1, "1.00", 100)).await?;
    let same_name =
        CreateOrderRequest { request_id: ben.request_id(), ..ben.order_request(&sku, 2, "1.00", 200) };
    let of_ben = ben.create(same_name.clone()).await?;
    let of_ann_too = ann.create(same_name.clone()).await?;
    let in_another_role = shop.as_user("ben", "shop", "manager").create(same_name.clone()).await?;
    let for_another_organisation = shop.as_user("ben", "other", "staff").create(same_name).await?;

    // The repeat of the first one moved nothing, whatever role it came in.
    ensure!(again.into_inner().stock[0].on_hand == 9, "4 and 5 were delivered");
    let orders = [&of_ann, &of_ben, &of_ann_too, &for_another_organisation].map(|order| &order.order_id);
    ensure!(orders.iter().collect::<std::collections::BTreeSet<_>>().len() == 4, "{orders:?}");
    ensure!(in_another_role.order_id == of_ben.order_id, "the role is no part of who asks");
    let stock = GetStockRequest { sku: sku.clone(), warehouse_id: WAREHOUSE.to_owned() };
    let stock = shop.clients.stock().get_stock(stock).await?.into_inner().stock;
    ensure!(stock[0].reserved == 7, "{stock:?}");
    Ok(())
}

pub async fn a_quote_is_good_for_who_asked_for_it(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let (ann, ben) = (shop.as_user("ann", "shop", "staff"), shop.as_user("ben", "shop", "staff"));
    let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    request.quote_id =
        ann.clients.changes().preview_change_order(preview.clone()).await?.into_inner().quote_id;

    refused(ben.submit(request.clone()).await, Code::InvalidArgument, "QUOTE_INVALID")?;
    let elsewhere = shop.as_user("ann", "other", "staff").submit(request.clone()).await;
    refused(elsewhere, Code::InvalidArgument, "QUOTE_INVALID")?;
    ensure!(shop.order(&order.order_id).await? == order, "refusals leave no trace");
    ann.submit(request).await.context("her own quote")?;

    let mut rest = shop.cancel_request(&order.order_id, &[(1, 2)]);
    let preview = PreviewChangeOrderRequest { change: rest.change.clone() };
    rest.quote_id = ann.clients.changes().preview_change_order(preview).await?.into_inner().quote_id;
    shop.as_user("checkout", "", "system").submit(rest).await.context("a system comes with anybody's")?;
    Ok(())
}

pub async fn a_token_of_a_page_or_a_stream_cannot_be_made_up(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let in_tenant = |name: &str| clients.acting_as(Caller { tenant: name.to_owned(), ..Caller::default() });
    let (shop, other) = (Shop::open(in_tenant("tokens")).await?, Shop::open(in_tenant("tokens-too")).await?);
    for shop in [&shop, &other, &shop, &other] {
        shop.placed(&shop.sku("LAMP"), 1).await?;
    }
    let list = async |shop: &Shop, token: &str, customer: &str| -> Result<_, Status> {
        let request = ListOrdersRequest {
            page_size: 1,
            page_token: token.to_owned(),
            customer_id: customer.to_owned(),
            ..ListOrdersRequest::default()
        };
        Ok(shop.clients.orders().list_orders(request).await?.into_inner())
    };
    let token = list(&shop, "", "").await?.next_page_token;
    let mut bytes = URL_SAFE_NO_PAD.decode(&token).context("a token is base64url")?;
    // The last letter of the last key: the page would begin elsewhere.
    let end = bytes.last_mut().context("a token is not empty")?;
    *end = if *end == b'0' { b'1' } else { b'0' };

    list(&shop, &token, "").await.context("as it was given")?;
    for (shop, token, customer) in
        [(&shop, URL_SAFE_NO_PAD.encode(bytes), ""), (&other, token.clone(), ""), (&shop, token, "somebody")]
    {
        refused(list(shop, &token, customer).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID")?;
    }

    let subscribe = async |shop: &Shop, token: &str| {
        let request = SubscribeRequest {
            resume_token: token.to_owned(),
            until_now: true,
            ..SubscribeRequest::default()
        };
        let stream = shop.clients.events().subscribe(request).await?.into_inner();
        stream.collect::<Result<Vec<_>, Status>>().await
    };
    let events = subscribe(&shop, "").await?;
    let resumed = subscribe(&shop, &events[0].resume_token).await?;
    ensure!(resumed[..] == events[1..], "a token is good in its own tenant");
    for (shop, token) in [(&other, events[0].resume_token.as_str()), (&shop, "p1"), (&shop, "1")] {
        refused(subscribe(shop, token).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID")?;
    }
    Ok(())
}

/// The escape of a terminal, DEL, a C1 control, an override of direction, a blank without width, an end of a line.
const UNSEEN: [char; 7] = ['\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2028}'];

/// Puts a text into a field of an order.
type Spoil = fn(&mut CreateOrderRequest, &str);

pub async fn a_name_takes_nothing_that_is_not_seen(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let fulfillment_id = shop.submitted(&order.order_id).await?.fulfillment_id;
    let new: [(&str, Spoil); 7] = [
        ("request_id", |request, text| text.clone_into(&mut request.request_id)),
        ("number", |request, text| text.clone_into(&mut request.number)),
        ("customer_id", |request, text| text.clone_into(&mut request.customer_id)),
        ("lines[0].sku", |request, text| text.clone_into(&mut request.lines[0].sku)),
        ("lines[0].warehouse_id", |request, text| text.clone_into(&mut request.lines[0].warehouse_id)),
        ("lines[0].description", |request, text| request.lines[0].description = format!("a\n{text}")),
        ("tenders[0].gateway", |request, text| text.clone_into(&mut request.tenders[0].gateway)),
    ];
    for unseen in UNSEEN {
        let text = format!("A{unseen}1");
        for (field, spoil) in new {
            let mut request = shop.order_request(&shop.sku("LAMP"), 1, "1.00", 100);
            spoil(&mut request, &text);
            rejected(shop.create(request).await, field, unseen)?;
        }
        let mut cancel = shop.cancel_request(&order.order_id, &[]);
        text.clone_into(&mut cancel.change.as_mut().context("the request has a change")?.reason_code);
        rejected(shop.submit(cancel).await, "change.reason_code", unseen)?;
        let folder = Folder { name: text.clone(), ..Folder::default() };
        let request = UpsertFolderRequest { request_id: shop.request_id(), folder: Some(folder) };
        rejected(shop.clients.folders().upsert_folder(request).await, "folder.name", unseen)?;
        let warehouse = Warehouse { warehouse_id: text.clone(), active: true, ..Warehouse::default() };
        let request = UpsertWarehouseRequest { request_id: shop.request_id(), warehouse: Some(warehouse) };
        let answer = shop.clients.stock().upsert_warehouse(request).await;
        rejected(answer, "warehouse.warehouse_id", unseen)?;
        let request = SetStockRequest {
            request_id: shop.request_id(),
            warehouse_id: WAREHOUSE.to_owned(),
            sku: text.clone(),
            on_hand: 1,
        };
        rejected(shop.clients.stock().set_stock(request).await, "sku", unseen)?;
        let request = ShipFulfillmentRequest {
            request_id: shop.request_id(),
            fulfillment_id: fulfillment_id.clone(),
            tracking_number: text.clone(),
            ..ShipFulfillmentRequest::default()
        };
        let answer = shop.clients.fulfillments().ship_fulfillment(request).await;
        rejected(answer, "tracking_number", unseen)?;
        let request = AuthorizePaymentRequest {
            request_id: shop.request_id(),
            order_id: order.order_id.clone(),
            currency_code: "GBP".to_owned(),
            amount_minor: 100,
            gateway: "sandbox".to_owned(),
            payment_token: text,
        };
        rejected(shop.clients.payments().authorize_payment(request).await, "payment_token", unseen)?;
    }
    Ok(())
}

fn rejected<T: std::fmt::Debug>(answer: Result<T, Status>, field: &str, unseen: char) -> Result<()> {
    let status = answer.err().with_context(|| format!("{unseen:?} was taken in {field}"))?;
    names_field(&status, field).with_context(|| format!("{unseen:?} in {field}"))
}

pub async fn nul_reaches_no_database(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let nul = "a\0b".to_owned();
    let note = AddNoteRequest {
        request_id: shop.request_id(),
        order_id: order.order_id,
        text: nul.clone(),
        ..AddNoteRequest::default()
    };
    let deliveries = ListDeliveriesRequest { recipient: nul.clone(), ..ListDeliveriesRequest::default() };
    let stock = GetStockRequest { sku: nul.clone(), ..GetStockRequest::default() };
    let orders = ListOrdersRequest { number: nul, ..ListOrdersRequest::default() };

    let answers = [
        shop.clients.conversation().add_note(note).await.err(),
        // Nothing is stored by it, and a comparison with NUL is as much as PostgreSQL takes.
        shop.clients.deliveries().list_deliveries(deliveries).await.err(),
        shop.clients.stock().get_stock(stock).await.err(),
        shop.clients.orders().list_orders(orders).await.err(),
    ];

    for (index, answer) in answers.into_iter().enumerate() {
        let status = answer.with_context(|| format!("call {index} was taken"))?;
        ensure!(status.code() == Code::InvalidArgument, "call {index}: {status:?}");
    }
    Ok(())
}

pub async fn a_note_forges_no_row_of_a_timeline(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let forged = "ok\n99  2026-11-21 12:00:00.000  ann (staff)  order.paid  \u{202e}paid";
    let mut cancel = shop.cancel_request(&order.order_id, &[]);
    forged.clone_into(&mut cancel.change.as_mut().context("the request has a change")?.note);

    let change = shop.submit(cancel).await?;
    let rows = countermand(suite, &["timeline", &order.order_id])?;
    let json = countermand(suite, &["--json", "timeline", &order.order_id])?;

    ensure!(change.note.contains("ok\n99"), "free text is stored as it was: {:?}", change.note);
    ensure!(rows.contains("ok\\n99"), "{rows}");
    let starts = |line: &str| line.trim_start().starts_with("99");
    ensure!(!rows.lines().any(starts) && !rows.contains('\u{202e}'), "{rows}");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&json).context("it stays JSON")?;
    let noted =
        |entry: &serde_json::Value| entry["note"].as_str().is_some_and(|note| note.contains("ok\n99"));
    ensure!(entries.iter().any(noted), "{json}");
    Ok(())
}

fn countermand(suite: &Suite, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(binary("countermand")?);
    let output = command.args(arguments).args(suite.address_arguments()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
