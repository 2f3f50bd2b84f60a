//! Disputes: money that the customer asks back through the bank. While one is open nothing reserved
//! of its payment is sent; one that is lost has paid what was reserved.

use types::{PaymentId, Reason, RefundId, Refusal, Timestamp};

use super::account::Account;
use super::capture;
use super::event::{Attention, Event as Told};
use super::gateway::{DisputeState, FoundDispute};
use super::moment::Moment;
use super::movement::{self, Movement, Till};
use super::origin::Origin;
use super::refund::{Event, State};
use super::reply::Ended;

/// The subject of items about disputes.
const DISPUTE: &str = "dispute";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub payment_id: PaymentId,
    /// The gateway's own name of it.
    pub gateway_reference: String,
    pub state: DisputeState,
    pub amount_minor: i64,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl Dispute {
    /// Whether it lowers what may be given back.
    pub fn counts(&self) -> bool {
        self.state != DisputeState::Won
    }
}

impl Account {
    pub fn disputed_minor(&self, which: impl Fn(&Dispute) -> bool) -> i64 {
        let disputes = self.disputes.values().filter(|dispute| which(dispute));
        disputes.map(|dispute| dispute.amount_minor).sum()
    }

    pub(super) fn is_frozen(&self, payment_id: &PaymentId) -> bool {
        let mut its = self.disputes.values().filter(|dispute| dispute.payment_id == *payment_id);
        its.any(|dispute| dispute.state == DisputeState::Open)
    }

    /// Brings a dispute up to what the gateway says of it; true if that was news. One that has ended
    /// stays ended.
    pub(super) fn note_dispute(
        &mut self,
        payment_id: &PaymentId,
        found: &FoundDispute,
        ended: &mut Vec<Ended>,
        moment: Moment<'_>,
    ) -> bool {
        let key = (payment_id.clone(), found.gateway_reference.clone());
        let known = self.disputes.get(&key).map(|dispute| dispute.state);
        if known.is_none() {
            let dispute = Dispute {
                payment_id: payment_id.clone(),
                gateway_reference: found.gateway_reference.clone(),
                state: DisputeState::Open,
                amount_minor: found.amount_minor,
                opened_at: moment.now,
                ended_at: None,
            };
            self.disputes.insert(key.clone(), dispute);
            self.spread_disputes(payment_id);
            self.tell_of_dispute(payment_id, found, "the customer's bank disputes a payment");
        }
        match (known.unwrap_or(DisputeState::Open), found.state) {
            (DisputeState::Open, DisputeState::Won | DisputeState::Lost) => {
                self.end_dispute(&key, found, ended, moment);
                true
            }
            (DisputeState::Open, DisputeState::Open) => known.is_none(),
            (DisputeState::Won | DisputeState::Lost, _) => false,
        }
    }

    fn end_dispute(
        &mut self,
        key: &(PaymentId, String),
        found: &FoundDispute,
        ended: &mut Vec<Ended>,
        moment: Moment<'_>,
    ) {
        let dispute = self.disputes.get_mut(key).expect("it was just found or made");
        dispute.state = found.state;
        dispute.ended_at = Some(moment.now);
        let amount = dispute.amount_minor;
        let payment_id = &key.0;
        self.spread_disputes(payment_id);
        let subject = Attention { subject_type: DISPUTE, subject_id: key.1.clone() };
        self.tell(Told::AttentionCleared { subject, change_order_id: None });
        let waiting = self.waiting_of(payment_id);
        if found.state == DisputeState::Lost {
            let till = Till::Tender(self.payment(payment_id).kind);
            let origin = Origin::Request { request_id: payment_id.to_string(), method: "dispute".to_owned() };
            self.book(Movement {
                kind: movement::Kind::Dispute,
                till,
                payment_id: payment_id.clone(),
                reference_id: key.1.clone(),
                amount_minor: amount,
                origin,
                at: moment.now,
            });
            // A leg that left the disputed amount out from the beginning gives up nothing of its own.
            let below = (self.ceiling_minor - self.position_minor()).clamp(0, amount);
            self.give_up(&waiting, below, "paid by the dispute that was lost", moment);
            self.tell_of_dispute(payment_id, found, "a dispute was lost: the bank has given the money back");
        }
        // What was frozen, and what is left of it, goes on.
        for refund_id in self.waiting_of(payment_id) {
            self.submit_if_decided(&refund_id, moment);
        }
        let sagas: std::collections::BTreeSet<String> =
            waiting.iter().map(|id| self.refunds[id].saga_id.clone()).collect();
        ended.extend(sagas.iter().filter_map(|saga_id| self.settlement_ended(saga_id)));
    }

    /// The legs of a payment that are reserved and not sent, in the order they were made.
    pub(super) fn waiting_of(&self, payment_id: &PaymentId) -> Vec<RefundId> {
        let legs = self.refunds.values().filter(|refund| {
            refund.payment_id == *payment_id && refund.state == State::Reserved && refund.capture_id.is_some()
        });
        legs.map(|refund| refund.refund_id.clone()).collect()
    }

    /// Gives up to `amount_minor` of these legs up, because it was paid another way: each is
    /// released, and what is left of it is a leg of its own. Returns what was given up.
    pub(super) fn give_up(
        &mut self,
        legs: &[RefundId],
        amount_minor: i64,
        why: &str,
        moment: Moment<'_>,
    ) -> i64 {
        let mut left = amount_minor;
        for refund_id in legs {
            let Some(refund) = self.refunds.get_mut(refund_id).filter(|_| left > 0) else { break };
            why.clone_into(&mut refund.detail);
            let refund = refund.clone();
            self.take(refund_id, Event::Release, moment);
            let rest = refund.amount_minor - left.min(refund.amount_minor);
            left -= refund.amount_minor - rest;
            if rest > 0 {
                self.replace(&refund, rest, moment);
            }
        }
        amount_minor - left
    }

    /// A dispute is about a payment: its captures bear it, the oldest first, each at most whole.
    fn spread_disputes(&mut self, payment_id: &PaymentId) {
        let mut left = self.disputed_minor(|dispute| dispute.payment_id == *payment_id && dispute.counts());
        let captures = self
            .captures
            .values_mut()
            .filter(|capture| capture.payment_id == *payment_id && capture.state == capture::State::Captured);
        for capture in captures {
            capture.disputed_minor = left.min(capture.amount_minor);
            left -= capture.disputed_minor;
        }
    }

    fn tell_of_dispute(&mut self, payment_id: &PaymentId, found: &FoundDispute, message: &str) {
        let cause = Refusal::new(Reason::StateConflict, message)
            .detail("payment_id", payment_id)
            .detail("amount_minor", found.amount_minor)
            .detail("currency_code", self.currency);
        self.raise_attention(DISPUTE, &found.gateway_reference, None, cause);
    }
}
