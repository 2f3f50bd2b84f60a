//! Reads books of any size: each row goes into its part as it comes, and the parts are checked one after the other.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use proto::audit::v1::GatewayEffect;

use super::books::{self, Gateways, Row};
use super::equations::{self, Equation, Scope};
use super::facts::Facts;
use super::findings::{Findings, Tally};
use super::heads::{Heads, short};
use super::positions::Positions;
use super::progress::Progress;
use super::report::{Read, Report};
use super::sorter::{Kind, Parts, Sorter};
use super::spool::Spool;
use super::{PATIENCE, Which};
use crate::clients::{Clients, Service};

/// The books on their way into parts, and what is remembered of them beside.
pub(super) struct Reading {
    sorter: Sorter,
    spool: Spool,
    parts: Parts,
    positions: Positions,
    other_gateways: BTreeSet<String>,
    rows: usize,
}

impl Reading {
    pub(super) fn new(parts: Parts, only: Option<HashSet<u64>>) -> Result<Self> {
        Ok(Self {
            sorter: Sorter::new(parts, only),
            spool: Spool::new(parts.count())?,
            parts,
            positions: Positions::default(),
            other_gateways: BTreeSet::new(),
            rows: 0,
        })
    }

    /// The next row of a book. Books come in the order in which their service exports them.
    pub(super) fn take(&mut self, service: Service, book: &str, row: Row<'_>) -> Result<()> {
        self.rows += 1;
        self.positions.take(book, row);
        let places = self.sorter.places(service, book, row);
        if places.is_empty() {
            return Ok(());
        }
        let number = self.spool.book(service, book, row.columns());
        places.into_iter().try_for_each(|part| self.spool.put(part, number, row.cells()))
    }

    /// What a gateway recorded, when the refunds are known.
    pub(super) fn take_effect(&mut self, effect: &GatewayEffect) -> Result<()> {
        match self.sorter.effect(&effect.key) {
            Some(part) => self.spool.put_effect(part, effect),
            None => Ok(()),
        }
    }
}

/// Reads everything once and checks it in parts; orders that move meanwhile are in flight.
pub async fn check(clients: &Clients, which: &Which, progress: &Progress) -> Result<Report> {
    let before = Heads::read(clients).await?;
    let only = asked_for(clients, which, progress).await?;
    let parts = Parts::for_orders(only.as_ref().map_or(before.len(), HashSet::len));
    let mut reading = Reading::new(parts, only)?;
    read(clients, &mut reading, progress).await?;
    let after = Heads::read(clients).await?;
    verdict(&mut reading, which, [&before, &after], progress)
}

/// The orders that are asked for; none where all are.
async fn asked_for(clients: &Clients, which: &Which, progress: &Progress) -> Result<Option<HashSet<u64>>> {
    match which {
        Which::All => Ok(None),
        Which::One(order_id) => Ok(Some(HashSet::from([short(order_id)]))),
        Which::ChangedSince(instant) => {
            let mut changed = HashSet::new();
            books::export(clients, Service::Order, &["timeline"], |_, entry| {
                progress.row("timeline");
                if entry.text("at") >= instant.as_str() {
                    changed.insert(short(entry.text("order_id")));
                }
                Ok(())
            })
            .await?;
            Ok(Some(changed))
        }
    }
}

async fn read(clients: &Clients, reading: &mut Reading, progress: &Progress) -> Result<()> {
    let gateways = Gateways::read(clients, PATIENCE).await?;
    for service in Service::ALL {
        books::export(clients, service, &[], |book, row| {
            progress.row(book);
            reading.take(service, book, row)
        })
        .await?;
    }
    reading.other_gateways = gateways.others;
    gateways.effects.iter().try_for_each(|effect| reading.take_effect(effect))
}

pub(super) fn verdict(
    reading: &mut Reading,
    which: &Which,
    readings: [&Heads; 2],
    progress: &Progress,
) -> Result<Report> {
    let mut tally = Tally::default();
    let mut read = Read { rows: reading.rows, ..Read::default() };
    for part in 0..reading.parts.count() {
        let kind = reading.parts.kind(part);
        // Of some orders alone the whole is not known.
        if kind != Kind::Orders && *which != Which::All {
            continue;
        }
        progress.part(part, reading.parts.count());
        let mut books = reading.spool.read(part)?;
        books.gateways.others.clone_from(&reading.other_gateways);
        let facts = Facts::new(books, &readings);
        read.orders += if kind == Kind::Orders { facts.order_count() } else { 0 };
        read.in_flight.extend(facts.moving.iter().cloned());
        check_part(&facts, kind, &reading.positions, &mut tally);
    }
    let applies =
        |equation: &&Equation| *which == Which::All || matches!(equation.scope, Scope::Order | Scope::AtRest);
    read.equations = equations::ALL.iter().filter(applies).count();
    Ok(Report::new(read, tally.broken(equations::ALL)))
}

fn check_part(facts: &Facts, kind: Kind, positions: &Positions, tally: &mut Tally) {
    for (place, equation) in equations::ALL.iter().enumerate() {
        let mut findings = Findings::new(facts, equation.scope);
        match (equation.scope, kind) {
            (Scope::Order | Scope::AtRest, Kind::Orders)
            | (Scope::Article, Kind::Articles)
            | (Scope::Whole, Kind::Whole) => {
                (equation.check)(facts, &mut findings);
            }
            (Scope::Log, Kind::Whole) => positions.tell(facts, &mut findings),
            _ => continue,
        }
        tally.add(place, findings);
    }
}
