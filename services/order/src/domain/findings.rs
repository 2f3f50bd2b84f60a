//! Findings of `verify`, and subjects that are sound again.

use types::OrderId;

/// The subject of items about the books.
pub const SUBJECT: &str = "books";

/// An equation that does not hold, for one order or for rows of no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub subject_id: String,
    pub equation: String,
    pub order_id: Option<OrderId>,
    pub rows: i64,
    pub row: String,
}

/// One report of `verify`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    pub found: Vec<Finding>,
    /// Subjects whose items are closed.
    pub sound: Vec<String>,
}

impl Findings {
    /// The orders that it is about; a sound subject names its own.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> {
        let sound = self.sound.iter().filter_map(|subject| subject.split_once('/'));
        let sound = sound.filter_map(|(_, id)| OrderId::parse(id).ok());
        self.found.iter().filter_map(|finding| finding.order_id.clone()).chain(sound)
    }

    /// What the items are about.
    pub fn subjects(&self) -> impl Iterator<Item = &String> {
        self.found.iter().map(|finding| &finding.subject_id).chain(&self.sound)
    }
}
