//! A partner that ships what it had agreed to stop. It is written down as what it is: neither sold nor back.

use types::{FulfilmentId, PartnerTaskId, Reason, Refusal};

use super::goods::{Goods, Moment, Movement};
use super::partner::TaskState;
use super::reservation::{Reservation, State};

/// What a partner's report comes to, in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    pub shipped: i64,
    pub shipped_after_cancel: i64,
}

impl Goods {
    /// A partner says that it has shipped a fulfilment. What was still wanted is shipped as usual; what it was told to
    /// stop is marked, for a person to decide. Units that a change order holds right now must be decided first.
    pub fn partner_shipped(
        &mut self,
        fulfilment: &FulfilmentId,
        tracking_number: &str,
        moment: Moment<'_>,
    ) -> Result<(Reported, Vec<Movement>), Refusal> {
        let here = |row: &Reservation| row.is_packed_in(fulfilment);
        if self.reservations.values().any(|row| here(row) && row.is_held()) {
            let message = "a change order holds units of the fulfilment; answer its partner task first";
            return Err(Refusal::new(Reason::CancelHold, message).detail("fulfillment_id", fulfilment));
        }
        let stopped = self.select(|row| here(row) && row.state == State::Released && row.was_asked_to_stop());
        let wanted = self.select(|row| here(row) && row.is_active());
        if stopped.is_empty() && wanted.is_empty() {
            return Err(Refusal::new(Reason::StateConflict, "no units are left to ship")
                .detail("fulfillment_id", fulfilment));
        }
        let mut reported = Reported::default();
        let movements = if wanted.is_empty() {
            Vec::new()
        } else {
            reported.shipped = wanted.iter().map(|id| self.reservations[id].quantity).sum();
            self.ship(fulfilment, &[], tracking_number, moment)?
        };
        for id in stopped {
            let row = self.row(&id);
            reported.shipped_after_cancel += row.quantity;
            row.state = State::ShippedAfterCancel { tracking_number: tracking_number.to_owned() };
            let task = row.packed.as_ref().and_then(|line| line.task.clone());
            if let Some(task) = task {
                self.mark_liar(&task, tracking_number);
            }
        }
        Ok((reported, movements))
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

impl Reservation {
    fn was_asked_to_stop(&self) -> bool {
        self.packed.as_ref().is_some_and(|line| line.task.is_some())
    }
}
