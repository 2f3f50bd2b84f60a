//! What the gateway's own book says of a payment, and ours does not: captures that came late,
//! refunds that somebody made there, disputes.

use types::{CaptureId, PaymentId, Reason, RefundId, Refusal};

use super::account::Account;
use super::capture::{self, Capture};
use super::gateway::{Answer, FoundRefund, Statement};
use super::moment::{Moment, Schedule};
use super::movement::{self, Movement, Till};
use super::origin::Origin;
use super::payment;
use super::recorded::Recorded;
use super::refund::{Event, Kind, State};
use super::reply::Ended;
use super::trouble::EXTERNAL_REFUND;

/// The step that gives back what was captured when the order was no longer worth it.
pub const LATE_CAPTURE: &str = "late_capture_reversal";

/// What a statement has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    pub changed: bool,
    /// Something of it must wait until what is in flight has ended.
    pub later: bool,
    pub ended: Vec<Ended>,
}

impl Account {
    /// Brings the books up to the gateway's statement of a payment. Repeating it changes nothing.
    pub fn observe(&mut self, payment_id: &PaymentId, statement: &Statement, moment: Moment<'_>) -> Observed {
        let mut observed = Observed::default();
        if self.payment(payment_id).state == payment::State::Authorising {
            // Its own answer is still to come, and everything else follows from it.
            observed.later = true;
            return observed;
        }
        self.note_late_capture(payment_id, statement.captured_minor, &mut observed, moment);
        for found in &statement.refunds {
            self.note_refund(payment_id, found, &mut observed, moment);
        }
        for found in &statement.disputes {
            observed.changed |= self.note_dispute(payment_id, found, &mut observed.ended, moment);
        }
        observed
    }

    /// The gateway told that something has happened and cannot be asked what.
    pub fn gateway_is_silent(&mut self, payment_id: &PaymentId, detail: &str) -> Observed {
        let message = "the gateway told of a payment and could not be asked about it";
        let cause = Refusal::new(Reason::NoAnswerInTime, message).detail("gateway_detail", detail);
        self.raise_attention("payment", payment_id.as_str(), None, cause);
        Observed::default()
    }

    fn note_refund(
        &mut self,
        payment_id: &PaymentId,
        found: &FoundRefund,
        observed: &mut Observed,
        moment: Moment<'_>,
    ) {
        let named = found.refund_id.as_ref().filter(|id| self.refunds.contains_key(*id));
        let ours = match named {
            Some(refund_id) => vec![refund_id.clone()],
            None => self.named_by_gateway(payment_id, &found.gateway_reference),
        };
        if ours.is_empty() {
            self.note_external(payment_id, found, observed, moment);
        }
        for refund_id in ours {
            self.note_answer(&refund_id, found, observed, moment);
        }
    }

    /// One refund of the gateway's is one row of ours, or one for each capture that it spans.
    pub(super) fn named_by_gateway(&self, payment_id: &PaymentId, reference: &str) -> Vec<RefundId> {
        let refunds = self.refunds.values();
        let named = refunds
            .filter(|refund| refund.payment_id == *payment_id && refund.gateway_reference == reference);
        named.map(|refund| refund.refund_id.clone()).collect()
    }

    fn note_answer(
        &mut self,
        refund: &RefundId,
        found: &FoundRefund,
        observed: &mut Observed,
        moment: Moment<'_>,
    ) {
        let before = self.refunds[refund].state;
        // A gateway that has no end yet tells us nothing new, and must not move the schedule.
        let has_ended = matches!(
            found.answer,
            Answer::Done { .. } | Answer::Declined { .. } | Answer::FailedAfter { .. }
        );
        if has_ended || before == State::Submitting {
            observed.ended.extend(self.refund_answered(refund, &found.answer, moment).unwrap_or_default());
        }
        observed.changed |= self.refunds[refund].state != before;
    }

    /// A refund that we did not make counts as ours do. If what is reserved does not fit beside it,
    /// or would bring the position below what the order is worth, the reserved gives way.
    fn note_external(
        &mut self,
        payment_id: &PaymentId,
        found: &FoundRefund,
        observed: &mut Observed,
        moment: Moment<'_>,
    ) {
        let moves = matches!(found.answer, Answer::Done { .. } | Answer::Pending { .. });
        if !moves || found.amount_minor <= 0 {
            return;
        }
        if !self.make_room_for_external(payment_id, found.amount_minor, moment) {
            observed.later = true;
            return;
        }
        let made = Recorded {
            payment_id: payment_id.clone(),
            amount_minor: found.amount_minor,
            gateway_reference: found.gateway_reference.clone(),
        };
        let refund_id = self.add_external(&made, moment);
        let message = "a refund was made at the gateway and not by us; cancel what it was for, give it as goodwill, \
                       or leave it";
        let cause = Refusal::new(Reason::StateConflict, message)
            .detail("refund_id", &refund_id)
            .detail("gateway_reference", &found.gateway_reference)
            .detail("amount_minor", found.amount_minor);
        self.raise_attention(EXTERNAL_REFUND, refund_id.as_str(), None, cause);
        let below = self.ceiling_minor - self.position_minor();
        let sagas = self.yield_to_external(payment_id, below, moment);
        observed.ended.extend(sagas.iter().filter_map(|saga_id| self.settlement_ended(saga_id)));
        observed.changed = true;
    }

    /// Whether the payment's captures hold so much, after reserved legs have given way.
    fn make_room_for_external(
        &mut self,
        payment_id: &PaymentId,
        amount_minor: i64,
        moment: Moment<'_>,
    ) -> bool {
        let room = self.room_for_external(payment_id);
        let waiting = self.waiting_of(payment_id);
        let reserved: i64 = waiting.iter().map(|id| self.refunds[id].amount_minor).sum();
        if room + reserved < amount_minor {
            return false;
        }
        self.give_up(&waiting, (amount_minor - room).max(0), "given back elsewhere", moment);
        true
    }

    /// What the payment's captures hold, whoever disputes it.
    pub(super) fn room_for_external(&self, payment_id: &PaymentId) -> i64 {
        let captures = self
            .captures
            .values()
            .filter(|capture| capture.payment_id == *payment_id && capture.state == capture::State::Captured);
        captures.map(|capture| capture.amount_minor - capture.refunded_minor).sum()
    }

    fn yield_to_external(
        &mut self,
        payment_id: &PaymentId,
        below_minor: i64,
        moment: Moment<'_>,
    ) -> Vec<String> {
        let waiting = self.waiting_of(payment_id);
        self.give_up(&waiting, below_minor.max(0), "given back elsewhere", moment);
        waiting.iter().map(|id| self.refunds[id].saga_id.clone()).collect()
    }

    /// The gateway has taken more than we know of: it is written down, and what exceeds the order's
    /// worth goes back, once, keyed by the capture.
    fn note_late_capture(
        &mut self,
        payment_id: &PaymentId,
        captured_minor: i64,
        observed: &mut Observed,
        moment: Moment<'_>,
    ) {
        let capturing: i64 = self
            .captures
            .values()
            .filter(|capture| capture.payment_id == *payment_id && capture.state == capture::State::Capturing)
            .map(|capture| capture.amount_minor)
            .sum();
        let payment = self.payment(payment_id);
        // More than was ever authorised cannot be written down; a person is told with the rest.
        let most = captured_minor.min(payment.amount_minor);
        let late = most - payment.captured_minor - capturing;
        if late <= 0 {
            return;
        }
        let gave_way = self.make_room_for_capture(payment_id, late, moment);
        let payment = self.payment(payment_id);
        let (till, reference) = (Till::Tender(payment.kind), payment.gateway_reference.clone());
        let capture_id: CaptureId = moment.ids.mint();
        let origin =
            Origin::Request { request_id: capture_id.to_string(), method: "late_capture".to_owned() };
        let capture = Capture {
            capture_id: capture_id.clone(),
            payment_id: payment_id.clone(),
            amount_minor: late,
            refunded_minor: 0,
            disputed_minor: 0,
            state: capture::State::Captured,
            gateway_reference: reference,
            detail: "found at the gateway".to_owned(),
            origin: origin.clone(),
            schedule: Schedule::REST,
            created_at: moment.now,
        };
        self.captures.insert(capture_id.clone(), capture);
        let payment = self.payments.get_mut(payment_id).expect("the caller has read this payment");
        payment.captured_minor += late;
        self.restate(payment_id);
        self.book(Movement {
            kind: movement::Kind::Capture,
            till,
            payment_id: payment_id.clone(),
            reference_id: capture_id.to_string(),
            amount_minor: late,
            origin,
            at: moment.now,
        });
        self.give_back_late(payment_id, &capture_id, late, gave_way.as_ref(), moment);
        observed.changed = true;
    }

    /// What was captured was not declined, and not given back uncaptured: those words were wrong. Returns a void that
    /// gave way.
    fn make_room_for_capture(
        &mut self,
        payment_id: &PaymentId,
        late_minor: i64,
        moment: Moment<'_>,
    ) -> Option<RefundId> {
        let payment = self.payments.get_mut(payment_id).expect("the caller has read this payment");
        if payment.state == payment::State::Declined {
            payment.state = payment::State::Authorised;
            payment.authorised_minor = payment.amount_minor;
        }
        let voids: Vec<RefundId> = self
            .refunds
            .values()
            .filter(|refund| refund.payment_id == *payment_id && refund.kind == Kind::Void)
            .filter(|refund| refund.state == State::Succeeded)
            .map(|refund| refund.refund_id.clone())
            .collect();
        let mut gave_way = None;
        for refund_id in voids {
            let payment = self.payment(payment_id);
            if payment.authorised_minor - payment.captured_minor - payment.voided_minor >= late_minor {
                break;
            }
            self.take(&refund_id, Event::GiveWay, moment);
            gave_way = Some(refund_id);
        }
        let payment = self.payments.get_mut(payment_id).expect("the caller has read this payment");
        let needed = payment.captured_minor + payment.voided_minor + late_minor;
        payment.authorised_minor = payment.authorised_minor.max(needed.min(payment.amount_minor));
        gave_way
    }

    fn give_back_late(
        &mut self,
        payment_id: &PaymentId,
        capture_id: &CaptureId,
        late_minor: i64,
        gave_way: Option<&RefundId>,
        moment: Moment<'_>,
    ) {
        let excess = (self.position_minor() + self.in_flight_minor() - self.ceiling_minor).min(late_minor);
        let message = "the gateway captured a payment after we had given it up";
        let cause = Refusal::new(Reason::AboveCaptureCeiling, message)
            .detail("capture_id", capture_id)
            .detail("captured_minor", late_minor)
            .detail("given_back_minor", excess.max(0));
        self.raise_attention("capture", capture_id.as_str(), None, cause);
        if excess <= 0 {
            return;
        }
        let share = super::split::Share {
            payment_id: payment_id.clone(),
            capture_id: Some(capture_id.clone()),
            form: super::split::Form::Captured,
            amount_minor: excess,
        };
        let refund_id = self.add_leg(&share, None, capture_id.as_str(), LATE_CAPTURE, moment);
        // It stands for the void: its change gave back the same money, and tells of it.
        if let Some(void) = gave_way.and_then(|id| self.refunds.get(id)).cloned() {
            let refund = self.refunds.get_mut(&refund_id).expect("it was just made");
            refund.change_order_id = void.change_order_id;
            refund.retry_of = Some(void.refund_id);
        }
        self.send(&refund_id, LATE_CAPTURE, moment);
    }
}
