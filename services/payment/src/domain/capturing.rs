//! Taking what was authorised.

use types::{CaptureId, PaymentId, Reason, Refusal};

use super::account::Account;
use super::capture::{Capture, State};
use super::gateway::Answer;
use super::moment::{Moment, Schedule};
use super::movement::{self, Movement, Till};
use super::origin::Origin;
use super::payment;
use super::refund;
use super::reply::{Ended, Ending, Reply, StepOutcome};

/// How much of a payment a client wants captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureAsked {
    /// All that is authorised and not captured.
    All,
    Amount(i64),
}

impl Account {
    /// Captures every tender that asked for it, as far as the order is still worth it: a forward
    /// step cannot refuse, and what was given back in the meantime is not there to be captured.
    pub fn capture_tenders(&mut self, origin: &Origin, moment: Moment<'_>) -> StepOutcome {
        let (_, saga_id, _) = origin.columns();
        self.commit_worth(saga_id);
        let wanted: Vec<PaymentId> = self
            .payments
            .values()
            .filter(|payment| payment.capture_now && !payment.abandoned)
            .map(|payment| payment.payment_id.clone())
            .collect();
        let mut begun = Vec::new();
        for payment_id in wanted {
            let amount = self.uncaptured(self.payment(&payment_id)).min(self.room());
            if amount > 0 {
                begun.push(self.begin_capture(&payment_id, amount, origin, moment));
            }
        }
        if begun.is_empty() {
            return StepOutcome::nothing_to_do();
        }
        let waiting = begun.iter().any(|id| self.captures[id].state == State::Capturing);
        if waiting { StepOutcome::Pending } else { StepOutcome::Applied(Reply::default()) }
    }

    /// Captures one payment because a client asked.
    pub fn capture(
        &mut self,
        payment_id: &PaymentId,
        asked: CaptureAsked,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<CaptureId, Refusal> {
        let payment = self.payment(payment_id);
        if !payment.state.is_agreed() || payment.abandoned {
            let refusal = Refusal::new(Reason::StateConflict, "the payment is not authorised");
            return Err(refusal.detail("payment_id", payment_id).detail("state", payment.state.as_str()));
        }
        let free = self.uncaptured(payment);
        let amount = match asked {
            CaptureAsked::All => free,
            CaptureAsked::Amount(amount) => amount,
        };
        if amount > free || free == 0 {
            let refusal = Refusal::new(Reason::ExceedsAuthorised, "so much is not authorised and uncaptured");
            return Err(refusal
                .detail("payment_id", payment_id)
                .detail("uncaptured_minor", free)
                .detail("asked_minor", amount));
        }
        if amount > self.room() {
            let refusal = Refusal::new(Reason::AboveCaptureCeiling, "the order is worth less by now");
            return Err(refusal
                .detail("capture_ceiling_minor", self.ceiling_minor)
                .detail("position_minor", self.position_minor() + self.in_flight_minor())
                .detail("asked_minor", amount));
        }
        Ok(self.begin_capture(payment_id, amount, origin, moment))
    }

    /// What may still be captured before the position meets the ceiling, captures in flight included.
    fn room(&self) -> i64 {
        (self.ceiling_minor - self.position_minor() - self.in_flight_minor()).max(0)
    }

    fn begin_capture(
        &mut self,
        payment_id: &PaymentId,
        amount_minor: i64,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> CaptureId {
        let capture = Capture {
            capture_id: moment.ids.mint(),
            payment_id: payment_id.clone(),
            amount_minor,
            refunded_minor: 0,
            disputed_minor: 0,
            state: State::Capturing,
            gateway_reference: String::new(),
            detail: String::new(),
            origin: origin.clone(),
            schedule: Schedule::begun(moment),
            created_at: moment.now,
        };
        let capture_id = capture.capture_id.clone();
        if self.payment(payment_id).kind == payment::Kind::Gateway {
            let task = self.capture_task(&capture);
            self.unsaved.tasks.push(task);
            self.captures.insert(capture_id.clone(), capture);
            self.restate(payment_id);
        } else {
            // Ours or in a person's till: it is there as soon as we say so.
            let capture = Capture { schedule: Schedule::REST, ..capture };
            self.captures.insert(capture_id.clone(), capture);
            self.captured(&capture_id, moment);
        }
        capture_id
    }

    /// Takes the gateway's answer to a capture; None if this capture waits for none.
    pub fn capture_answered(
        &mut self,
        capture_id: &CaptureId,
        answer: &Answer,
        moment: Moment<'_>,
    ) -> Option<Vec<Ended>> {
        let capture =
            self.captures.get_mut(capture_id).filter(|capture| capture.state == State::Capturing)?;
        let origin = capture.origin.clone();
        match answer {
            Answer::Done { reference } | Answer::FailedAfter { reference, .. } => {
                capture.gateway_reference.clone_from(reference);
                capture.schedule = capture.schedule.ended();
                self.captured(capture_id, moment);
            }
            Answer::Declined { detail } => {
                capture.detail.clone_from(detail);
                capture.schedule = capture.schedule.ended();
                self.capture_declined(capture_id, moment);
            }
            Answer::Pending { detail, .. } | Answer::ActionRequired { detail } => {
                capture.detail.clone_from(detail);
                capture.schedule = capture.schedule.again(moment, &moment.timing.pending);
            }
            Answer::Unknown { detail } => {
                capture.detail.clone_from(detail);
                capture.schedule = capture.schedule.again(moment, &moment.timing.unknown);
                let schedule = capture.schedule;
                self.note_silence(("capture", capture_id.as_str()), None, schedule, moment);
            }
        }
        Some(self.capturing_ended(&origin).into_iter().collect())
    }

    fn captured(&mut self, capture_id: &CaptureId, moment: Moment<'_>) {
        let capture = self.captures.get_mut(capture_id).expect("its answer is being taken");
        capture.state = State::Captured;
        let (payment_id, amount) = (capture.payment_id.clone(), capture.amount_minor);
        let origin = capture.origin.clone();
        let payment = self.payments.get_mut(&payment_id).expect("a capture refers to a payment");
        payment.captured_minor += amount;
        let payment_kind = payment.kind;
        self.restate(&payment_id);
        self.book(Movement {
            kind: movement::Kind::Capture,
            till: Till::Tender(payment_kind),
            payment_id,
            reference_id: capture_id.to_string(),
            amount_minor: amount,
            origin,
            at: moment.now,
        });
        self.decide_waiting(capture_id, true, moment);
    }

    fn capture_declined(&mut self, capture_id: &CaptureId, moment: Moment<'_>) {
        let capture = self.captures.get_mut(capture_id).expect("its answer is being taken");
        capture.state = State::Declined;
        let (payment_id, detail) = (capture.payment_id.clone(), capture.detail.clone());
        self.restate(&payment_id);
        let cause = Refusal::new(Reason::PaymentDeclined, "the gateway declined a capture")
            .detail("payment_id", &payment_id)
            .detail("gateway_detail", detail);
        self.raise_attention("capture", capture_id.as_str(), None, cause);
        self.decide_waiting(capture_id, false, moment);
    }

    /// A leg that waited for this capture is a refund if the money was taken, and a void of the
    /// authorisation that is still there if it was not.
    fn decide_waiting(&mut self, capture_id: &CaptureId, captured: bool, moment: Moment<'_>) {
        let waiting: Vec<_> = self
            .refunds
            .values_mut()
            .filter(|refund| refund.capture_id.as_ref() == Some(capture_id))
            .filter_map(|refund| match refund.state.on(refund::Event::CaptureEnded) {
                refund::Verdict::Becomes(state) => {
                    refund.state = state;
                    refund.updated_at = moment.now;
                    if !captured {
                        refund.kind = refund::Kind::Void;
                        refund.capture_id = None;
                    }
                    Some(refund.refund_id.clone())
                }
                refund::Verdict::Known | refund::Verdict::Refused => None,
            })
            .collect();
        self.recount(Some(capture_id));
        for refund_id in waiting {
            self.submit_if_decided(&refund_id, moment);
        }
    }

    fn capturing_ended(&self, origin: &Origin) -> Option<Ended> {
        let mut captures = self.captures.values().filter(|capture| capture.origin == *origin);
        if captures.any(|capture| capture.state == State::Capturing) {
            return None;
        }
        Some(Ended { origin: origin.clone(), ending: Ending::Applied(Reply::default()) })
    }

    /// Whether a payment waits for its gateway.
    pub fn is_moving(&self, payment_id: &PaymentId) -> bool {
        let state = self.payment(payment_id).state;
        matches!(state, payment::State::Authorising | payment::State::Capturing)
    }
}
