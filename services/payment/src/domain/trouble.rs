//! Refunds that somebody has to look at, as the rows alone say it: what was raised for one is cleared when
//! it is not among them any more.

use std::collections::BTreeSet;

use types::RefundId;

use super::account::Account;
use super::event::{Attention, Event};
use super::gateway::DisputeState;
use super::refund::{Kind, Refund, Stage, State};

/// The subject of items about what was given back at the gateway and not by us.
pub(super) const EXTERNAL_REFUND: &str = "external_refund";

impl Account {
    pub fn troubled(&self) -> BTreeSet<RefundId> {
        let troubled = self.refunds.values().filter(|refund| self.is_troubled(refund));
        troubled.map(|refund| refund.refund_id.clone()).collect()
    }

    /// Tells of those that are in order again. Only a decision on the account can have done that.
    pub fn clear_attention(&mut self) {
        let now = self.troubled();
        let before = std::mem::replace(&mut self.unsaved.troubled, now);
        for refund_id in before.difference(&self.unsaved.troubled.clone()) {
            let change_order_id = self.refunds[refund_id].change_order_id.clone();
            let refund = &self.refunds[refund_id];
            let subject_type = if refund.state == State::External { EXTERNAL_REFUND } else { "refund" };
            let subject = Attention { subject_type, subject_id: refund_id.to_string() };
            self.tell(Event::AttentionCleared { subject, change_order_id });
        }
    }

    fn is_troubled(&self, refund: &Refund) -> bool {
        match refund.state {
            State::Manual | State::Unknown => true,
            State::Declined | State::Reversed => {
                !self.is_put_right(&refund.refund_id) && self.is_still_due(refund)
            }
            // A part of a shared payment that was passed over until its capture ends.
            State::AwaitingCapture => self.payment(&refund.payment_id).shared_payment_id.is_some(),
            // What somebody gave back at the gateway, until the order is worth as much less.
            State::External => self.position_minor() < self.worth_minor,
            State::Reserved
            | State::Submitting
            | State::Pending
            | State::RequiresAction
            | State::Succeeded
            | State::Released
            | State::ResolvedExternally => false,
        }
    }

    /// Whether a later try has brought the money where it belongs.
    fn is_put_right(&self, refund_id: &RefundId) -> bool {
        let mut later = self.refunds.values().filter(|refund| refund.retry_of.as_ref() == Some(refund_id));
        // Each try is younger than the one it makes good, so this ends.
        later.any(|refund| refund.state.stage() == Stage::GivenBack || self.is_put_right(&refund.refund_id))
    }

    /// Whether anything is left of what it was to give back. What is only reserved or on its way may fail yet.
    fn is_still_due(&self, refund: &Refund) -> bool {
        match refund.kind {
            Kind::Refund => self.unreturned_minor() > self.ceiling_minor,
            Kind::Void => self.uncaptured(self.payment(&refund.payment_id)) > 0,
        }
    }

    /// What of the captured money has not demonstrably gone back.
    pub(super) fn unreturned_minor(&self) -> i64 {
        let back = self
            .refunds
            .values()
            .filter(|refund| refund.kind == Kind::Refund && refund.state.stage() == Stage::GivenBack);
        let back: i64 = back.map(|refund| refund.amount_minor).sum();
        self.captured_minor() - back - self.disputed_minor(|dispute| dispute.state == DisputeState::Lost)
    }
}
