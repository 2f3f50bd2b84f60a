//! Holding units for a change order, and the two ways a hold ends.

use std::collections::BTreeMap;

use types::{LineId, Quantity, Reason, Refusal, ReservationId};

use super::goods::{self, Goods, Moment, Movement};
use super::refusals::{self, Shortage};
use super::reservation::{AfterShip, Progress, Reservation, State};
use super::warehouse::Warehouses;

/// Units of a line that a change order wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldLine {
    pub line_id: LineId,
    pub quantity: Quantity,
}

/// What a change order wants to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub lines: Vec<HoldLine>,
    /// The labels of the held units are to be voided once it is decided.
    pub void_label: bool,
    pub reach: Reach,
    /// Units that cannot be held are left out, as long as there are others; otherwise all are held or none.
    pub take_what_is_left: bool,
    /// Nothing that a partner has been given is held: it could not be kept back there.
    pub only_here: bool,
}

/// How far on their way units may be and still be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only what no fulfilment has.
    Unallocated,
    /// Whatever has not left.
    Here,
    /// Shipped units may be claimed where they are, when too few are left here.
    OnTheWay,
}

/// How far the units of a line were when something was done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Split {
    pub unallocated: i64,
    pub allocated: i64,
    pub submitted: i64,
    pub shipped: i64,
    /// Units that were wanted and left out, and why.
    pub refused: Option<(i64, Reason)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Splits(BTreeMap<LineId, Split>);

impl Splits {
    pub fn iter(&self) -> impl Iterator<Item = (&LineId, &Split)> {
        self.0.iter()
    }

    /// Nothing was touched, and nothing was found gone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn shipped(&self) -> i64 {
        self.0.values().map(|split| split.shipped).sum()
    }

    pub(super) fn line(&mut self, line: &LineId) -> &mut Split {
        self.0.entry(line.clone()).or_default()
    }

    fn refuse(&mut self, short: &Shortage) {
        self.line(&short.line_id).refused = Some((short.wanted - short.available, short.reason));
    }

    fn add(&mut self, row: &Reservation) {
        let split = self.line(&row.line_id);
        match row.progress() {
            Progress::Unallocated => split.unallocated += row.quantity,
            Progress::Allocated => split.allocated += row.quantity,
            Progress::Submitted => split.submitted += row.quantity,
            Progress::Shipped => split.shipped += row.quantity,
        }
    }
}

impl Goods {
    /// Holds the units of every line, or none, or what is left of them. What is disturbed least goes first:
    /// unallocated units, then allocated, then submitted ones, and shipped ones last, if they may be claimed. Stock does
    /// not move: held units stay reserved.
    pub fn hold(&mut self, hold: &Hold, saga_id: &str, moment: Moment<'_>) -> Result<Splits, Refusal> {
        let wanted = &hold.lines;
        refusals::distinct(wanted.iter().map(|line| &line.line_id))?;
        let mut within = self.select_by_line(|row| hold.reach.has(row));
        let mut short = Vec::new();
        for line in wanted {
            short.extend(self.shortage(line, within.units(&line.line_id), hold.reach)?);
        }
        let something = wanted.iter().any(|line| within.units(&line.line_id) > 0);
        let enough = short.is_empty() || (hold.take_what_is_left && something);
        if !enough {
            return Err(hold_refusal(&short, hold.reach));
        }

        let mut splits = Splits::default();
        for line in &short {
            splits.refuse(line);
        }
        for line in wanted {
            let units = line.quantity.get().min(within.units(&line.line_id));
            let mut candidates = within.remove(&line.line_id);
            candidates.sort_by_key(|id| self.reservations[id].progress());
            for id in self.take(units, candidates, moment) {
                let row = self.row(&id);
                splits.add(row);
                let by = saga_id.to_owned();
                match &mut row.state {
                    State::Consumed { after, .. } => *after = AfterShip::Claimed { by },
                    state => *state = State::Held { by },
                }
            }
        }
        if hold.void_label {
            self.promise_voids(saga_id)?;
        }
        Ok(splits)
    }

    /// The undo of a hold: what this saga holds may be shipped again. The split-off rows stay apart: merging
    /// them back would have to empty a row, and no row is ever deleted or empty.
    pub fn resume(&mut self, saga_id: &str) -> (Splits, Vec<Movement>) {
        let (mut splits, mut movements) = (Splits::default(), Vec::new());
        for id in self.held_by(saga_id) {
            let row = self.row(&id);
            row.state = State::Active;
            splits.add(row);
            // It was said to have left meanwhile, and nothing speaks against that any more.
            if let Some(number) = row.packed.as_mut().and_then(|line| line.reported.take()) {
                movements.extend(self.ship_rows(&[id], &number));
            }
        }
        self.end_claims(saga_id, &AfterShip::Sold, &mut splits);
        self.keep_labels(saga_id);
        (splits, movements)
    }

    /// The completion of a hold: what this saga holds goes back to stock, and its fulfilment lines are cancelled. What it
    /// claims stays where it is.
    pub fn release(&mut self, saga_id: &str) -> (Splits, Vec<Movement>) {
        let mut splits = Splits::default();
        let movements = self.release_rows(&self.held_by(saga_id), &mut splits);
        self.end_claims(saga_id, &AfterShip::Cancelled, &mut splits);
        (splits, movements)
    }

    /// The other completion of a hold: what this saga holds does not exist, so that nobody else is promised it.
    pub fn write_down(&mut self, saga_id: &str) -> (Splits, Vec<Movement>) {
        let mut splits = Splits::default();
        let held = self.held_by(saga_id);
        let mut movements = self.release_rows(&held, &mut splits);
        for (movement, id) in movements.iter_mut().zip(&held) {
            // What has left all the same did exist.
            if self.reservations[id].state == State::Released {
                *movement = self.movement(id, goods::short_ship);
            }
        }
        (splits, movements)
    }

    /// How many of the units that this saga holds a third party is working on already.
    pub fn held_with_partner(&self, saga_id: &str, warehouses: &Warehouses) -> i64 {
        let with_partner =
            |row: &&Reservation| row.held_by() == Some(saga_id) && row.with_partner(warehouses).is_some();
        self.reservations.values().filter(with_partner).map(|row| row.quantity).sum()
    }

    pub(super) fn release_rows(&mut self, rows: &[ReservationId], splits: &mut Splits) -> Vec<Movement> {
        let mut movements = Vec::with_capacity(rows.len());
        for id in rows {
            let reported = self.row(id).packed.as_mut().and_then(|line| line.reported.take());
            let posting = if reported.is_some() { goods::ship_after_cancel } else { goods::release };
            movements.push(self.movement(id, posting));
            let row = self.row(id);
            splits.add(row);
            match reported {
                Some(number) => self.left_all_the_same(id, &number),
                None => row.state = State::Released,
            }
            let row = self.row(id);
            let (line_id, quantity, packed) = (row.line_id.clone(), row.quantity, row.packed.is_some());
            if packed {
                self.counters(&line_id).deallocated += quantity;
            }
        }
        movements
    }

    pub(super) fn end_claims(&mut self, saga_id: &str, end: &AfterShip, splits: &mut Splits) {
        for id in self.select(|row| row.claimed_by() == Some(saga_id)) {
            let row = self.row(&id);
            splits.add(row);
            if let State::Consumed { after, .. } = &mut row.state {
                *after = end.clone();
            }
        }
    }

    pub(super) fn held_by(&self, saga_id: &str) -> Vec<ReservationId> {
        self.select(|row| row.held_by() == Some(saga_id))
    }

    fn shortage(&self, wanted: &HoldLine, available: i64, reach: Reach) -> Result<Option<Shortage>, Refusal> {
        let line = self.lines.get(&wanted.line_id).ok_or_else(|| refusals::no_such_line(&wanted.line_id))?;
        if available >= wanted.quantity.get() {
            return Ok(None);
        }
        let shipped = line.counters.shipped - line.counters.unshipped;
        let reason = if reach == Reach::OnTheWay && line.counters.delivered > 0 {
            Reason::Delivered
        } else if available == 0 && shipped > 0 && !self.has_active(&wanted.line_id) {
            Reason::ShippedFirst
        } else {
            Reason::QuantityExceedsAvailable
        };
        Ok(Some(Shortage {
            line_id: wanted.line_id.clone(),
            sku: line.sku.clone(),
            wanted: wanted.quantity.get(),
            available,
            reason,
        }))
    }

    fn has_active(&self, line_id: &LineId) -> bool {
        self.reservations.values().any(|row| row.line_id == *line_id && row.is_active())
    }
}

impl Reach {
    fn has(self, row: &Reservation) -> bool {
        match self {
            Self::Unallocated => row.is_active() && row.progress() == Progress::Unallocated,
            Self::Here => row.is_active(),
            Self::OnTheWay => row.is_active() || row.is_on_the_way(),
        }
    }
}

/// A line that has left wholly tells the caller more than one that is merely too short.
fn hold_refusal(short: &[Shortage], reach: Reach) -> Refusal {
    if short.iter().any(|line| line.reason == Reason::Delivered) {
        refusals::short(Reason::Delivered, "some of the units have been delivered", short)
    } else if short.iter().any(|line| line.reason == Reason::ShippedFirst) {
        refusals::short(Reason::ShippedFirst, "the units have been shipped", short)
    } else {
        let message = match reach {
            Reach::Unallocated => "fewer units are still without a fulfilment than are wanted",
            Reach::Here | Reach::OnTheWay => "fewer units can still be held than are wanted",
        };
        refusals::short(Reason::QuantityExceedsAvailable, message, short)
    }
}
