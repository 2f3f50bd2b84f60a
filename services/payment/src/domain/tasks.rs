//! What a gateway is asked for, as the rows of an account say it.

use types::{PaymentId, Timestamp};

use super::account::Account;
use super::capture::{self, Capture};
use super::gateway::{Effect, Subject, Task};
use super::payment::{self, Payment};
use super::refund::{self, Refund};

impl Account {
    pub(super) fn ask_to_authorise(&mut self, payment: &Payment) {
        self.unsaved.tasks.push(self.authorise_task(payment));
    }

    /// A payment as a gateway is asked about it.
    pub fn payment_task(&self, payment_id: &PaymentId) -> Option<Task> {
        self.payments.get(payment_id).map(|payment| self.authorise_task(payment))
    }

    /// What the gateway is asked for a row that waits for it; none if it waits no more.
    pub fn task_for(&self, subject: &Subject) -> Option<Task> {
        match subject {
            Subject::Payment(id) => {
                let payment = self.payments.get(id)?;
                let asked =
                    payment.state == payment::State::Authorising || payment.proof == payment::Proof::Reading;
                asked.then(|| self.authorise_task(payment))
            }
            Subject::Capture(id) => {
                let capture = self.captures.get(id)?;
                (capture.state == capture::State::Capturing).then(|| self.capture_task(capture))
            }
            Subject::Refund(id) => {
                let refund = self.refunds.get(id)?;
                (refund.state.stage() == refund::Stage::InFlight).then(|| self.refund_task(refund))
            }
        }
    }

    pub(super) fn authorise_task(&self, payment: &Payment) -> Task {
        let subject = Subject::Payment(payment.payment_id.clone());
        let saga_id = payment.origin.saga_id();
        let effect = if payment.external { Effect::Read } else { Effect::Authorise };
        self.task(payment, subject, payment.created_at, saga_id, effect, payment.amount_minor)
    }

    pub(super) fn capture_task(&self, capture: &Capture) -> Task {
        let payment = self.payment(&capture.payment_id);
        let subject = Subject::Capture(capture.capture_id.clone());
        let saga_id = capture.origin.saga_id();
        self.task(payment, subject, capture.created_at, saga_id, Effect::Capture, capture.amount_minor)
    }

    pub(super) fn refund_task(&self, refund: &Refund) -> Task {
        let payment = self.payment(&refund.payment_id);
        let untouched = payment.captured_minor == 0 && !self.is_capturing(&payment.payment_id);
        // The rest of a shared authorisation is other orders'.
        let alone = payment.shared_payment_id.is_none();
        let whole =
            alone && untouched && refund.amount_minor == payment.authorised_minor - payment.voided_minor;
        let effect = match refund.kind {
            refund::Kind::Refund => Effect::Refund,
            refund::Kind::Void if whole => Effect::Void,
            refund::Kind::Void => Effect::Lower,
        };
        let subject = Subject::Refund(refund.refund_id.clone());
        let saga_id = Some(refund.saga_id.clone());
        // It was sent after it was made, so its key is taken for older than it is, never for younger.
        self.task(payment, subject, refund.created_at, saga_id, effect, refund.amount_minor)
    }

    fn task(
        &self,
        payment: &Payment,
        subject: Subject,
        asked_at: Timestamp,
        saga_id: Option<String>,
        effect: Effect,
        amount_minor: i64,
    ) -> Task {
        Task {
            order_id: self.order_id.clone(),
            subject,
            asked_at,
            saga_id,
            effect,
            currency: self.currency,
            amount_minor,
            payment_id: payment.payment_id.clone(),
            gateway: payment.gateway.clone(),
            token: payment.token.clone(),
            authorisation: payment.gateway_reference.clone(),
        }
    }
}
