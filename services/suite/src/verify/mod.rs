//! `countermand verify`: recomputes quantity, stock and money from the ledgers of all four services and names every row
//! that breaks an equation.
//!
//! ```text
//! AuditService ×4 ──▶ (many orders: Sorter ──▶ Spool, part by part ──▶) Books ──▶ Facts (which orders stand still)
//!                 ──▶ equations ──▶ Findings ──▶ Report ──▶ (on request) attention items
//! ```
//!
//! It shares only the wire contract with the services: prices, balances and states are recomputed here.

pub mod books;
pub mod equations;
pub mod facts;
pub mod findings;
mod heads;
mod positions;
mod progress;
mod raise;
mod report;
mod sorter;
mod spool;
mod stream;

use std::time::Duration;

use anyhow::Result;

use self::books::Books;
use self::facts::Facts;
use self::findings::{Findings, Tally};
use self::heads::Heads;
pub use self::progress::Progress;
pub use self::raise::raise;
use self::report::Read;
pub use self::report::{Report, Verdict};
use crate::clients::{Clients, Service};
use crate::patience::Patience;

/// The participants are read between two readings of order; orders that moved meanwhile are read again this often.
const READINGS_MAX: usize = 6;
const PAUSE: Duration = Duration::from_millis(500);
const PATIENCE: Patience = Patience { total: Duration::from_secs(20) };

/// Which orders are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    All,
    One(String),
    /// With an entry of their timeline from this instant on.
    ChangedSince(String),
}

/// Reads the books of all orders and checks every equation.
pub async fn run(clients: &Clients) -> Result<Report> {
    run_for(clients, &Which::All, &Progress::at_terminal(true)).await
}

/// Few orders are read until each of them stands still, or the readings are used up. More of them than are in memory at a
/// time are read once, in parts, and those that move are in flight.
pub async fn run_for(clients: &Clients, which: &Which, progress: &Progress) -> Result<Report> {
    let orders = Heads::read(clients).await?.len();
    let report = if *which == Which::All && orders <= sorter::ORDERS_MAX {
        check(&read_still(clients).await?)
    } else {
        stream::check(clients, which, progress).await?
    };
    progress.end();
    Ok(report)
}

async fn read_still(clients: &Clients) -> Result<Facts> {
    let mut facts = read(clients).await?;
    for _ in 1..READINGS_MAX {
        if facts.moving.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        facts = read(clients).await?;
    }
    Ok(facts)
}

async fn read(clients: &Clients) -> Result<Facts> {
    let before = Heads::read(clients).await?;
    let books = Books::download(clients, &Service::ALL, PATIENCE).await?;
    let after = Heads::read(clients).await?;
    Ok(Facts::new(books, &[&before, &after]))
}

/// Pure: the same facts give the same report.
pub fn check(facts: &Facts) -> Report {
    let mut tally = Tally::default();
    for (place, equation) in equations::ALL.iter().enumerate() {
        let mut findings = Findings::new(facts, equation.scope);
        (equation.check)(facts, &mut findings);
        tally.add(place, findings);
    }
    let read = Read {
        orders: facts.order_count(),
        rows: facts.books.row_count(),
        equations: equations::ALL.len(),
        in_flight: facts.moving.iter().cloned().collect(),
    };
    Report::new(read, tally.broken(equations::ALL))
}

#[cfg(test)]
mod tests;
