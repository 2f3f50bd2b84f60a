//! Which rows a request about a fulfilment means.

use types::{LineId, Quantity, Reason, Refusal, ReservationId};

use super::goods::{ByLine, Goods, Moment};
use super::refusals::{self, Shortage};
use super::reservation::Reservation;

/// Units of a line that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub line_id: LineId,
    pub quantity: Quantity,
}

/// The units a verb may move, and those it might move if no change order held them.
#[derive(Clone, Copy)]
pub(super) struct Units<'a> {
    /// Completes the sentence of a refusal.
    pub verb: &'a str,
    pub free: &'a dyn Fn(&Reservation) -> bool,
    pub held: &'a dyn Fn(&Reservation) -> bool,
}

impl Goods {
    /// The rows that hold exactly the selected units; all free ones if nothing is selected.
    pub(super) fn pick(
        &mut self,
        selection: &[Selection],
        units: Units<'_>,
        moment: Moment<'_>,
    ) -> Result<Vec<ReservationId>, Refusal> {
        refusals::distinct(selection.iter().map(|line| &line.line_id))?;
        let mut free = self.select_by_line(units.free);
        let held = self.select_by_line(units.held);
        if selection.is_empty() {
            return pick_all(free, &held, units.verb);
        }

        let mut short = Vec::new();
        for wanted in selection {
            short.extend(self.selection_shortage(wanted, &free, &held)?);
        }
        if !short.is_empty() {
            return Err(selection_refusal(&short, units.verb));
        }
        let mut rows = Vec::new();
        for wanted in selection {
            let candidates = free.remove(&wanted.line_id);
            rows.extend(self.take(wanted.quantity.get(), candidates, moment));
        }
        Ok(rows)
    }

    fn selection_shortage(
        &self,
        wanted: &Selection,
        free: &ByLine,
        held: &ByLine,
    ) -> Result<Option<Shortage>, Refusal> {
        let line = self.lines.get(&wanted.line_id).ok_or_else(|| refusals::no_such_line(&wanted.line_id))?;
        let (quantity, available) = (wanted.quantity.get(), free.units(&wanted.line_id));
        let reason = if held.units(&wanted.line_id) > 0 {
            Reason::CancelHold
        } else {
            Reason::QuantityExceedsAvailable
        };
        Ok((available < quantity).then(|| Shortage {
            line_id: wanted.line_id.clone(),
            sku: line.sku.clone(),
            wanted: quantity,
            available,
            reason,
        }))
    }
}

fn pick_all(free: ByLine, held: &ByLine, verb: &str) -> Result<Vec<ReservationId>, Refusal> {
    if !free.is_empty() {
        return Ok(free.into_ids());
    }
    Err(if held.is_empty() {
        Refusal::new(Reason::StateConflict, format!("no units are left to {verb}"))
    } else {
        Refusal::new(Reason::CancelHold, format!("a change order holds all units left to {verb}"))
    })
}

/// A held unit may come back, so the caller is told of the hold first.
fn selection_refusal(short: &[Shortage], verb: &str) -> Refusal {
    if short.iter().any(|line| line.reason == Reason::CancelHold) {
        let message = format!("a change order holds some of the units to {verb}");
        refusals::short(Reason::CancelHold, &message, short)
    } else {
        let message = format!("fewer units are left to {verb} than are named");
        refusals::short(Reason::QuantityExceedsAvailable, &message, short)
    }
}
