//! Reports of a partner, or of our own warehouse, that units have left. What is reported has happened, so the report is recorded whatever state the
//! units are in: wanted, held by a change, or cancelled.

use std::collections::BTreeMap;

use types::{FulfilmentId, PartnerTaskId, Reason, Refusal, ReservationId};

use super::goods::{Goods, Moment, Movement};
use super::names::{Sku, WarehouseId};
use super::partner::TaskState;
use super::refusals;
use super::reservation::{Reservation, State};
use super::selection::Selection;
use super::stock::Posting;
use super::warehouse::Warehouses;

/// The units of a report, by what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    pub shipped: i64,
    /// Cancelled units that have left: a person decides what to do.
    pub shipped_after_cancel: i64,
    /// Units that a change holds: its end tells which of the two they are.
    pub noted: i64,
}

/// The shelves that a report takes units of.
pub struct ReportedFrom<'a> {
    pub warehouses: &'a Warehouses,
    /// What a warehouse of our own has free of an article.
    pub available: &'a dyn Fn(&WarehouseId, &Sku) -> i64,
}

impl Goods {
    /// Takes a report about the units of a fulfilment; if none are named, about those that are still wanted, or about
    /// the cancelled ones where none is.
    pub fn report_shipped(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        tracking_number: &str,
        shelves: &ReportedFrom<'_>,
        moment: Moment<'_>,
    ) -> Result<(Reported, Vec<Movement>), Refusal> {
        let rows = self.reported_rows(fulfilment, selection, moment)?;
        let (mut reported, mut movements) = (Reported::default(), Vec::new());
        let mut taken: BTreeMap<(WarehouseId, Sku), i64> = BTreeMap::new();
        for id in rows {
            let quantity = self.reservations[&id].quantity;
            match self.reservations[&id].state {
                State::Active => {
                    reported.shipped += quantity;
                    movements.extend(self.ship_rows(&[id], tracking_number));
                }
                State::Held { .. } => {
                    reported.noted += quantity;
                    let line = self.row(&id).packed.as_mut().expect("its fulfilment was named");
                    line.reported = Some(tracking_number.to_owned());
                }
                State::Released => {
                    reported.shipped_after_cancel += quantity;
                    movements.extend(self.off_the_shelf(&id, shelves, &mut taken));
                    self.left_all_the_same(&id, tracking_number);
                }
                State::Unpacked | State::ShippedAfterCancel { .. } | State::Consumed { .. } => {
                    unreachable!("these can't be reported")
                }
            }
        }
        Ok((reported, movements))
    }

    /// The units were cancelled, and have left.
    pub(super) fn left_all_the_same(&mut self, id: &ReservationId, tracking_number: &str) {
        let row = self.row(id);
        row.state = State::ShippedAfterCancel { tracking_number: tracking_number.to_owned() };
        let task = row.packed.as_ref().and_then(|line| line.task.clone());
        if let Some(task) = task {
            self.mark_liar(&task, tracking_number);
        }
    }

    /// The wanted ones first, then those that a change holds, then the cancelled ones.
    fn reported_rows(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        moment: Moment<'_>,
    ) -> Result<Vec<ReservationId>, Refusal> {
        refusals::distinct(selection.iter().map(|line| &line.line_id))?;
        let rank = |row: &Reservation| match row.state {
            State::Active => Some(0),
            State::Held { .. } => Some(1),
            State::Released => Some(2),
            State::Unpacked | State::ShippedAfterCancel { .. } | State::Consumed { .. } => None,
        };
        let here = |row: &Reservation| row.is_packed_in(fulfilment) && rank(row).is_some();
        let mut within = self.select_by_line(here);
        if selection.is_empty() {
            let wanted = self.select(|row| here(row) && row.is_reserved());
            let rows = if wanted.is_empty() { within.into_ids() } else { wanted };
            return if rows.is_empty() { Err(nothing_left(fulfilment)) } else { Ok(rows) };
        }
        let mut rows = Vec::new();
        for named in selection {
            if !self.lines.contains_key(&named.line_id) {
                return Err(refusals::no_such_line(&named.line_id));
            }
            let (units, known) = (named.quantity.get(), within.units(&named.line_id));
            if units > known {
                let message = format!("the fulfilment has {known} units of the line that have not left");
                return Err(Refusal::new(Reason::QuantityExceedsAvailable, message)
                    .detail("line_id", &named.line_id)
                    .detail("available", known));
            }
            let mut candidates = within.remove(&named.line_id);
            candidates.sort_by_key(|id| rank(&self.reservations[id]));
            rows.extend(self.take(units, candidates, moment));
        }
        Ok(rows)
    }

    /// A shelf of ours has as many fewer, as far as they are not promised to others: the rest is for a count.
    fn off_the_shelf(
        &self,
        id: &ReservationId,
        shelves: &ReportedFrom<'_>,
        taken: &mut BTreeMap<(WarehouseId, Sku), i64>,
    ) -> Option<Movement> {
        let row = &self.reservations[id];
        let before = taken.entry((row.warehouse_id.clone(), row.sku.clone())).or_insert(0);
        let free = (shelves.available)(&row.warehouse_id, &row.sku) - *before;
        let on_hand = row.quantity.min(free);
        if on_hand <= 0 || !shelves.warehouses.keeps_stock(&row.warehouse_id) || row.without_stock {
            return None;
        }
        *before += on_hand;
        let posting = Posting::ShipAfterCancel { on_hand, reserved: 0 };
        Some(Movement { posting, ..self.movement(id, super::goods::release) })
    }

    fn mark_liar(&mut self, id: &PartnerTaskId, tracking_number: &str) {
        let task = self.tasks.get_mut(id).expect("a row names a task of its order");
        task.shipped_after_cancel = true;
        task.detail = match task.state {
            TaskState::Accepted => format!("it had agreed to stop and shipped: {tracking_number}"),
            TaskState::Requested
            | TaskState::Rejected
            | TaskState::Expired
            | TaskState::Unconfirmed
            | TaskState::Withdrawn => format!("it shipped what was cancelled: {tracking_number}"),
        };
    }
}

fn nothing_left(fulfilment: &FulfilmentId) -> Refusal {
    Refusal::new(Reason::StateConflict, "all units of the fulfilment were reported shipped before")
        .detail("fulfillment_id", fulfilment)
}
