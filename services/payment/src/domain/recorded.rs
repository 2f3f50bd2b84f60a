//! Refunds that somebody else made at the gateway, and that we write down because we are told of them.

use std::cmp::Reverse;

use types::{CaptureId, PaymentId, Reason, RefundId, Refusal};

use super::account::Account;
use super::capture::{self, Capture};
use super::event::Event;
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
            let parts = self.named_by_gateway(&told.payment_id, &told.gateway_reference);
            let known_minor: i64 = parts.iter().map(|id| self.refunds[id].amount_minor).sum();
            if known.state == State::External && known_minor == told.amount_minor {
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
        let free = self.captures.values().filter(|capture| {
            capture.payment_id == told.payment_id && capture.state == capture::State::Captured
        });
        if free.map(Capture::free_minor).sum::<i64>() < told.amount_minor {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "its captures hold not so much any more");
            return Err(refusal.field("amount_minor").detail("amount_minor", told.amount_minor));
        }
        Ok(self.add_external(told, moment))
    }

    /// It counts as ours do, as one row for each capture that it spans: a single one, if one holds it all. Returns the
    /// first of them.
    pub(super) fn add_external(&mut self, made: &Recorded, moment: Moment<'_>) -> RefundId {
        let room = |capture: &Capture| capture.amount_minor - capture.refunded_minor;
        let mut captures: Vec<(CaptureId, i64)> = self
            .captures
            .values()
            .filter(|capture| {
                capture.payment_id == made.payment_id && capture.state == capture::State::Captured
            })
            .map(|capture| (capture.capture_id.clone(), room(capture)))
            .collect();
        captures.sort_by_key(|(_, room)| Reverse(*room));
        let (mut left, mut first) = (made.amount_minor, None);
        for (capture_id, room) in captures {
            let part = Recorded { amount_minor: left.min(room), ..made.clone() };
            if part.amount_minor > 0 {
                left -= part.amount_minor;
                let refund_id = self.add_external_part(&part, &capture_id, moment);
                first.get_or_insert(refund_id);
            }
        }
        let refund_id = first.expect("the caller has looked that there is room");
        self.tell(Event::RefundFound {
            refund_id: refund_id.clone(),
            amount_minor: made.amount_minor,
            gateway_reference: made.gateway_reference.clone(),
            kept_minor: self.position_minor(),
        });
        refund_id
    }

    fn add_external_part(&mut self, made: &Recorded, capture_id: &CaptureId, moment: Moment<'_>) -> RefundId {
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
