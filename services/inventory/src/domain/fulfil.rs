//! Allocating reserved units to a fulfilment, and submitting it to the warehouse floor or a partner.

use types::{FulfilmentId, Reason, Refusal, ReservationId};

use super::fulfilment::{Fulfilment, Partner};
use super::goods::{Goods, Moment, Movement};
use super::integration::IntegrationKey;
use super::names::WarehouseId;
use super::reservation::{FulfilmentLine, Reservation};
use super::selection::{Selection, Units};
use super::unpacking::Elsewhere;

/// What is needed to submit goods to a partner.
#[derive(Clone, Copy)]
pub struct Handover<'a> {
    pub integration: &'a IntegrationKey,
    /// As the caller wants it; empty for any.
    pub external_number: &'a str,
    /// Whether the partner has seen a number.
    pub is_burned: &'a dyn Fn(&str) -> bool,
    /// How many numbers this fulfilment has had there.
    pub numbers_so_far: usize,
    pub same_number_ok: bool,
}

impl Goods {
    /// Allocates units of one warehouse to a new fulfilment; all unallocated ones if none are named. Units whose saga has
    /// not decided stay where they are: what its decision may still take back must not leave. `elsewhere` takes units
    /// that other warehouses have as well.
    pub fn allocate(
        &mut self,
        warehouse_id: &WarehouseId,
        selection: &[Selection],
        is_decided: &dyn Fn(&str) -> bool,
        elsewhere: Option<&Elsewhere<'_>>,
        moment: Moment<'_>,
    ) -> Result<(FulfilmentId, Vec<Movement>), Refusal> {
        if self.awaits_payment {
            let message = "the order waits for its payment, and its goods with it";
            return Err(Refusal::new(Reason::PaymentRequired, message).detail("order_id", &self.order_id));
        }
        let here = |row: &Reservation| {
            row.packed.is_none() && (elsewhere.is_some() || row.warehouse_id == *warehouse_id)
        };
        let undecided =
            self.reservations.values().any(|row| here(row) && row.is_active() && !is_decided(&row.saga_id));
        let units = Units {
            verb: "allocate",
            free: &|row| here(row) && row.is_active() && is_decided(&row.saga_id),
            held: &|row| here(row) && row.is_held(),
        };
        let order_id = self.order_id.clone();
        let rows = self.pick(selection, units, moment).map_err(|refusal| {
            if undecided && refusal.reason != Reason::CancelHold {
                let message = "what the goods were reserved for is not decided yet; try again";
                return Refusal::new(Reason::ChangeInProgress, message).detail("order_id", &order_id);
            }
            refusal
        })?;
        let (rows, movements) = match elsewhere {
            Some(shelves) => self.bring_to(rows, warehouse_id, shelves, moment)?,
            None => (rows, Vec::new()),
        };
        Ok((self.pack(&rows, warehouse_id, moment), movements))
    }

    /// Puts these units into a new fulfilment.
    pub(super) fn pack(
        &mut self,
        rows: &[ReservationId],
        warehouse_id: &WarehouseId,
        moment: Moment<'_>,
    ) -> FulfilmentId {
        let fulfilment_id: FulfilmentId = moment.ids.mint();
        let fulfilment = Fulfilment::new(warehouse_id.clone(), moment.at);
        self.fulfilments.insert(fulfilment_id.clone(), fulfilment);
        for id in rows {
            let row = self.row(id);
            row.packed = Some(FulfilmentLine {
                id: moment.ids.mint(),
                fulfilment_id: fulfilment_id.clone(),
                split_of: None,
                submitted: false,
                restocked: 0,
                reshipped: 0,
                resubmit_needed: false,
                task: None,
                label: None,
                reported: None,
            });
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).allocated += quantity;
        }
        fulfilment_id
    }

    /// Hands over all lines that are not held. Lines that a change order gave back later are handed over by
    /// submitting again.
    pub fn submit(
        &mut self,
        fulfilment: &FulfilmentId,
        partner: Option<Handover<'_>>,
        moment: Moment<'_>,
    ) -> Result<Option<Partner>, Refusal> {
        let waiting = |row: &Reservation| {
            row.packed.as_ref().is_some_and(|line| line.fulfilment_id == *fulfilment && !line.submitted)
        };
        let units = Units {
            verb: "submit",
            free: &|row| waiting(row) && row.is_active(),
            held: &|row| waiting(row) && row.is_held(),
        };
        let rows = self.pick(&[], units, moment)?;
        let anew = rows.iter().any(|id| self.reservations[id].needs_resubmission());
        let number = match partner {
            Some(handover) => self.number(fulfilment, &handover, anew)?,
            None => None,
        };
        for id in rows {
            self.mark_submitted(&id);
        }
        let given = self.fulfilments.get_mut(fulfilment).expect("its rows were found");
        if let Some(partner) = &number {
            given.partner = Some(partner.clone());
            given.submitted_at = Some(moment.at);
        }
        given.submitted_at.get_or_insert(moment.at);
        Ok(number)
    }

    /// The number under which the partner gets the goods. None if it has them already under a valid number. A number that a partner has seen is never
    /// used again, whatever happened to the goods.
    fn number(
        &self,
        fulfilment: &FulfilmentId,
        handover: &Handover<'_>,
        anew: bool,
    ) -> Result<Option<Partner>, Refusal> {
        let known = self.fulfilments[fulfilment].partner.as_ref();
        let wanted = match (known, handover.external_number) {
            (Some(_), "") if !anew => return Ok(None),
            (Some(partner), "") if handover.same_number_ok => partner.external_number.clone(),
            (Some(_), "") => format!("{fulfilment}-R{}", handover.numbers_so_far),
            (None, "") => fulfilment.to_string(),
            (_, given) => given.to_owned(),
        };
        let own = known.is_some_and(|partner| partner.external_number == wanted);
        if (handover.is_burned)(&wanted) && !(own && handover.same_number_ok) {
            let message = format!("{} has seen number {wanted} and takes none twice", handover.integration);
            return Err(Refusal::new(Reason::ExternalNumberBurned, message)
                .field("external_number")
                .detail("integration", handover.integration)
                .detail("external_number", &wanted));
        }
        Ok(Some(Partner { integration: handover.integration.clone(), external_number: wanted }))
    }

    pub(super) fn mark_submitted(&mut self, id: &ReservationId) {
        let row = self.row(id);
        let line = row.packed.as_mut().expect("only packed units are submitted");
        if !line.submitted {
            line.submitted = true;
            line.resubmit_needed = false;
            let (line_id, quantity) = (row.line_id.clone(), row.quantity);
            self.counters(&line_id).submitted += quantity;
        }
    }
}
