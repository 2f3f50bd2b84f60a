//! An order's money in words that are never one: charged, owed, reserved, in flight, confirmed,
//! reversed, disputed.

use std::collections::BTreeMap;

use types::PaymentId;

use super::account::Account;
use super::gateway::DisputeState;
use super::payment::Payment;
use super::refund::{Kind, Stage, State};
use super::split::{Form, split};

/// One tender's money, or all tenders' together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    pub authorised_minor: i64,
    pub captured_minor: i64,
    /// The customer's, and not on its way.
    pub owed_minor: i64,
    pub reserved_minor: i64,
    pub in_flight_minor: i64,
    pub confirmed_minor: i64,
    /// Part of confirmed: made by somebody else at the gateway.
    pub elsewhere_minor: i64,
    /// Part of confirmed: paid by a person.
    pub by_hand_minor: i64,
    pub reversed_minor: i64,
    /// In open disputes.
    pub disputed_minor: i64,
    pub paid_by_dispute_minor: i64,
    /// What may still be given back.
    pub refundable_minor: i64,
}

impl Position {
    fn add(&mut self, other: &Self) {
        self.authorised_minor += other.authorised_minor;
        self.captured_minor += other.captured_minor;
        self.owed_minor += other.owed_minor;
        self.reserved_minor += other.reserved_minor;
        self.in_flight_minor += other.in_flight_minor;
        self.confirmed_minor += other.confirmed_minor;
        self.elsewhere_minor += other.elsewhere_minor;
        self.by_hand_minor += other.by_hand_minor;
        self.reversed_minor += other.reversed_minor;
        self.disputed_minor += other.disputed_minor;
        self.paid_by_dispute_minor += other.paid_by_dispute_minor;
        self.refundable_minor += other.refundable_minor;
    }
}

impl Account {
    /// The tenders in the order they were made, and their sum.
    pub fn positions(&self) -> (Vec<(&Payment, Position)>, Position) {
        let owed = self.owed_by_tender();
        let mut payments: Vec<&Payment> = self.payments.values().collect();
        payments.sort_by_key(|payment| payment.line_no);
        let tenders: Vec<_> = payments
            .into_iter()
            .map(|payment| {
                let mut position = self.position_of(payment);
                position.owed_minor += owed.get(&payment.payment_id).copied().unwrap_or_default();
                (payment, position)
            })
            .collect();
        let mut sum = Position::default();
        for (_, position) in &tenders {
            sum.add(position);
        }
        (tenders, sum)
    }

    fn position_of(&self, payment: &Payment) -> Position {
        let mut position = Position {
            authorised_minor: payment.authorised_minor - payment.voided_minor,
            captured_minor: payment.captured_minor,
            ..Position::default()
        };
        let its =
            |refund: &&super::Refund| refund.payment_id == payment.payment_id && refund.kind == Kind::Refund;
        for refund in self.refunds.values().filter(its) {
            let amount = refund.amount_minor;
            match refund.state.stage() {
                Stage::Reserved => position.reserved_minor += amount,
                Stage::InFlight => position.in_flight_minor += amount,
                Stage::GivenBack => position.confirmed_minor += amount,
                Stage::Owed | Stage::Released => {}
            }
            match refund.state {
                State::External => position.elsewhere_minor += amount,
                State::ResolvedExternally => position.by_hand_minor += amount,
                State::Reversed => position.reversed_minor += amount,
                // It counts as on its way for the cap, and is in nobody's hands yet.
                State::Manual => position.owed_minor += amount,
                State::AwaitingCapture
                | State::Reserved
                | State::Submitting
                | State::Pending
                | State::RequiresAction
                | State::Unknown
                | State::Succeeded
                | State::Declined
                | State::Released => {}
            }
        }
        let disputed = |state| {
            self.disputed_minor(|dispute| dispute.payment_id == payment.payment_id && dispute.state == state)
        };
        position.disputed_minor = disputed(DisputeState::Open);
        position.paid_by_dispute_minor = disputed(DisputeState::Lost);
        let captures = self.captures.values().filter(|capture| {
            capture.payment_id == payment.payment_id && capture.state == super::capture::State::Captured
        });
        position.refundable_minor = captures.map(super::Capture::free_minor).sum();
        position
    }

    /// What exceeds the order's worth, over the tenders in the order of return.
    fn owed_by_tender(&self) -> BTreeMap<PaymentId, i64> {
        let exceeding = (self.position_minor() - self.ceiling_minor).max(0);
        let mut sources = self.sources(|_| true);
        sources.retain(|source| source.form == Form::Captured);
        let mut owed = BTreeMap::new();
        for share in split(&sources, exceeding).0 {
            *owed.entry(share.payment_id).or_default() += share.amount_minor;
        }
        owed
    }
}
