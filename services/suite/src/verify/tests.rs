//! Each column that enters an equation is changed by one, and the equation must be named.

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
    plus_one(Order, "order_head", "placed_minor", "I04"),
    plus_one(Order, "order_head", "reversed_minor", "I04"),
    at(Order, "order_head", ("state", "confirmed"), "fees_minor", Change::PlusOne, "I04"),
    plus_one(Order, "order_head", "refund_owed_minor", "I04"),
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
    at(Order, "inbox", ("", ""), "", Change::Gone, "I20"),
    plus_one(Inventory, "stock", "on_hand", "I06"),
    plus_one(Inventory, "stock", "reserved", "I06"),
    plus_one(Inventory, "stock", "ledger_seq", "I06"),
    at(Inventory, "stock", ("", ""), "on_hand", Change::Text("-1"), "I07"),
    plus_one(Inventory, "stock_ledger", "on_hand_delta", "I06"),
    plus_one(Inventory, "stock_ledger", "reserved_delta", "I06"),
    at(Inventory, "stock_ledger", ("kind", "release"), "", Change::Twice, "I08"),
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
    plus_one(Payment, "money_ledger", "debit_minor", "I05"),
    plus_one(Payment, "money_ledger", "credit_minor", "I05"),
    at(Payment, "money_ledger", ("kind", "capture"), "", Change::Twice, "I08"),
    at(Payment, "step_ledger", ("step", "settle_refund"), "", Change::Gone, "I12"),
    plus_one(Payment, "account", "event_seq", "I20"),
    at(Notification, "inbox", ("", ""), "", Change::Gone, "I20"),
    at(Notification, "inbox", ("", ""), "", Change::Twice, "I20"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_corrupted_column_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage { data_dir: directory.path().to_owned(), database_url: None };
    let embedded = Embedded::start(&storage, Ports::Free, CancellationToken::new()).await.unwrap();
    let clients = embedded.clients().unwrap();
    demo::tell(&clients).await.unwrap();
    let books = settled(&clients).await;
    embedded.stop().await.unwrap();

    let sound = check(&Facts::new(books.clone(), &[]));
    assert_eq!(sound.verdict(), Verdict::Holds, "{}", sound.text());
    assert!(CORRUPTIONS.len() >= 40);
    let unnoticed: Vec<String> = CORRUPTIONS
        .iter()
        .filter_map(|corruption| {
            let report = check(&Facts::new(corrupted(&books, corruption), &[]));
            let what = format!("{:?}.{}.{}", corruption.service, corruption.book, corruption.column);
            let named = report.broken_ids().contains(&corruption.named);
            (!named).then(|| format!("{what}: {} is not named; {}", corruption.named, report.text()))
        })
        .collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_told_apart() {
    let report = check(&Facts::new(Books::default(), &[]));

    assert_eq!(report.verdict(), Verdict::Empty);
}

/// The books once every event of the story has arrived.
async fn settled(clients: &crate::clients::Clients) -> Books {
    for _ in 0..100 {
        let facts = super::read(clients).await.unwrap();
        let queued = facts.rows(Order, "outbox").any(|event| event.text("state") == "queued");
        if facts.moving.is_empty() && !queued {
            return facts.books;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the story's events never arrived");
}

fn corrupted(books: &Books, corruption: &Corruption) -> Books {
    let mut books = books.clone();
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
        (Change::PlusOne | Change::Text(_), None) => {
            panic!("{} has no {}", corruption.book, corruption.column)
        }
    }
    books
}
