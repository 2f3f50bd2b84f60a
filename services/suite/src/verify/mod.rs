//! `countermand verify`: recomputes quantity, stock and money from the ledgers of all four services and names the first
//! row of the first equation that does not hold.
//!
//! ```text
//! AuditService ×4 ──▶ Books ──▶ Facts (which orders stand still) ──▶ equations ──▶ Report
//! ```
//!
//! It shares only the wire contract with the services: prices, balances and states are recomputed here.

pub mod books;
pub mod equations;
pub mod facts;
mod report;

use std::time::Duration;

use anyhow::Result;

use self::books::Books;
use self::facts::Facts;
pub use self::report::{Report, Verdict};
use crate::clients::{Clients, Service};
use crate::patience::Patience;

/// The participants are read between two readings of order; orders that moved meanwhile are read again this often.
const READINGS_MAX: usize = 6;
const PAUSE: Duration = Duration::from_millis(500);
const PATIENCE: Patience = Patience { total: Duration::from_secs(20) };

/// Reads the books until every order stands still (or the readings are used up) and checks every equation.
pub async fn run(clients: &Clients) -> Result<Report> {
    let mut facts = read(clients).await?;
    for _ in 1..READINGS_MAX {
        if facts.moving.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        facts = read(clients).await?;
    }
    Ok(check(&facts))
}

async fn read(clients: &Clients) -> Result<Facts> {
    let before = Books::download(clients, &[Service::Order], PATIENCE).await?;
    let books = Books::download(clients, &Service::ALL, PATIENCE).await?;
    let after = Books::download(clients, &[Service::Order], PATIENCE).await?;
    Ok(Facts::new(books, &[&before, &after]))
}

/// Pure: the same facts give the same report.
pub fn check(facts: &Facts) -> Report {
    let broken = equations::ALL
        .iter()
        .filter_map(|equation| (equation.first_broken)(facts).map(|row| report::Broken { equation, row }))
        .collect();
    Report::new(facts, equations::ALL.len(), broken)
}

#[cfg(test)]
mod tests;
