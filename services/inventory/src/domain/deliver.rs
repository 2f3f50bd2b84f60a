//! Recording that units were delivered.

use types::{FulfilmentId, Refusal};

use super::goods::{Goods, Moment};
use super::reservation::{Reservation, State};
use super::selection::{Selection, Units};

impl Goods {
    /// Records shipped units as delivered; all of the fulfilment's if none are named.
    pub fn deliver(
        &mut self,
        fulfilment: &FulfilmentId,
        selection: &[Selection],
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let here = |row: &Reservation| row.is_packed_in(fulfilment);
        let units = Units {
            verb: "deliver",
            free: &|row| here(row) && row.is_on_the_way(),
            held: &|row| here(row) && row.claimed_by().is_some(),
        };
        for id in self.pick(selection, units, moment)? {
            let row = self.row(&id);
            match &mut row.state {
                State::Consumed { delivered, .. } => *delivered = true,
                State::Active
                | State::Held { .. }
                | State::Released
                | State::Unpacked
                | State::ShippedAfterCancel { .. } => {
                    unreachable!("only shipped units are on the way")
                }
            }
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).delivered += quantity;
        }
        Ok(())
    }
}
