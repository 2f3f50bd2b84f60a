//! Out of the door.

use types::{FulfilmentId, Refusal};

use super::goods::{self, Goods, Moment, Movement};
use super::reservation::{AfterShip, Reservation, State};
use super::selection::{Selection, Units};

impl Goods {
    /// Ships units of a fulfilment; all that no change order holds if none are named. What is shipped without
    /// having been submitted counts as submitted, so that the counters stay in order.
    pub fn ship(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        tracking_number: &str,
        moment: Moment<'_>,
    ) -> Result<Vec<Movement>, Refusal> {
        let here = |row: &Reservation| row.is_packed_in(fulfilment);
        let units = Units {
            verb: "ship",
            free: &|row| here(row) && row.is_active() && !row.needs_resubmission(),
            held: &|row| here(row) && row.is_held(),
        };
        let rows = self.pick(selection, units, moment)?;

        let mut movements = Vec::with_capacity(rows.len());
        for id in rows {
            self.mark_submitted(&id);
            movements.push(self.movement(&id, goods::ship));
            let row = self.row(&id);
            let tracking_number = tracking_number.to_owned();
            row.state = State::Consumed { tracking_number, delivered: false, after: AfterShip::Sold };
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).shipped += quantity;
        }
        Ok(movements)
    }
}
