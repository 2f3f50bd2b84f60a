//! Shipping units of a fulfilment.

use types::{FulfilmentId, Refusal, ReservationId};

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
        Ok(self.ship_rows(&rows, tracking_number))
    }

    /// These units leave, under the label that their fulfilment has.
    pub(super) fn ship_rows(&mut self, rows: &[ReservationId], tracking_number: &str) -> Vec<Movement> {
        let mut movements = Vec::with_capacity(rows.len());
        for id in rows {
            self.mark_submitted(id);
            movements.push(self.movement(id, goods::ship));
            let label = self.label_of_parcel(id, tracking_number);
            let row = self.row(id);
            let line = row.packed.as_mut().expect("only packed units are shipped");
            (line.label, line.reported) = (label, None);
            let tracking_number = tracking_number.to_owned();
            row.state = State::Consumed { tracking_number, delivered: false, after: AfterShip::Sold };
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).shipped += quantity;
        }
        movements
    }
}
