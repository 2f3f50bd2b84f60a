//! How far each order had come at one reading: what has moved between two readings was in flight.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;

use super::books::{self, Row};
use crate::clients::{Clients, Service};

/// Version, event and timeline numbers.
type Stage = (i64, i64, i64);

/// Of every order, in a few bytes each.
#[derive(Debug, Clone, Default)]
pub struct Heads(HashMap<u64, Stage>);

/// What stands for an id where many are kept.
pub fn short(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Heads {
    pub async fn read(clients: &Clients) -> Result<Self> {
        let mut heads = Self::default();
        books::export(clients, Service::Order, &["order_head"], |_, row| {
            heads.add(row);
            Ok(())
        })
        .await?;
        Ok(heads)
    }

    /// For tests that read the books once.
    #[cfg(test)]
    pub fn of(books: &super::books::Books) -> Self {
        let mut heads = Self::default();
        for row in books.rows(Service::Order, "order_head") {
            heads.add(row);
        }
        heads
    }

    fn add(&mut self, row: Row<'_>) {
        self.0.insert(short(row.text("order_id")), stage(row));
    }

    /// Whether an order was here as its row says.
    pub fn agrees(&self, row: Row<'_>) -> bool {
        self.0.get(&short(row.text("order_id"))) == Some(&stage(row))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn stage(row: Row<'_>) -> Stage {
    (row.number("version"), row.number("event_seq"), row.number("timeline_seq"))
}
