//! Units that came back from a buyer: claimed while it is decided, then on the shelf again or written off, each once.

use types::{LineId, Reason, Refusal, ReservationId};

use super::goods::{self, Goods, Moment, Movement};
use super::hold::Splits;
use super::names::WarehouseId;
use super::refusals::{self, Shortage};
use super::reservation::{AfterShip, Reservation, State};
use super::voiding::{inactive, takes_back};
use super::warehouse::Warehouses;

/// Units of a line that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedLine {
    pub line_id: LineId,
    /// Units that can be sold again.
    pub restock: i64,
    /// Units that cannot.
    pub write_off: i64,
    /// The warehouse that has them now; none is the one they had left.
    pub warehouse_id: Option<WarehouseId>,
}

impl ReturnedLine {
    fn units(&self) -> i64 {
        self.restock + self.write_off
    }
}

impl Goods {
    /// Claims the units of every line, or none: delivered ones first. A warehouse that would have to take them back and
    /// takes nothing refuses now, because nothing may refuse once the buyer has been promised the money.
    pub fn claim_returned(
        &mut self,
        lines: &[ReturnedLine],
        warehouses: &Warehouses,
        saga_id: &str,
        moment: Moment<'_>,
    ) -> Result<Splits, Refusal> {
        refusals::distinct(lines.iter().map(|line| &line.line_id))?;
        let mut out = self.select_by_line(Reservation::is_sold);
        let mut short = Vec::new();
        for line in lines {
            let known = self.lines.get(&line.line_id).ok_or_else(|| refusals::no_such_line(&line.line_id))?;
            let available = out.units(&line.line_id);
            if available < line.units() {
                short.push(Shortage {
                    line_id: line.line_id.clone(),
                    sku: known.sku.clone(),
                    wanted: line.units(),
                    available,
                    reason: Reason::QuantityExceedsAvailable,
                });
            }
        }
        if !short.is_empty() {
            let message = "fewer units are out than came back";
            return Err(refusals::short(Reason::QuantityExceedsAvailable, message, &short));
        }

        let mut splits = Splits::default();
        for line in lines {
            let mut candidates = out.remove(&line.line_id);
            candidates.sort_by_key(|id| self.reservations[id].is_on_the_way());
            for id in self.take(line.units(), candidates, moment) {
                let row = self.row(&id);
                let place = line.warehouse_id.as_ref().unwrap_or(&row.warehouse_id);
                if !takes_back(warehouses, place) {
                    return Err(inactive(place));
                }
                splits.line(&row.line_id).shipped += row.quantity;
                if let State::Consumed { after, .. } = &mut row.state {
                    *after = AfterShip::Claimed { by: saga_id.to_owned() };
                }
            }
        }
        Ok(splits)
    }

    /// The completion of a claim. What the buyer had is counted as delivered, whether or not a carrier had said so.
    pub fn take_back(
        &mut self,
        lines: &[ReturnedLine],
        warehouses: &Warehouses,
        saga_id: &str,
        moment: Moment<'_>,
    ) -> Result<(Splits, Vec<Movement>), Refusal> {
        let (mut splits, mut movements) = (Splits::default(), Vec::new());
        for line in lines {
            let claimed = self.select(|row| row.line_id == line.line_id && row.claimed_by() == Some(saga_id));
            let units: i64 = claimed.iter().map(|id| self.reservations[id].quantity).sum();
            if units != line.units() {
                let message =
                    format!("{units} units of line {} are claimed, not {}", line.line_id, line.units());
                return Err(Refusal::new(Reason::ProtocolViolation, message).detail("line_id", &line.line_id));
            }
            splits.line(&line.line_id).shipped += units;
            let sellable = self.take(line.restock, claimed.clone(), moment);
            let rest = claimed.into_iter().filter(|id| !sellable.contains(id)).collect::<Vec<_>>();
            for (ids, sellable) in [(sellable, true), (rest, false)] {
                movements.extend(ids.iter().map(|id| self.came_back(id, sellable, line, warehouses)));
            }
        }
        Ok((splits, movements))
    }

    fn came_back(
        &mut self,
        id: &ReservationId,
        sellable: bool,
        line: &ReturnedLine,
        warehouses: &Warehouses,
    ) -> Movement {
        let posting = if sellable { goods::restock_return } else { goods::write_off };
        let movement = self.movement(id, posting);
        let warehouse_id = line.warehouse_id.clone().unwrap_or_else(|| movement.warehouse_id.clone());
        // A third party's shelves are not counted here.
        let counted =
            sellable && warehouses.keeps_stock(&warehouse_id) && !self.reservations[id].without_stock;
        let row = self.row(id);
        let (line_id, quantity) = (row.line_id.clone(), row.quantity);
        let packed = row.packed.as_mut().expect("shipped units are packed");
        packed.restocked += if counted { quantity } else { 0 };
        if let State::Consumed { delivered, after, .. } = &mut row.state {
            *after = AfterShip::Returned { sellable };
            if !std::mem::replace(delivered, true) {
                self.counters(&line_id).delivered += quantity;
            }
        }
        Movement { warehouse_id, ..movement }
    }
}
