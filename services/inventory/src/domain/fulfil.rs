//! Allocating reserved units to a fulfilment, and handing it to the warehouse floor.

use types::{FulfilmentId, Refusal, ReservationId};

use super::fulfilment::Fulfilment;
use super::goods::{Goods, Moment};
use super::names::WarehouseId;
use super::reservation::{FulfilmentLine, Reservation};
use super::selection::{Selection, Units};

impl Goods {
    /// Allocates units of one warehouse to a new fulfilment; all unallocated ones if none are named.
    pub fn allocate(
        &mut self,
        warehouse_id: &WarehouseId,
        selection: &[Selection],
        moment: Moment<'_>,
    ) -> Result<FulfilmentId, Refusal> {
        let here = |row: &Reservation| row.warehouse_id == *warehouse_id && row.packed.is_none();
        let units = Units {
            verb: "allocate",
            free: &|row| here(row) && row.is_active(),
            held: &|row| here(row) && row.is_held(),
        };
        let rows = self.pick(selection, units, moment)?;

        let fulfilment_id: FulfilmentId = moment.ids.mint();
        let fulfilment = Fulfilment { warehouse_id: warehouse_id.clone(), created_at: moment.at };
        self.fulfilments.insert(fulfilment_id.clone(), fulfilment);
        for id in rows {
            let row = self.row(&id);
            row.packed = Some(FulfilmentLine {
                id: moment.ids.mint(),
                fulfilment_id: fulfilment_id.clone(),
                split_of: None,
                submitted: false,
            });
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).allocated += quantity;
        }
        Ok(fulfilment_id)
    }

    /// Hands over all lines that are not held. Lines that a change order gave back later are handed over by
    /// submitting again.
    pub fn submit(&mut self, fulfilment: &FulfilmentId, moment: Moment<'_>) -> Result<(), Refusal> {
        let waiting = |row: &Reservation| {
            row.packed.as_ref().is_some_and(|line| line.fulfilment_id == *fulfilment && !line.submitted)
        };
        let units = Units {
            verb: "submit",
            free: &|row| waiting(row) && row.is_active(),
            held: &|row| waiting(row) && row.is_held(),
        };
        for id in self.pick(&[], units, moment)? {
            self.mark_submitted(&id);
        }
        Ok(())
    }

    pub(super) fn mark_submitted(&mut self, id: &ReservationId) {
        let row = self.row(id);
        let line = row.packed.as_mut().expect("only packed units are submitted");
        if !line.submitted {
            line.submitted = true;
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).submitted += quantity;
        }
    }
}
