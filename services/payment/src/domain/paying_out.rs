//! Paying out what is owed. The order's price does not change.

use types::{Reason, RefundId, Refusal};

use super::account::Account;
use super::moment::Moment;
use super::refund::{Event, Method, Resolution, State};
use super::refunding::Terms;
use super::split::{Form, Share, Strategy, divide};

/// What of the sum that is owed is paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayOut {
    /// None means all of it, or the sum of the named tenders.
    pub amount_minor: Option<i64>,
    pub way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Back to the tenders.
    Tenders,
    StoreCredit,
    /// A person pays.
    ByHand,
}

impl Account {
    /// What may be paid out: the customer's, not reserved, not in flight, and in nobody's hands yet.
    fn payable(&self, target_minor: i64) -> i64 {
        (self.position_minor() - target_minor).max(0)
    }

    fn asked(&self, target_minor: i64, terms: &Terms, pay_out: PayOut) -> i64 {
        let named = match &terms.strategy {
            Strategy::Explicit(named) => Some(named.iter().map(|tender| tender.amount_minor).sum()),
            Strategy::Lifo
            | Strategy::Fifo
            | Strategy::Proportional
            | Strategy::ExactThenSmallestSufficient => None,
        };
        pay_out.amount_minor.or(named).unwrap_or_else(|| self.payable(target_minor))
    }

    /// The captures it comes from, and what is left of it.
    pub(super) fn divide_owed(&self, target_minor: i64, terms: &Terms, pay_out: PayOut) -> (Vec<Share>, i64) {
        let mut sources = self.sources(|_| true);
        sources.retain(|source| source.form == Form::Captured);
        divide(&sources, self.asked(target_minor, terms, pay_out), &terms.strategy)
    }

    /// At most what is owed beyond what is reserved and in flight.
    pub(super) fn check_pay_out(
        &self,
        target_minor: i64,
        terms: &Terms,
        pay_out: PayOut,
    ) -> Result<(), Refusal> {
        let (payable, asked) = (self.payable(target_minor), self.asked(target_minor, terms, pay_out));
        if asked > 0 && asked <= payable {
            return Ok(());
        }
        let message = if payable == 0 {
            "nothing is owed that is not on its way"
        } else {
            "less than that is owed and not on its way"
        };
        let refusal = Refusal::new(Reason::ExceedsRefundable, message).field("amount_minor");
        Err(refusal.detail("payable_minor", payable).detail("asked_minor", asked))
    }

    /// How each of a pay-out's legs goes.
    pub(super) fn direct(&mut self, refund_id: &RefundId, pay_out: PayOut) {
        if pay_out.way == Way::StoreCredit {
            let refund = self.refunds.get_mut(refund_id).expect("it was just made");
            refund.method = Method::StoreCredit;
        }
    }

    /// A person has paid a reserved leg.
    pub(super) fn pay_by_hand(&mut self, refund_id: &RefundId, how: &Resolution, moment: Moment<'_>) {
        let refund = self.refunds.get_mut(refund_id).expect("the caller has read this refund");
        if refund.state != State::Reserved {
            return;
        }
        refund.resolution = how.clone();
        self.take(refund_id, Event::HandOver, moment);
        self.take(refund_id, Event::Resolve, moment);
    }
}
