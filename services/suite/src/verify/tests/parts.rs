//! Books that are checked in parts, and broken rows by their order.

use proto::audit::v1::cell::Value;

use super::{CORRUPTIONS, corrupted, organised};
use crate::clients::Service::{self, Order};
use crate::verify::books::Books;
use crate::verify::facts::Facts;
use crate::verify::heads::Heads;
use crate::verify::progress::Progress;
use crate::verify::report::Report;
use crate::verify::sorter::{ORDERS_MAX, Parts};
use crate::verify::stream::{Reading, verdict};
use crate::verify::{Verdict, Which, check};

/// Checked in parts, the books are sound or broken as they are in one piece.
pub fn the_parts_say_what_the_whole_says(books: &Books) {
    let sound = in_parts(books);
    assert_eq!(sound.verdict(), Verdict::Holds, "{}", sound.text());
    for corruption in CORRUPTIONS.iter().chain(organised::CORRUPTIONS) {
        let spoiled = corrupted(books, corruption);
        let (whole, parts) = (check(&Facts::new(spoiled.clone(), &[])), in_parts(&spoiled));
        let named = parts.broken_ids().contains(&corruption.named);
        assert!(named, "{}.{}:\n{}\n{}", corruption.book, corruption.column, whole.text(), parts.text());
    }
}

/// As many small parts as a large store has large ones.
fn in_parts(books: &Books) -> Report {
    let mut reading = Reading::new(Parts::for_orders(3 * ORDERS_MAX), None).unwrap();
    for service in Service::ALL {
        // Those whose rows others name are exported before them.
        let owners = ["change_order", "order_return", "saga", "refund", "payment", "delivery"];
        let mut names = books.names(service);
        names.sort_by_key(|name| (!owners.contains(&name.as_str()), name.clone()));
        for name in names {
            let rows = books.rows(service, &name);
            rows.for_each(|row| reading.take(service, &name, row).unwrap());
        }
    }
    books.gateways.effects.iter().for_each(|effect| reading.take_effect(effect).unwrap());
    let heads = Heads::of(books);
    verdict(&mut reading, &Which::All, [&heads, &heads], &Progress::at_terminal(true)).unwrap()
}

pub fn every_broken_row_is_named_under_its_order(books: &Books) {
    let mut spoiled = books.clone();
    let heads = spoiled.book_mut(Order, "order_head").expect("there are orders");
    let placed = heads.columns.iter().position(|column| column == "placed_minor").expect("it has a price");
    for row in &mut heads.rows {
        let Some(Value::Number(number)) = &mut row.cells[placed].value else { panic!("a price is a number") };
        *number += 1;
    }
    let orders = heads.rows.len();

    let report = check(&Facts::new(spoiled, &[]));

    let broken = report.broken().iter().find(|broken| broken.equation.says.contains("was placed for"));
    let broken = broken.expect("the placed amounts do not add up");
    assert_eq!((broken.count, broken.findings.len()), (orders, orders), "{}", report.text());
    let mut named: Vec<&str> = broken.findings.iter().map(|finding| finding.order_id.as_str()).collect();
    named.dedup();
    assert_eq!(named.len(), orders, "each under its own order: {}", report.text());
    assert!(named.iter().all(|id| id.starts_with("ord_")), "{named:?}");
}
