//! Promising stock to the lines of a new order, and taking the promise back.

use std::collections::BTreeMap;

use types::{LineId, Quantity, Reason, Refusal, ReservationId};

use super::goods::{self, Counters, Goods, Line, Moment, Movement};
use super::hold::Splits;
use super::integration::IntegrationKey;
use super::names::{Sku, WarehouseId};
use super::refusals::{self, Shortage};
use super::reservation::{Reservation, State};
use super::warehouse::{WarehouseKind, Warehouses};

/// A line that wants units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub line_id: LineId,
    pub sku: Sku,
    pub quantity: Quantity,
    /// None: the first active warehouse by priority that can serve the whole line.
    pub warehouse_id: Option<WarehouseId>,
}

impl Goods {
    /// Reserves every line or none. `available` tells what a warehouse of our own has free of an article.
    ///
    /// A line is never split over warehouses, and lines are served in the order given: the same article on two
    /// lines is counted twice against the same shelf. `takes_again` tells which partners take an order's number twice.
    pub fn reserve(
        &mut self,
        wanted: &[Wanted],
        saga_id: &str,
        warehouses: &Warehouses,
        available: impl Fn(&WarehouseId, &Sku) -> i64,
        takes_again: impl Fn(&IntegrationKey) -> bool,
        moment: Moment<'_>,
    ) -> Result<Vec<Movement>, Refusal> {
        refusals::distinct(wanted.iter().map(|line| &line.line_id))?;
        self.may_reserve(wanted, takes_again)?;
        let chosen = Shelves { warehouses, available, promised: BTreeMap::new() }.choose_all(wanted)?;

        let mut movements = Vec::with_capacity(wanted.len());
        for (line, warehouse_id) in wanted.iter().zip(chosen) {
            let id = self.add(line, warehouse_id, saga_id, moment);
            movements.push(self.movement(&id, goods::reserve));
        }
        Ok(movements)
    }

    /// What is promised from here on waits for its payment, or not. What was promised before goes on waiting.
    pub fn await_payment(&mut self, until_paid: bool) {
        let promised = self.reservations.values().any(Reservation::is_reserved);
        self.awaits_payment = until_paid || (promised && self.awaits_payment);
    }

    /// A line takes a new promise once every unit of the one before it was given back: its order is being restored.
    fn may_reserve(
        &self,
        wanted: &[Wanted],
        takes_again: impl Fn(&IntegrationKey) -> bool,
    ) -> Result<(), Refusal> {
        let kept = self.select_by_line(|row| row.state != State::Released);
        if let Some(line) = wanted.iter().find(|line| kept.units(&line.line_id) > 0) {
            let message = format!("goods are kept for line {} already", line.line_id);
            return Err(Refusal::new(Reason::StateConflict, message).detail("line_id", &line.line_id));
        }
        let again = wanted.iter().any(|line| self.lines.contains_key(&line.line_id));
        let mut partners = self.fulfilments.values().filter_map(|fulfilment| fulfilment.partner.as_ref());
        match partners.find(|partner| !takes_again(&partner.integration)) {
            Some(partner) if again => {
                let message = "a partner has seen the order's number and takes it only once";
                Err(Refusal::new(Reason::UseReissue, message)
                    .detail("integration", partner.integration.as_str())
                    .detail("external_number", &partner.external_number))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Gives back what this saga reserved. Units that have left already can't be given back; the caller learns
    /// of them from the split's `shipped`.
    pub fn unreserve(&mut self, saga_id: &str) -> (Splits, Vec<Movement>) {
        let mine = self.select(|row| row.saga_id == saga_id && row.is_reserved());
        let mut splits = Splits::default();
        let left = self.reservations.values().filter(|row| row.saga_id == saga_id && row.is_consumed());
        for row in left {
            splits.line(&row.line_id).shipped += row.quantity;
        }
        let movements = self.release_rows(&mine, &mut splits);
        (splits, movements)
    }

    fn add(
        &mut self,
        line: &Wanted,
        warehouse_id: WarehouseId,
        saga_id: &str,
        moment: Moment<'_>,
    ) -> ReservationId {
        let quantity = line.quantity.get();
        let first = || Line { sku: line.sku.clone(), reserved_quantity: 0, counters: Counters::default() };
        self.lines.entry(line.line_id.clone()).or_insert_with(first).reserved_quantity += quantity;
        let id: ReservationId = moment.ids.mint();
        let reservation = Reservation {
            line_id: line.line_id.clone(),
            warehouse_id,
            sku: line.sku.clone(),
            quantity,
            state: State::Active,
            saga_id: saga_id.to_owned(),
            split_of: None,
            packed: None,
            created_at: moment.at,
        };
        self.reservations.insert(id.clone(), reservation);
        id
    }
}

/// What a reservation of these lines would find: for each, the free units where most are, and whether they are enough.
/// It promises nothing.
pub fn forecast(
    wanted: &[Wanted],
    warehouses: &Warehouses,
    available: impl Fn(&WarehouseId, &Sku) -> i64,
) -> Vec<Found> {
    let mut shelves = Shelves { warehouses, available, promised: BTreeMap::new() };
    let found = wanted.iter().map(|line| {
        // A warehouse that takes nothing, or is not there, has nothing.
        let free = shelves.most_free(line).unwrap_or(0);
        let enough = matches!(shelves.choose(line), Ok(Ok(_)));
        Found { available: free.min(AVAILABLE_SHOWN_MAX), enough }
    });
    found.collect()
}

/// A third party has as much as anybody can count.
const AVAILABLE_SHOWN_MAX: i64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub available: i64,
    pub enough: bool,
}

/// The shelves as the lines before this one leave them.
struct Shelves<'a, A> {
    warehouses: &'a Warehouses,
    available: A,
    promised: BTreeMap<(WarehouseId, Sku), i64>,
}

impl<A: Fn(&WarehouseId, &Sku) -> i64> Shelves<'_, A> {
    fn choose_all(mut self, wanted: &[Wanted]) -> Result<Vec<WarehouseId>, Refusal> {
        let mut chosen = Vec::with_capacity(wanted.len());
        let mut short = Vec::new();
        for line in wanted {
            match self.choose(line)? {
                Ok(warehouse_id) => chosen.push(warehouse_id),
                Err(shortage) => short.push(shortage),
            }
        }
        if short.is_empty() {
            return Ok(chosen);
        }
        let message = "no warehouse has enough free stock for every line";
        Err(refusals::short(Reason::InsufficientStock, message, &short))
    }

    /// The outer error ends the request; the inner one is collected, so that a caller learns of all short lines
    /// at once.
    fn choose(&mut self, line: &Wanted) -> Result<Result<WarehouseId, Shortage>, Refusal> {
        let quantity = line.quantity.get();
        let candidates = self.candidates(line)?;
        let best = candidates.iter().map(|(_, free)| *free).max().unwrap_or(0).max(0);
        if let Some((id, _)) = candidates.into_iter().find(|(_, free)| *free >= quantity) {
            *self.promised.entry((id.clone(), line.sku.clone())).or_insert(0) += quantity;
            return Ok(Ok(id));
        }
        Ok(Err(Shortage {
            line_id: line.line_id.clone(),
            sku: line.sku.clone(),
            wanted: quantity,
            available: best,
            reason: Reason::InsufficientStock,
        }))
    }

    fn most_free(&self, line: &Wanted) -> Result<i64, Refusal> {
        Ok(self.candidates(line)?.into_iter().map(|(_, free)| free).max().unwrap_or(0).max(0))
    }

    /// The warehouses that may serve a line, in the order in which they are asked, with what each has free of it.
    fn candidates(&self, line: &Wanted) -> Result<Vec<(WarehouseId, i64)>, Refusal> {
        let warehouses = if let Some(named) = &line.warehouse_id {
            vec![(named, self.named(named)?)]
        } else {
            let active = self.warehouses.by_priority();
            active.into_iter().map(|(id, warehouse)| (id, warehouse.kind)).collect()
        };
        let free = |id: &WarehouseId, kind: WarehouseKind| match kind {
            WarehouseKind::Own => {
                let key = (id.clone(), line.sku.clone());
                (self.available)(id, &line.sku) - self.promised.get(&key).copied().unwrap_or(0)
            }
            // What a third party has is known when it ships, not before.
            WarehouseKind::Dropship => i64::MAX,
        };
        Ok(warehouses.into_iter().map(|(id, kind)| (id.clone(), free(id, kind))).collect())
    }

    fn named(&self, id: &WarehouseId) -> Result<WarehouseKind, Refusal> {
        let warehouse = self.warehouses.named(id)?;
        if warehouse.active {
            return Ok(warehouse.kind);
        }
        let message = format!("warehouse {id} takes no new reservations");
        Err(Refusal::new(Reason::WarehouseInactive, message).detail("warehouse_id", id))
    }
}
