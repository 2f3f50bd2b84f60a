//! The books as an auditor reads them, and the equations that hold in them.

use std::collections::BTreeMap;

use inventory::store::audit::BOOKS;
use storage::{Cell, testing};
use types::Tenant;

use crate::world::{World, worlds};

type Record = BTreeMap<&'static str, Cell>;

/// Every book, read page by page from one snapshot.
pub async fn export(world: &World) -> BTreeMap<&'static str, Vec<Record>> {
    let mut books = BTreeMap::new();
    for book in &BOOKS {
        let rows = testing::rows_of(&world.database, book, &Tenant::DEFAULT).await;
        let named =
            rows.into_iter().map(|row| book.columns.iter().map(|column| column.name).zip(row).collect());
        books.insert(book.name, named.collect());
    }
    books
}

fn text(row: &Record, column: &str) -> String {
    match &row[column] {
        Cell::Text(text) => text.clone(),
        other => panic!("{column} is {other:?}"),
    }
}

fn number(row: &Record, column: &str) -> i64 {
    match &row[column] {
        Cell::Number(number) => *number,
        other => panic!("{column} is {other:?}"),
    }
}

type Place = (String, String);

fn place(row: &Record) -> Place {
    (text(row, "warehouse_id"), text(row, "sku"))
}

pub async fn check_books(world: &World) {
    let books = export(world).await;

    let mut ledger: BTreeMap<Place, (i64, i64, i64)> = BTreeMap::new();
    for row in &books["stock_ledger"] {
        let sums = ledger.entry(place(row)).or_default();
        sums.0 += number(row, "on_hand_delta");
        sums.1 += number(row, "reserved_delta");
        assert_eq!(number(row, "seq"), sums.2 + 1, "the ledger has no gaps");
        sums.2 += 1;
    }
    let mut promised: BTreeMap<Place, i64> = BTreeMap::new();
    let mut reserved_by_line: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in &books["reservation"] {
        let quantity = number(row, "quantity");
        let counted = number(row, "without_stock") == 0;
        if counted && ["active", "held"].contains(&text(row, "state").as_str()) {
            *promised.entry(place(row)).or_default() += quantity;
        }
        *reserved_by_line.entry((text(row, "order_id"), text(row, "line_id"))).or_default() += quantity;
    }
    for row in &books["stock"] {
        let (on_hand, reserved) = (number(row, "on_hand"), number(row, "reserved"));
        assert!(0 <= reserved && reserved <= on_hand);
        assert_eq!(ledger[&place(row)], (on_hand, reserved, number(row, "ledger_seq")), "{row:?}");
        assert_eq!(promised.get(&place(row)).copied().unwrap_or(0), reserved, "{row:?}");
    }
    check_lines(&books, &reserved_by_line);
    check_events(&books);
}

fn check_lines(
    books: &BTreeMap<&'static str, Vec<Record>>,
    reserved_by_line: &BTreeMap<(String, String), i64>,
) {
    for row in &books["goods_line"] {
        let key = (text(row, "order_id"), text(row, "line_id"));
        assert_eq!(reserved_by_line[&key], number(row, "reserved_quantity"), "{row:?}");
    }
    let reservations: BTreeMap<String, &Record> =
        books["reservation"].iter().map(|row| (text(row, "reservation_id"), row)).collect();
    for line in &books["fulfilment_line"] {
        let row = reservations[&text(line, "reservation_id")];
        for column in ["line_id", "sku", "quantity", "fulfilment_id"] {
            assert_eq!(line[column], row[column], "{line:?}");
        }
        let expected: &[&str] = match text(row, "state").as_str() {
            "active" | "held" => &["allocated", "submitted"],
            "consumed" => &["shipped", "delivered", "cancelled_after_ship"],
            _ => &["cancelled", "shipped_after_cancel", "unpacked"],
        };
        // Shipped units are claimed on their fulfilment line; the reservation does not know.
        if text(row, "state") != "consumed" {
            assert_eq!(line["held_by"], row["held_by"], "{line:?}");
        }
        assert!(expected.contains(&text(line, "state").as_str()), "{line:?} of {row:?}");
    }
}

/// The events of an order are numbered from 1 without a gap, as its own row counts them.
fn check_events(books: &BTreeMap<&'static str, Vec<Record>>) {
    let mut sequences: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in &books["outbox"] {
        sequences.entry(text(row, "aggregate_id")).or_default().push(number(row, "aggregate_seq"));
    }
    for row in &books["goods"] {
        let mut told = sequences.remove(&text(row, "order_id")).unwrap_or_default();
        told.sort_unstable();
        assert_eq!(told, (1..=number(row, "event_seq")).collect::<Vec<_>>(), "{row:?}");
    }
    assert!(sequences.is_empty(), "events of orders without goods: {sequences:?}");
}

#[tokio::test]
async fn an_export_of_many_pages_has_every_row_once() {
    for world in worlds("audit_pages").await {
        world.receive("main", "apple", 10_000).await;
        let lines = vec![("apple", 1); 700];
        let order = world.placed(&lines).await;

        let books = export(&world).await;

        assert_eq!(books["reservation"].len(), 700);
        assert_eq!(books["stock_ledger"].len(), 701);
        assert_eq!(
            books["goods_line"].iter().filter(|row| text(row, "order_id") == order.id.as_str()).count(),
            700
        );
        check_books(&world).await;
    }
}

#[tokio::test]
async fn another_tenants_books_stay_closed() {
    for world in worlds("audit_tenant").await {
        world.receive("main", "apple", 10).await;
        let stranger = Tenant::parse("stranger").unwrap();

        for book in &BOOKS {
            assert!(testing::rows_of(&world.database, book, &stranger).await.is_empty());
        }
    }
}
