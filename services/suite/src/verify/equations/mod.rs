//! The equations. Each names every row that breaks it.

mod agreed;
mod batches;
mod changes;
mod desk;
mod goods;
mod history;
mod list;
mod money;
mod outside;
mod owed;
mod position;
mod pricing;
mod quantity;
mod returned;
mod sagas;
mod stock;
mod told;
mod unpaid;

pub use self::list::ALL;
use super::facts::Facts;
use super::findings::Findings;

/// What an equation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The rows of one order in one service's books, which are of one moment; and those of no order.
    Order,
    /// The rows of one order in the books of several services, which are read one after the other: it is looked at while
    /// the order stands still.
    AtRest,
    /// The stock of one article.
    Article,
    /// All rows of some books.
    Whole,
    /// The positions of the event log, which are looked at as they are read.
    Log,
}

pub struct Equation {
    /// The invariant's number in the reliability catalogue (`docs/reliability.md`).
    pub id: &'static str,
    pub says: &'static str,
    pub scope: Scope,
    pub check: fn(&Facts, &mut Findings<'_>),
}

/// `a = b` or the row that says otherwise.
#[expect(clippy::needless_pass_by_value, reason = "so that a call reads as the equation it checks")]
fn differs<T: PartialEq + std::fmt::Debug>(what: &str, left: T, right: T) -> Option<String> {
    (left != right).then(|| format!("{what}: {left:?} is not {right:?}"))
}
