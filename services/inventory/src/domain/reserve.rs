//! Reserving stock for the lines of an order, and releasing it again.

use std::collections::BTreeMap;

use types::{LineId, Quantity, Reason, Refusal, ReservationId};

use super::goods::{self, Counters, Goods, Line, Moment, Movement};
use super::hold::Splits;
use super::integration::IntegrationKey;
use super::names::{Sku, WarehouseId};
use super::refusals::{self, Shortage};
use super::reservation::{AfterShip, Reservation, State};
use super::warehouse::{WarehouseKind, Warehouses};

/// A line that needs units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub line_id: LineId,
    pub sku: Sku,
    pub quantity: Quantity,
    /// None: the first active warehouse of our own by priority that can serve the whole line.
    pub warehouse_id: Option<WarehouseId>,
    /// A bundle without stock of its own: it reserves nothing, and is packed with its first part.
    pub without_stock: bool,
    /// The bundle's line, of a part of one.
    pub part_of: Option<LineId>,
}

/// Units of a restored order that had been cancelled after they were shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshipped {
    pub line_id: LineId,
    pub quantity: Quantity,
}

/// What a saga asks to reserve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reservable {
    pub lines: Vec<Wanted>,
    pub reshipped: Vec<Reshipped>,
}

impl Goods {
    /// Reserves every line or none. `available` tells how many units of an article are free in a warehouse of our own.
    ///
    /// A line is never split over warehouses. Lines are served in the given order, so the same article on two lines counts twice against the same
    /// stock. `takes_again` tells which partners accept an order's number twice.
    pub fn reserve(
        &mut self,
        reservable: &Reservable,
        saga_id: &str,
        warehouses: &Warehouses,
        available: impl Fn(&WarehouseId, &Sku) -> i64,
        takes_again: impl Fn(&IntegrationKey) -> bool,
        moment: Moment<'_>,
    ) -> Result<Vec<Movement>, Refusal> {
        let wanted = &reservable.lines;
        refusals::distinct(wanted.iter().map(|line| &line.line_id))?;
        self.may_reserve(wanted, takes_again)?;
        let mut shelves = Shelves { warehouses, available, promised: BTreeMap::new() };
        let chosen = shelves.choose_all(wanted)?;

        let mut movements = self.reship(&reservable.reshipped, saga_id, &mut shelves)?;
        for (line, warehouse_id) in wanted.iter().zip(chosen) {
            let id = self.add(line, warehouse_id, saga_id, moment);
            movements.push(self.movement(&id, goods::reserve));
        }
        Ok(movements)
    }

    /// Sets whether the new reservations wait for payment. Earlier ones go on waiting.
    pub fn await_payment(&mut self, until_paid: bool) {
        let promised = self.reservations.values().any(Reservation::is_reserved);
        self.awaits_payment = until_paid || (promised && self.awaits_payment);
    }

    /// Claims units that were cancelled after they were shipped, so that they become the buyer's again where they are. Units that had come back
    /// to stock leave it again.
    fn reship<A: Fn(&WarehouseId, &Sku) -> i64>(
        &mut self,
        reshipped: &[Reshipped],
        saga_id: &str,
        shelves: &mut Shelves<'_, A>,
    ) -> Result<Vec<Movement>, Refusal> {
        refusals::distinct(reshipped.iter().map(|line| &line.line_id))?;
        let (mut movements, mut short) = (Vec::new(), Vec::new());
        for wanted in reshipped {
            let line =
                self.lines.get(&wanted.line_id).ok_or_else(|| refusals::no_such_line(&wanted.line_id))?;
            let sku = line.sku.clone();
            let rows = self.select(|row| row.line_id == wanted.line_id && row.is_cancelled_after_ship());
            let found: i64 = rows.iter().map(|id| self.reservations[id].quantity).sum();
            if found != wanted.quantity.get() {
                let message = format!("{found} units of the line were cancelled after they were shipped");
                return Err(Refusal::new(Reason::StateConflict, message)
                    .detail("line_id", &wanted.line_id)
                    .detail("wanted", wanted.quantity.get()));
            }
            let (missing, available) = shelves.take_back_out(&rows, &self.reservations);
            if missing > 0 {
                short.push(Shortage {
                    line_id: wanted.line_id.clone(),
                    sku,
                    wanted: missing + available,
                    available,
                    reason: Reason::InsufficientStock,
                });
            }
            for id in rows {
                movements.extend(self.claim_for_the_buyer(&id, saga_id));
            }
        }
        if short.is_empty() {
            return Ok(movements);
        }
        let message = "units that had come back were sold to others meanwhile";
        Err(refusals::short(Reason::InsufficientStock, message, &short))
    }

    /// Claims the units of a reservation for the buyer. A label that was voided, or whose parcel has gone before, is forgotten.
    fn claim_for_the_buyer(&mut self, id: &ReservationId, saga_id: &str) -> Option<Movement> {
        let row = &self.reservations[id];
        let leaves = row.is_back_on_the_shelf();
        let label = row.packed.as_ref().and_then(|line| line.label.as_ref());
        let is_void = label.is_some_and(|label| self.labels[label].state.is_voided());
        let movement = leaves.then(|| self.movement(id, goods::reship));
        let row = self.row(id);
        let line = row.packed.as_mut().expect("shipped units are packed");
        if leaves || is_void {
            line.label = None;
        }
        if leaves {
            line.reshipped += row.quantity;
            saga_id.clone_into(&mut row.saga_id);
        }
        if let State::Consumed { after, .. } = &mut row.state {
            *after = AfterShip::Claimed { by: saga_id.to_owned() };
        }
        movement
    }

    /// Completes the claim: the units are the buyer's again.
    pub fn reshipped(&mut self, saga_id: &str) -> Splits {
        let mut splits = Splits::default();
        self.end_claims(saga_id, &AfterShip::Sold, &mut splits);
        splits
    }

    /// A line can be reserved again only when every unit of its earlier reservation was released: its order is being restored.
    fn may_reserve(
        &self,
        wanted: &[Wanted],
        takes_again: impl Fn(&IntegrationKey) -> bool,
    ) -> Result<(), Refusal> {
        let kept = self.select_by_line(|row| !row.is_given_back() && !row.is_cancelled_after_ship());
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

    /// Releases what this saga reserved. Units that have left already cannot be released; the caller finds them in `shipped` of the
    /// split.
    pub fn unreserve(&mut self, saga_id: &str) -> (Splits, Vec<Movement>) {
        let mine = self.select(|row| row.saga_id == saga_id && row.is_reserved());
        let mut splits = Splits::default();
        let left = self
            .reservations
            .values()
            .filter(|row| row.saga_id == saga_id && row.is_consumed() && row.claimed_by() != Some(saga_id));
        for row in left {
            splits.line(&row.line_id).shipped += row.quantity;
        }
        let mut movements = self.release_rows(&mine, &mut splits);
        movements.extend(self.cancel_again(saga_id));
        (splits, movements)
    }

    /// The undo of [`Goods::reship`]: the claimed units stay cancelled, and units that were taken from stock are back there.
    fn cancel_again(&mut self, saga_id: &str) -> Vec<Movement> {
        let mut movements = Vec::new();
        for id in self.select(|row| row.claimed_by() == Some(saga_id)) {
            if self.reservations[&id].saga_id == saga_id {
                movements.push(self.movement(&id, goods::restock_label_void));
                let row = self.row(&id);
                row.packed.as_mut().expect("shipped units are packed").restocked += row.quantity;
            }
            if let State::Consumed { after, .. } = &mut self.row(&id).state {
                *after = AfterShip::Cancelled;
            }
        }
        movements
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
            without_stock: line.without_stock,
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

/// What a reservation of these lines would find: for each line the free units of the warehouse that has most, and whether they suffice. Reserves
/// nothing. `goods` are those of the order whose units would be shipped again.
pub fn forecast(
    reservable: &Reservable,
    goods: Option<&Goods>,
    warehouses: &Warehouses,
    available: impl Fn(&WarehouseId, &Sku) -> i64,
) -> Vec<Found> {
    let mut shelves = Shelves { warehouses, available, promised: BTreeMap::new() };
    let found = reservable.lines.iter().map(|line| {
        // An inactive or unknown warehouse has nothing.
        let free = shelves.most_free(line).unwrap_or(0);
        let enough = line.without_stock || matches!(shelves.choose(line), Ok(Ok(_)));
        Found { available: free.min(AVAILABLE_SHOWN_MAX), enough }
    });
    let mut found: Vec<Found> = found.collect();
    for line in &reservable.reshipped {
        let rows =
            |goods: &Goods| goods.select(|row| row.line_id == line.line_id && row.is_cancelled_after_ship());
        let missing = goods.map_or(0, |goods| shelves.take_back_out(&rows(goods), &goods.reservations).0);
        found.push(Found { available: line.quantity.get() - missing, enough: missing == 0 });
    }
    found
}

/// The stock of a third party is not known here: it counts as unlimited.
const AVAILABLE_SHOWN_MAX: i64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub available: i64,
    pub enough: bool,
}

/// The free stock after the lines before this one.
struct Shelves<'a, A> {
    warehouses: &'a Warehouses,
    available: A,
    promised: BTreeMap<(WarehouseId, Sku), i64>,
}

impl<A: Fn(&WarehouseId, &Sku) -> i64> Shelves<'_, A> {
    fn choose_all(&mut self, wanted: &[Wanted]) -> Result<Vec<WarehouseId>, Refusal> {
        let mut chosen = BTreeMap::new();
        let mut short = Vec::new();
        for line in wanted.iter().filter(|line| !line.without_stock) {
            match self.choose(line)? {
                Ok(warehouse_id) => {
                    chosen.insert(&line.line_id, warehouse_id);
                }
                Err(shortage) => short.push(shortage),
            }
        }
        if short.is_empty() {
            for line in wanted.iter().filter(|line| line.without_stock) {
                let first = wanted.iter().find(|part| part.part_of.as_ref() == Some(&line.line_id));
                let along = first.and_then(|part| chosen.get(&part.line_id)).cloned();
                match along {
                    Some(warehouse_id) => drop(chosen.insert(&line.line_id, warehouse_id)),
                    None => match self.choose(line)? {
                        Ok(warehouse_id) => drop(chosen.insert(&line.line_id, warehouse_id)),
                        Err(shortage) => short.push(shortage),
                    },
                }
            }
        }
        if short.is_empty() {
            let chosen = wanted.iter().map(|line| chosen[&line.line_id].clone());
            return Ok(chosen.collect());
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
            if !line.without_stock {
                *self.promised.entry((id.clone(), line.sku.clone())).or_insert(0) += quantity;
            }
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

    /// The warehouses that may serve a line, in the order in which they are tried, with the free units of each.
    fn candidates(&self, line: &Wanted) -> Result<Vec<(WarehouseId, i64)>, Refusal> {
        let warehouses = if let Some(named) = &line.warehouse_id {
            vec![(named, self.named(named)?)]
        } else {
            let active = self.warehouses.by_priority();
            active.into_iter().map(|(id, warehouse)| (id, warehouse.kind)).collect()
        };
        let free = |id: &WarehouseId, kind: WarehouseKind| match kind {
            _ if line.without_stock => i64::MAX,
            WarehouseKind::Own => {
                let key = (id.clone(), line.sku.clone());
                (self.available)(id, &line.sku) - self.promised.get(&key).copied().unwrap_or(0)
            }
            // What a third party has becomes known only when it ships.
            WarehouseKind::Dropship => i64::MAX,
        };
        Ok(warehouses.into_iter().map(|(id, kind)| (id.clone(), free(id, kind))).collect())
    }

    /// Takes units that had come back to stock out again. Returns how many of them are no longer there, and how many are.
    fn take_back_out(
        &mut self,
        rows: &[ReservationId],
        reservations: &BTreeMap<ReservationId, Reservation>,
    ) -> (i64, i64) {
        let (mut missing, mut there) = (0, 0);
        for row in rows.iter().map(|id| &reservations[id]).filter(|row| row.is_back_on_the_shelf()) {
            let key = (row.warehouse_id.clone(), row.sku.clone());
            let taken = self.promised.entry(key).or_insert(0);
            let free = ((self.available)(&row.warehouse_id, &row.sku) - *taken).clamp(0, row.quantity);
            *taken += row.quantity;
            missing += row.quantity - free;
            there += free;
        }
        (missing, there)
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
