//! Each column that enters an equation is changed by one, and the equation must be named.

mod catalogue;
mod moving;
mod organised;
mod parts;

use proto::audit::v1::cell::Value;
use tokio_util::sync::CancellationToken;

use super::books::Books;
use super::facts::Facts;
use super::{Verdict, check};
use crate::clients::Service::{self, Inventory, Notification, Order, Payment};
use crate::demo;
use crate::embedded::{Embedded, Ports, Storage};

/// Where one cell is, what is done to it, and which equation must notice.
struct Corruption {
    service: Service,
    book: &'static str,
    /// The first row whose column has this text is taken; any row when the column is "".
    row: (&'static str, &'static str),
    column: &'static str,
    change: Change,
    named: &'static str,
}

#[derive(Clone, Copy)]
enum Change {
    PlusOne,
    Text(&'static str),
    /// The row disappears.
    Gone,
    /// The row stands twice.
    Twice,
    /// A row that says these and nothing else; a payment's or an order's id is one of the story's.
    Added(&'static [(&'static str, &'static str)]),
}

const fn plus_one(
    service: Service,
    book: &'static str,
    column: &'static str,
    named: &'static str,
) -> Corruption {
    Corruption { service, book, row: ("", ""), column, change: Change::PlusOne, named }
}

const fn at(
    service: Service,
    book: &'static str,
    row: (&'static str, &'static str),
    column: &'static str,
    change: Change,
    named: &'static str,
) -> Corruption {
    Corruption { service, book, row, column, change, named }
}

const fn added(
    book: &'static str,
    cells: &'static [(&'static str, &'static str)],
    named: &'static str,
) -> Corruption {
    at(Payment, book, ("", ""), "", Change::Added(cells), named)
}

const CORRUPTIONS: &[Corruption] = &[
    plus_one(Order, "order_line", "ordered", "I09"),
    plus_one(Order, "order_line", "open", "I09"),
    plus_one(Order, "order_line", "cancel_pending", "I09"),
    plus_one(Order, "order_line", "cancelled", "I09"),
    plus_one(Order, "order_line", "fulfilled", "I09"),
    plus_one(Order, "order_line", "cancelled_after_ship", "I09"),
    plus_one(Order, "order_line", "returned", "I09"),
    plus_one(Order, "order_line", "delivered", "I09"),
    plus_one(Order, "order_line", "gross_minor", "I04"),
    plus_one(Order, "order_line", "line_discount_minor", "I04"),
    plus_one(Order, "order_line", "order_discount_minor", "I04"),
    plus_one(Order, "order_line", "goods_net_minor", "I04"),
    plus_one(Order, "order_line", "tax_minor", "I04"),
    plus_one(Order, "order_line", "shipping_minor", "I04"),
    plus_one(Order, "order_line", "shipping_tax_minor", "I04"),
    plus_one(Order, "order_line", "reversed_minor", "I04"),
    at(Order, "order_line", ("", ""), "bases", Change::Text("[{\"goods_net_minor\":1}]"), "I04"),
    plus_one(Order, "order_head", "placed_minor", "I04"),
    plus_one(Order, "order_head", "reversed_minor", "I04"),
    at(Order, "order_head", ("state", "confirmed"), "fees_minor", Change::PlusOne, "I04"),
    plus_one(Order, "order_head", "refund_owed_minor", "I28"),
    plus_one(Order, "order_head", "position_seq", "I28"),
    plus_one(Order, "order_head", "position_version", "I28"),
    plus_one(Order, "order_head", "worth_version", "I28"),
    plus_one(Payment, "account", "told_owed_minor", "I28"),
    plus_one(Payment, "account", "told_seq", "I28"),
    plus_one(Payment, "account", "worth_minor", "I28"),
    plus_one(Payment, "account", "worth_version", "I28"),
    plus_one(Payment, "owed_position", "owed_minor", "I28"),
    plus_one(Payment, "owed_position", "seq", "I28"),
    at(Notification, "notification", ("template", "refund.owed"), "owed_minor", Change::PlusOne, "I28"),
    at(Notification, "notification", ("template", "refund.owed"), "position_seq", Change::PlusOne, "I28"),
    plus_one(Order, "order_head", "missing_minor", "I04"),
    plus_one(Order, "order_head", "timeline_seq", "I19"),
    plus_one(Order, "order_head", "event_seq", "I20"),
    at(Order, "order_head", ("state", "confirmed"), "change_in_progress", Change::Text("chg_0"), "I16"),
    plus_one(Order, "delivery_group", "shipping_minor", "I04"),
    plus_one(Order, "delivery_group", "shipping_tax_minor", "I04"),
    plus_one(Order, "delivery_group", "shipping_reversed_minor", "I04"),
    plus_one(Order, "delivery_group", "shipping_tax_reversed_minor", "I04"),
    plus_one(Order, "change_order", "amount_minor", "I04"),
    plus_one(Order, "change_order", "shipping_minor", "I04"),
    plus_one(Order, "change_order", "shipping_tax_minor", "I04"),
    plus_one(Order, "change_order", "fee_minor", "I04"),
    at(Order, "change_order", ("state", "completed"), "finished_at", Change::Text(""), "I11"),
    plus_one(Order, "change_order_line", "quantity", "I09"),
    plus_one(Order, "change_order_line", "amount_minor", "I04"),
    plus_one(Order, "timeline", "seq", "I19"),
    at(Order, "timeline", ("", ""), "actor_user", Change::Text(""), "I19"),
    at(Order, "timeline", ("step", "hold_goods"), "step", Change::Text("hold_gods"), "I19"),
    at(Order, "saga_step", ("step", "hold_goods"), "", Change::Gone, "I19"),
    at(Order, "saga", ("state", "completed"), "state", Change::Text("running"), "I11"),
    plus_one(Order, "outbox", "aggregate_seq", "I20"),
    at(Order, "outbox", ("state", "sent"), "", Change::Gone, "I20"),
    at(Order, "request_key", ("", ""), "", Change::Twice, "I18"),
    at(Order, "request_key", ("", ""), "fingerprint", Change::Text(""), "I18"),
    at(Order, "request_key", ("", ""), "id", Change::Text(""), "I18"),
    at(Order, "inbox", ("", ""), "", Change::Gone, "I20"),
    plus_one(Inventory, "stock", "on_hand", "I06"),
    plus_one(Inventory, "fulfilment_line", "restocked", "I06"),
    at(Inventory, "fulfilment", ("", ""), "external_number", Change::Text("PO-1"), "I08"),
    at(Inventory, "fulfilment_line", ("state", "shipped"), "restocked", Change::Text("9"), "I06"),
    plus_one(Inventory, "stock", "reserved", "I06"),
    plus_one(Inventory, "stock", "ledger_seq", "I06"),
    at(Inventory, "stock", ("", ""), "on_hand", Change::Text("-1"), "I07"),
    plus_one(Inventory, "stock_ledger", "on_hand_delta", "I06"),
    plus_one(Inventory, "stock_ledger", "reserved_delta", "I06"),
    at(Inventory, "stock_ledger", ("kind", "release"), "", Change::Twice, "I08"),
    at(Inventory, "stock_ledger", ("kind", "release"), "kind", Change::Text("ship_after_cancel"), "I06"),
    at(Inventory, "fulfilment_line", ("state", "shipped"), "label_id", Change::Text("lab_0"), "I06"),
    at(
        Inventory,
        "fulfilment_line",
        ("state", "shipped"),
        "state",
        Change::Text("shipped_after_cancel"),
        "I06",
    ),
    plus_one(Inventory, "fulfilment_line", "reshipped", "I06"),
    at(Inventory, "fulfilment_line", ("state", "shipped"), "reported_number", Change::Text("1Z"), "I10"),
    at(Inventory, "reservation", ("state", "consumed"), "saga_id", Change::Text("sag_0"), "I10"),
    at(Inventory, "reservation", ("state", "active"), "without_stock", Change::PlusOne, "I06"),
    at(Inventory, "reservation", ("state", "active"), "quantity", Change::PlusOne, "I06"),
    at(Inventory, "reservation", ("state", "consumed"), "quantity", Change::PlusOne, "I10"),
    at(Inventory, "reservation", ("state", "active"), "state", Change::Text("held"), "I10"),
    at(Inventory, "step_ledger", ("step", "release_goods"), "", Change::Gone, "I12"),
    plus_one(Inventory, "goods", "event_seq", "I20"),
    plus_one(Payment, "payment", "captured_minor", "I01"),
    at(Payment, "payment", ("state", "captured"), "voided_minor", Change::PlusOne, "I01"),
    at(Payment, "capture", ("state", "captured"), "amount_minor", Change::PlusOne, "I01"),
    at(Payment, "refund", ("kind", "refund"), "amount_minor", Change::PlusOne, "I03"),
    at(Payment, "refund", ("kind", "refund"), "state", Change::Text("reserved"), "I03"),
    at(Payment, "refund", ("kind", "refund"), "", Change::Twice, "I03"),
    plus_one(Payment, "capture", "refunded_minor", "I01"),
    plus_one(Payment, "capture", "disputed_minor", "I01"),
    plus_one(Payment, "refund_hold", "gross_minor", "I04"),
    plus_one(Payment, "refund_hold", "discount_minor", "I04"),
    plus_one(Payment, "refund_hold", "tax_minor", "I04"),
    plus_one(Payment, "refund_hold", "shipping_minor", "I04"),
    plus_one(Payment, "refund_hold", "shipping_tax_minor", "I04"),
    plus_one(Payment, "refund_hold", "fee_minor", "I04"),
    plus_one(Payment, "account", "store_credit_minor", "I05"),
    plus_one(Payment, "account", "credit_seq", "I05"),
    at(Payment, "refund", ("state", "succeeded"), "method", Change::Text("store_credit"), "I05"),
    at(Payment, "refund", ("state", "succeeded"), "state", Change::Text("resolved_externally"), "I05"),
    added("dispute", &[("payment_id", ""), ("state", "open"), ("amount_minor", "1")], "I01"),
    added(
        "dispute",
        &[("payment_id", ""), ("state", "lost"), ("amount_minor", "1"), ("ended_at", "x")],
        "I05",
    ),
    added("dispute", &[("payment_id", ""), ("state", "won"), ("amount_minor", "1")], "I01"),
    added(
        "store_credit",
        &[("order_id", ""), ("seq", "1"), ("delta_minor", "1"), ("balance_minor", "1")],
        "I05",
    ),
    added("gateway_event", &[("state", "done"), ("tries", "0")], "I20"),
    added("gateway_event", &[("state", "received"), ("next_at", "0")], "I20"),
    plus_one(Payment, "money_ledger", "debit_minor", "I05"),
    plus_one(Payment, "money_ledger", "credit_minor", "I05"),
    at(Payment, "money_ledger", ("kind", "capture"), "", Change::Twice, "I08"),
    at(Payment, "step_ledger", ("step", "settle_refund"), "", Change::Gone, "I12"),
    plus_one(Payment, "account", "event_seq", "I20"),
    at(Notification, "inbox", ("", ""), "", Change::Gone, "I20"),
    at(Notification, "inbox", ("", ""), "", Change::Twice, "I20"),
    at(Notification, "notification", ("template", "cancellation.confirmed"), "", Change::Gone, "I21"),
    at(Notification, "notification", ("template", "cancellation.confirmed"), "", Change::Twice, "I21"),
    at(Notification, "notification", ("channel", "log"), "sent_at", Change::Text(""), "I21"),
    at(Notification, "notification", ("audience", "buyer"), "audience", Change::Text("staff"), "I21"),
    at(Notification, "delivery", ("", ""), "", Change::Twice, "I21"),
    at(Notification, "delivery", ("", ""), "event_id", Change::Text("evt_0"), "I21"),
    at(Notification, "delivery", ("state", "sent"), "tries", Change::Text("0"), "I21"),
    at(Notification, "delivery", ("state", "sent"), "in_doubt", Change::Text("2"), "I21"),
    at(Notification, "delivery", ("state", "sent"), "ended_at", Change::Text(""), "I21"),
    at(Notification, "delivery", ("state", "sent"), "state", Change::Text("dead"), "I21"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_corrupted_column_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage { data_dir: directory.path().to_owned(), database_url: None };
    let embedded = Embedded::start(&storage, Ports::Free, CancellationToken::new()).await.unwrap();
    let clients = embedded.clients().unwrap();
    mail_staff(&clients).await;
    demo::tell(&clients).await.unwrap();
    organised::organise(&clients).await;
    leave_owed(&clients).await;
    let books = settled(&clients).await;
    moving::books_of_two_moments_break_nothing(&clients).await;
    moving::nothing_is_broken_while_it_moves(&clients).await;
    embedded.stop().await.unwrap();

    let sound = check(&Facts::new(books.clone(), &[]));
    assert_eq!(sound.verdict(), Verdict::Holds, "{}", sound.text());
    assert!(CORRUPTIONS.len() >= 40);
    let unnoticed: Vec<String> = CORRUPTIONS
        .iter()
        .chain(organised::CORRUPTIONS)
        .filter_map(|corruption| {
            let report = check(&Facts::new(corrupted(&books, corruption), &[]));
            let what = format!("{:?}.{}.{}", corruption.service, corruption.book, corruption.column);
            let named = report.broken_ids().contains(&corruption.named);
            (!named).then(|| format!("{what}: {} is not named; {}", corruption.named, report.text()))
        })
        .collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    parts::the_parts_say_what_the_whole_says(&books);
    parts::every_broken_row_is_named_under_its_order(&books);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_told_apart() {
    let report = check(&Facts::new(Books::default(), &[]));

    assert_eq!(report.verdict(), Verdict::Empty);
}

/// Somebody is mailed, so that the story makes deliveries.
async fn mail_staff(clients: &crate::clients::Clients) {
    let recipient = proto::notification::v1::Recipient {
        scope: proto::notification::v1::RecipientScope::Everything.into(),
        audience: "staff".to_owned(),
        address: "staff@shop.example".to_owned(),
        ..proto::notification::v1::Recipient::default()
    };
    let request = proto::notification::v1::UpsertRecipientRequest {
        request_id: "mail staff".to_owned(),
        recipient: Some(recipient),
    };
    clients.recipients().upsert_recipient(request).await.unwrap();
}

/// An order is cancelled and no money moves, so that something is owed.
async fn leave_owed(clients: &crate::clients::Clients) {
    let scene = crate::demo::scene::Scene::new(clients);
    let order = scene.place("O-OWED", &[(0, 1)], (0, 0), &[("tok_approve", 339, true)]).await.unwrap();
    let change = proto::order::v1::ChangeInput {
        order_id: order.order_id,
        r#type: proto::order::v1::ChangeOrderType::CancelOrder.into(),
        settlement: proto::order::v1::Settlement::None.into(),
        confirm: true,
        supplier_contacted: true,
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        ..proto::order::v1::ChangeInput::default()
    };
    let request = proto::order::v1::SubmitChangeOrderRequest {
        request_id: "leave it owed".to_owned(),
        change: Some(change),
        wait: proto::common::v1::Wait::Completed.into(),
        ..proto::order::v1::SubmitChangeOrderRequest::default()
    };
    clients.changes().submit_change_order(request).await.unwrap();
}

/// The books once every event of the story has arrived.
async fn settled(clients: &crate::clients::Clients) -> Books {
    for _ in 0..100 {
        let facts = super::read(clients).await.unwrap();
        let queued = facts.rows(Order, "outbox").any(|event| event.text("state") == "queued");
        let unsent = facts
            .rows(Notification, "notification")
            .chain(facts.rows(Notification, "delivery"))
            .any(|row| !matches!(row.text("state"), "sent" | "suppressed" | "dead"));
        if facts.moving.is_empty() && !queued && !unsent {
            return facts.books;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the story's events never arrived");
}

fn corrupted(books: &Books, corruption: &Corruption) -> Books {
    let mut books = books.clone();
    if let Change::Added(cells) = corruption.change {
        let told =
            |column| books.rows(Payment, "payment").next().expect("somebody paid").text(column).to_owned();
        let story = [("payment_id", told("payment_id")), ("order_id", told("order_id"))];
        books.add_row(corruption.service, corruption.book, added_columns(corruption.book), |column| {
            let said = cells.iter().find(|(name, _)| *name == column).map_or("", |(_, text)| text);
            let known = story.iter().find(|(name, _)| *name == column && said.is_empty());
            known.map_or_else(|| said.to_owned(), |(_, text)| text.clone())
        });
        return books;
    }
    let book = books.book_mut(corruption.service, corruption.book).expect("the story fills every book");
    let column = |name: &str| book.columns.iter().position(|column| column == name);
    let (by, wanted) = corruption.row;
    let chosen = match column(by) {
        None => 0,
        Some(by) => book
            .rows
            .iter()
            .position(|row| row.cells[by].value == Some(Value::Text(wanted.to_owned())))
            .unwrap_or_else(|| panic!("no row of {} has {wanted}", corruption.book)),
    };
    let cell = column(corruption.column);
    match (corruption.change, cell) {
        (Change::Gone, _) => drop(book.rows.remove(chosen)),
        (Change::Twice, _) => book.rows.push(book.rows[chosen].clone()),
        (Change::PlusOne, Some(cell)) => {
            let value = &mut book.rows[chosen].cells[cell].value;
            let Some(Value::Number(number)) = value else { panic!("{} is no number", corruption.column) };
            *number += 1;
        }
        (Change::Text(number), Some(cell))
            if matches!(book.rows[chosen].cells[cell].value, Some(Value::Number(_))) =>
        {
            book.rows[chosen].cells[cell].value =
                Some(Value::Number(number.parse().expect("the table holds a number")));
        }
        (Change::Text(text), Some(cell)) => {
            book.rows[chosen].cells[cell].value = Some(Value::Text(text.to_owned()));
        }
        (Change::Added(_), _) => unreachable!("rows are added above"),
        (Change::PlusOne | Change::Text(_), None) => {
            panic!("{} has no {}", corruption.book, corruption.column)
        }
    }
    books
}

/// The columns that the equations read of books that the story leaves empty.
fn added_columns(book: &str) -> &'static [&'static str] {
    match book {
        "dispute" => &["order_id", "payment_id", "gateway_reference", "state", "amount_minor", "ended_at"],
        "store_credit" => &["order_id", "seq", "refund_id", "delta_minor", "balance_minor"],
        "webhook_attempt" => &["delivery_id", "attempt", "status"],
        "gateway_event" => &["gateway", "event_id", "state", "tries", "next_at"],
        other => panic!("the story fills {other}"),
    }
}
