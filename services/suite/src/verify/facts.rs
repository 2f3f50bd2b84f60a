//! The books, and which orders stand still: equations between services hold for those only.

use std::collections::{BTreeSet, HashMap};

use super::books::{Books, Row};
use crate::clients::Service;

pub struct Facts {
    pub books: Books,
    /// Orders with work in flight, or that changed while the books were read.
    pub moving: BTreeSet<String>,
}

impl Facts {
    /// `readings` are order's books from before and after `books` was read.
    pub fn new(books: Books, readings: &[&Books]) -> Self {
        let mut moving = BTreeSet::new();
        let versions = |books: &Books| -> HashMap<String, (i64, i64, i64)> {
            books
                .rows(Service::Order, "order_head")
                .map(|row| {
                    let moved = (row.number("version"), row.number("event_seq"), row.number("timeline_seq"));
                    (row.text("order_id").to_owned(), moved)
                })
                .collect()
        };
        let now = versions(&books);
        for reading in readings {
            let then = versions(reading);
            moving.extend(
                now.iter().filter(|(id, moved)| then.get(*id) != Some(moved)).map(|(id, _)| id.clone()),
            );
            moving.extend(then.keys().filter(|id| !now.contains_key(*id)).cloned());
        }
        moving.extend(busy(&books));
        Self { books, moving }
    }

    pub fn rows(&self, service: Service, book: &str) -> impl Iterator<Item = Row<'_>> {
        self.books.rows(service, book)
    }

    /// Whether equations between services apply to this order.
    pub fn stands_still(&self, order_id: &str) -> bool {
        !self.moving.contains(order_id)
    }

    pub fn order_count(&self) -> usize {
        self.rows(Service::Order, "order_head").count()
    }
}

/// Orders being placed or changed, or with a participant's event still on its way.
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
    for service in [Service::Inventory, Service::Payment] {
        busy.extend(
            books
                .rows(service, "outbox")
                .filter(|row| row.text("state") == "queued")
                .map(|row| row.text("aggregate_id").to_owned()),
        );
    }
    busy
}
