//! The books, and which orders stand still: equations between services hold for those only.

use std::collections::{BTreeSet, HashMap};

use super::books::{Books, Row};
use super::heads::Heads;
use crate::clients::Service;

pub struct Facts {
    pub books: Books,
    /// Orders with work in flight, or that changed while the books were read.
    pub moving: BTreeSet<String>,
    /// The orders that these books have.
    known: BTreeSet<String>,
    /// How far orders were before and after.
    readings: Vec<Heads>,
    /// Whose each change, saga and return is.
    owners: HashMap<String, String>,
}

impl Facts {
    /// `readings` are how far orders were before and after `books` was read.
    pub fn new(books: Books, readings: &[&Heads]) -> Self {
        let mut moving = busy(&books);
        let mut known = BTreeSet::new();
        for head in books.rows(Service::Order, "order_head") {
            let id = head.text("order_id");
            known.insert(id.to_owned());
            if readings.iter().any(|reading| !reading.agrees(head)) {
                moving.insert(id.to_owned());
            }
        }
        let owners = owners(&books);
        Self {
            books,
            moving,
            known,
            readings: readings.iter().map(|heads| (*heads).clone()).collect(),
            owners,
        }
    }

    pub fn rows(&self, service: Service, book: &str) -> impl Iterator<Item = Row<'_>> {
        self.books.rows(service, book)
    }

    /// The rows of orders that stand still.
    pub fn still(&self, service: Service, book: &str) -> impl Iterator<Item = Row<'_>> {
        self.rows(service, book).filter(|row| self.stands_still(row.text("order_id")))
    }

    /// The order that a row belongs to, by whatever names it.
    pub fn order_of<'a>(&'a self, row: Row<'a>) -> Option<&'a str> {
        let named = NAMES.iter().filter_map(|column| row.if_text(column));
        named.filter(|id| !id.is_empty()).find_map(|id| {
            if id.starts_with("ord_") { Some(id) } else { self.owners.get(id).map(String::as_str) }
        })
    }

    /// Whether equations between services apply to this order. One that these books do not have and a reading of the
    /// orders has was placed while they were read.
    pub fn stands_still(&self, order_id: &str) -> bool {
        let placed_meanwhile =
            || !self.known.contains(order_id) && self.readings.iter().any(|heads| heads.knows(order_id));
        !self.moving.contains(order_id) && !placed_meanwhile()
    }

    pub fn order_count(&self) -> usize {
        self.rows(Service::Order, "order_head").count()
    }
}

/// Columns that tell of the order that a row belongs to, the most telling first.
pub const NAMES: [&str; 9] = [
    "order_id",
    "change_order_id",
    "aggregate_id",
    "subject_id",
    "saga_id",
    "return_id",
    "resource_id",
    "delivery_id",
    "id",
];

fn owners(books: &Books) -> HashMap<String, String> {
    let mut owners = HashMap::new();
    for (book, id) in [("change_order", "change_order_id"), ("order_return", "return_id")] {
        for row in books.rows(Service::Order, book) {
            owners.insert(row.text(id).to_owned(), row.text("order_id").to_owned());
        }
    }
    for saga in books.rows(Service::Order, "saga") {
        let subject = saga.text("subject_id");
        let order = owners.get(subject).cloned().unwrap_or_else(|| subject.to_owned());
        owners.insert(saga.text("id").to_owned(), order);
    }
    owners
}

/// Orders being placed or changed, or with an event still on its way.
fn busy(books: &Books) -> BTreeSet<String> {
    let mut busy = BTreeSet::new();
    busy.extend(
        books
            .rows(Service::Order, "order_head")
            .filter(|row| row.text("placement") == "placing")
            .map(|row| row.text("order_id").to_owned()),
    );
    busy.extend(
        books
            .rows(Service::Order, "change_order")
            .filter(|row| matches!(row.text("state"), "executing" | "unwinding" | "settling"))
            .map(|row| row.text("order_id").to_owned()),
    );
    busy.extend(
        books
            .rows(Service::Order, "saga")
            .filter(|saga| saga.text("subject_type") == "order" && saga.text("finished_at").is_empty())
            .map(|saga| saga.text("subject_id").to_owned()),
    );
    for service in Service::ALL {
        busy.extend(
            books
                .rows(service, "outbox")
                .filter(|row| row.text("state") == "queued")
                .map(|row| row.text("aggregate_id").to_owned()),
        );
    }
    busy
}
