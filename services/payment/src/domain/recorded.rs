//! Refunds that somebody else made at the gateway, and that we write down because we are told of them.

use types::{CaptureId, PaymentId, Reason, RefundId, Refusal};

use super::account::Account;
use super::capture;
use super::moment::{Moment, Schedule};
use super::movement;
use super::refund::{Kind, Method, Refund, Resolution, Stage, State};

/// What is told of such a refund. The gateway's name makes it one, however often it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub payment_id: PaymentId,
    pub amount_minor: i64,
    pub gateway_reference: String,
}

impl Account {
    /// Writes down what an operator tells. Nothing is sent, and no attention asked for: somebody knows already.
    pub fn record(&mut self, told: &Recorded, moment: Moment<'_>) -> Result<RefundId, Refusal> {
        let payment = self.payments.get(&told.payment_id);
        let payment =
            payment.ok_or_else(|| Refusal::not_found("payment", &told.payment_id).field("payment_id"))?;
        if payment.kind.is_internal() {
            let refusal = Refusal::new(Reason::FieldInvalid, "a tender of our own is refunded nowhere else");
            return Err(refusal.field("payment_id"));
        }
        let its = || self.refunds.values().filter(|refund| refund.payment_id == told.payment_id);
        if let Some(known) = its().find(|refund| refund.gateway_reference == told.gateway_reference) {
            if known.state == State::External && known.amount_minor == told.amount_minor {
                return Ok(known.refund_id.clone());
            }
            let refusal = Refusal::new(Reason::StateConflict, "another refund has this gateway reference");
            return Err(refusal.field("gateway_reference").detail("refund_id", &known.refund_id));
        }
        let is_moving = |refund: &&Refund| matches!(refund.state.stage(), Stage::Reserved | Stage::InFlight);
        if let Some(moving) = its().find(is_moving) {
            let refusal = Refusal::new(Reason::StateConflict, "a refund of this payment is on its way");
            return Err(refusal.detail("refund_id", &moving.refund_id));
        }
        let capture = self.captures.values().find(|capture| {
            capture.payment_id == told.payment_id
                && capture.state == capture::State::Captured
                && capture.free_minor() >= told.amount_minor
        });
        let capture = capture.ok_or_else(|| {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "no capture holds so much any more");
            refusal.field("amount_minor").detail("amount_minor", told.amount_minor)
        })?;
        let capture_id = capture.capture_id.clone();
        Ok(self.add_external(told, &capture_id, moment))
    }

    /// It counts as ours do.
    pub(super) fn add_external(
        &mut self,
        made: &Recorded,
        capture_id: &CaptureId,
        moment: Moment<'_>,
    ) -> RefundId {
        let refund = Refund {
            refund_id: moment.ids.mint(),
            payment_id: made.payment_id.clone(),
            capture_id: Some(capture_id.clone()),
            change_order_id: None,
            saga_id: made.gateway_reference.clone(),
            step: "external".to_owned(),
            kind: Kind::Refund,
            method: Method::Tender,
            retry_of: None,
            state: State::External,
            amount_minor: made.amount_minor,
            resolution: Resolution::default(),
            gateway_reference: made.gateway_reference.clone(),
            detail: "made at the gateway and not by us".to_owned(),
            schedule: Schedule::REST,
            created_at: moment.now,
            updated_at: moment.now,
        };
        self.refunds.insert(refund.refund_id.clone(), refund.clone());
        self.recount(Some(capture_id));
        self.book_refund(movement::Kind::Refund, &refund, moment);
        refund.refund_id
    }
}
