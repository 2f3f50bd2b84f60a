//! Undoing a fulfilment that has not left, and packing its units in another warehouse: their reservation moves with them.

use std::collections::BTreeMap;

use types::{FulfilmentId, Reason, Refusal, ReservationId};

use super::goods::{self, Goods, Moment, Movement};
use super::label::Label;
use super::names::{Sku, WarehouseId};
use super::refusals::{self, Shortage};
use super::reservation::{Reservation, State};
use super::selection::{Selection, Units};
use super::warehouse::{WarehouseKind, Warehouses};

/// Where the units are reserved again.
pub struct Elsewhere<'a> {
    pub warehouses: &'a Warehouses,
    /// What a warehouse of our own has free of an article.
    pub available: &'a dyn Fn(&WarehouseId, &Sku) -> i64,
}

impl Goods {
    /// Takes units out of a fulfilment: the named ones, or all that have not left and are not held. They stay reserved in their warehouse, in rows of
    /// their own, so that the fulfilment still shows what was in it.
    pub fn unpack(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        warehouses: &Warehouses,
        moment: Moment<'_>,
    ) -> Result<(Vec<ReservationId>, Vec<Movement>), Refusal> {
        if let Some((id, label)) = self.label_on(fulfilment) {
            let message =
                format!("label {} is on the parcel; void it before it is unpacked", label.tracking_number);
            return Err(Refusal::new(Reason::StateConflict, message).detail("label_id", id));
        }
        let here = |row: &Reservation| row.is_packed_in(fulfilment) && row.with_partner(warehouses).is_none();
        let at_partner = self.reservations.values().any(|row| {
            row.is_packed_in(fulfilment) && row.is_active() && row.with_partner(warehouses).is_some()
        });
        let units = Units {
            verb: "unpack",
            free: &|row| here(row) && row.is_active(),
            held: &|row| here(row) && row.is_held(),
        };
        let rows = self.pick(selection, units, moment).map_err(|refusal| {
            if at_partner && refusal.reason != Reason::CancelHold {
                let message = "a partner has the goods; only a change can stop it";
                return Refusal::new(Reason::StateConflict, message).detail("fulfillment_id", fulfilment);
            }
            refusal
        })?;
        let mut movements = Vec::with_capacity(2 * rows.len());
        let mut free = Vec::with_capacity(rows.len());
        for id in rows {
            let (row, quantity) = (&self.reservations[&id], self.reservations[&id].quantity);
            let (line_id, here) = (row.line_id.clone(), row.warehouse_id.clone());
            let (anew, moved) = self.promise_anew(&id, &here, State::Unpacked, moment);
            self.counters(&line_id).deallocated += quantity;
            movements.extend(moved);
            free.push(anew);
        }
        Ok((free, movements))
    }

    /// Takes units out of a fulfilment and packs them in another warehouse, which has to have them.
    pub fn repack(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        to: &WarehouseId,
        shelves: &Elsewhere<'_>,
        moment: Moment<'_>,
    ) -> Result<(FulfilmentId, Vec<Movement>), Refusal> {
        if self.fulfilments[fulfilment].warehouse_id == *to {
            let message = format!("the parcel is in {to} already");
            return Err(Refusal::new(Reason::StateConflict, message).field("warehouse_id"));
        }
        let (rows, unpacked) = self.unpack(fulfilment, selection, shelves.warehouses, moment)?;
        // The promise where they were was for a moment only: nobody has seen it.
        let released = unpacked.into_iter().filter(|movement| !rows.contains(&movement.reservation_id));
        let mut movements: Vec<Movement> = released.collect();
        self.serve_from(&rows, to, shelves)?;
        for id in &rows {
            self.row(id).warehouse_id = to.clone();
            movements.push(self.movement(id, goods::reserve));
        }
        Ok((self.pack(&rows, to, moment), movements))
    }

    /// Reserves these units in another warehouse instead, which has to have them.
    pub(super) fn bring_to(
        &mut self,
        rows: Vec<ReservationId>,
        to: &WarehouseId,
        shelves: &Elsewhere<'_>,
        moment: Moment<'_>,
    ) -> Result<(Vec<ReservationId>, Vec<Movement>), Refusal> {
        let (here, away): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|id| self.reservations[id].warehouse_id == *to);
        self.serve_from(&away, to, shelves)?;
        let (mut brought, mut movements) = (here, Vec::new());
        for id in away {
            let (anew, moved) = self.promise_anew(&id, to, State::Released, moment);
            movements.extend(moved);
            brought.push(anew);
        }
        Ok((brought, movements))
    }

    /// Ends the reservation of a row, and opens a new one.
    fn promise_anew(
        &mut self,
        id: &ReservationId,
        at: &WarehouseId,
        end: State,
        moment: Moment<'_>,
    ) -> (ReservationId, [Movement; 2]) {
        let released = self.movement(id, goods::release);
        let row = self.row(id);
        row.state = end;
        let anew = Reservation {
            warehouse_id: at.clone(),
            state: State::Active,
            split_of: Some(id.clone()),
            packed: None,
            created_at: moment.at,
            ..row.clone()
        };
        let (line_id, quantity) = (anew.line_id.clone(), anew.quantity);
        let anew_id: ReservationId = moment.ids.mint();
        self.reservations.insert(anew_id.clone(), anew);
        let line = self.lines.get_mut(&line_id).expect("a reservation belongs to a line of its order");
        line.reserved_quantity += quantity;
        let reserved = self.movement(&anew_id, goods::reserve);
        (anew_id, [released, reserved])
    }

    /// Refuses if the warehouse has not all of it.
    fn serve_from(
        &self,
        rows: &[ReservationId],
        to: &WarehouseId,
        shelves: &Elsewhere<'_>,
    ) -> Result<(), Refusal> {
        let warehouse = shelves.warehouses.named(to)?;
        if !warehouse.active {
            let message = format!("warehouse {to} takes no new reservations");
            return Err(Refusal::new(Reason::WarehouseInactive, message).detail("warehouse_id", to));
        }
        if warehouse.kind == WarehouseKind::Dropship {
            return Ok(());
        }
        let mut wanted: BTreeMap<&Sku, i64> = BTreeMap::new();
        let mut short = Vec::new();
        for row in rows.iter().map(|id| &self.reservations[id]).filter(|row| !row.without_stock) {
            let sum = wanted.entry(&row.sku).or_insert(0);
            *sum += row.quantity;
            let available = (shelves.available)(to, &row.sku);
            if *sum > available {
                short.push(Shortage {
                    line_id: row.line_id.clone(),
                    sku: row.sku.clone(),
                    wanted: *sum,
                    available: available.max(0),
                    reason: Reason::InsufficientStock,
                });
            }
        }
        if short.is_empty() {
            return Ok(());
        }
        let message = format!("warehouse {to} has not enough free stock");
        Err(refusals::short(Reason::InsufficientStock, &message, &short))
    }

    fn label_on(&self, fulfilment: &FulfilmentId) -> Option<(&types::LabelId, &Label)> {
        self.labels.iter().find(|(_, label)| label.fulfilment_id == *fulfilment && !label.state.is_voided())
    }
}
