//! How far each order had come at one reading: what has moved between two readings was in flight.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use anyhow::Result;

use super::books::{self, Row};
use crate::clients::{Clients, Service};

/// The numbers of the version, the event, the timeline's entry and what payment told last.
type Stage = (i64, i64, i64, i64);

/// Of every order, in a few bytes each; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<HashMap<u64, Stage>>);

/// What stands for an id where many are kept.
pub fn short(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Heads {
    pub async fn read(clients: &Clients) -> Result<Self> {
        let mut stages = HashMap::new();
        books::export(clients, Service::Order, &["order_head"], |_, row| {
            stages.insert(short(row.text("order_id")), stage(row));
            Ok(())
        })
        .await?;
        Ok(Self(Arc::new(stages)))
    }

    /// For tests that read the books once.
    #[cfg(test)]
    pub fn of(books: &super::books::Books) -> Self {
        let heads = books.rows(Service::Order, "order_head");
        Self(Arc::new(heads.map(|row| (short(row.text("order_id")), stage(row))).collect()))
    }

    /// Whether an order was here as its row says.
    pub fn agrees(&self, row: Row<'_>) -> bool {
        self.0.get(&short(row.text("order_id"))) == Some(&stage(row))
    }

    pub fn knows(&self, order_id: &str) -> bool {
        self.0.contains_key(&short(order_id))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn stage(row: Row<'_>) -> Stage {
    (row.number("version"), row.number("event_seq"), row.number("timeline_seq"), row.number("position_seq"))
}
