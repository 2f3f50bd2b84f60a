//! A refund that its gateway declines is tried on the next tender that has room, in the order of return.

use std::collections::BTreeSet;

use types::{CaptureId, PaymentId};

use super::account::Account;
use super::moment::{Moment, Schedule};
use super::refund::{Method, Refund, State};
use super::split::{Form, Source};

/// The step that such a try stands under.
const NEXT_TENDER: &str = "next_tender";

impl Account {
    /// Tries it on the next tender, if its change lets the money go where it can; false if no tender has room for all of
    /// it. A tender that has declined a part of the change is not asked again.
    pub(super) fn try_next_tender(&mut self, declined: &Refund, moment: Moment<'_>) -> bool {
        let moves_on = self.holds.get(&declined.saga_id).is_some_and(|hold| hold.moves_on);
        let Some(next) = self.next_tender(declined).filter(|_| moves_on) else { return false };
        let refund_id = self.insert_refund(Refund {
            refund_id: moment.ids.mint(),
            payment_id: next.payment_id,
            capture_id: next.capture_id,
            method: Method::Tender,
            retry_of: Some(declined.refund_id.clone()),
            state: State::Reserved,
            gateway_reference: String::new(),
            detail: String::new(),
            schedule: Schedule::REST,
            created_at: moment.now,
            updated_at: moment.now,
            ..declined.clone()
        });
        self.send(&refund_id, NEXT_TENDER, moment);
        true
    }

    fn next_tender(&self, declined: &Refund) -> Option<Source> {
        let declining = self.declining(&declined.saga_id);
        // One effect for each change and capture.
        let used: BTreeSet<&CaptureId> = self
            .refunds
            .values()
            .filter(|refund| refund.change_order_id == declined.change_order_id && refund.state.counts())
            .filter_map(|refund| refund.capture_id.as_ref())
            .collect();
        let sources = self.sources(|payment| !declining.contains(&payment.payment_id));
        sources.into_iter().find(|source| {
            source.form == Form::Captured
                && source.free_minor >= declined.amount_minor
                && declined.amount_minor % source.step_minor == 0
                && source.capture_id.as_ref().is_some_and(|id| !used.contains(id))
                && !self.is_frozen(&source.payment_id)
        })
    }

    /// The tenders that have declined a part of the change.
    fn declining(&self, saga_id: &str) -> BTreeSet<&PaymentId> {
        let declined = self.legs(saga_id).filter(|refund| refund.state == State::Declined);
        declined.map(|refund| &refund.payment_id).collect()
    }
}
