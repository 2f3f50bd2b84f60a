//! What follows from a refund's change of state: the book, store credit, the people who are told.

use types::{Reason, RefundId, Refusal};

use super::account::{Account, HoldState};
use super::event::{Attention, Event as Told};
use super::moment::{Moment, Schedule};
use super::movement::{self, Movement, Till};
use super::observed::LATE_CAPTURE;
use super::origin::Origin;
use super::payment;
use super::refund::{Event, Kind, Method, Refund, Resolution, State, Verdict};

/// The step that a payment by hand stands under in the book.
const RESOLVE: &str = "resolve_refund";

impl Account {
    /// Applies one event to a refund with all that follows from it; true if it changed anything.
    pub(super) fn take(&mut self, refund_id: &RefundId, event: Event, moment: Moment<'_>) -> bool {
        let refund = self.refunds.get_mut(refund_id).expect("the caller has read this refund");
        let state = match refund.state.on(event) {
            Verdict::Becomes(state) => state,
            Verdict::Known | Verdict::Refused => return false,
        };
        refund.state = state;
        refund.updated_at = moment.now;
        let refund = refund.clone();
        self.recount(refund.capture_id.as_ref());
        match state {
            State::Succeeded => self.given_back(&refund, moment),
            State::Declined => self.declined(&refund, moment),
            // The capture is told of by itself, and no money was lost.
            State::Released if event == Event::GiveWay => {
                self.void(&refund, -refund.amount_minor);
                self.tell_change(&refund);
            }
            State::Reversed => self.came_back(&refund, moment),
            // Unless the person has said already how it was paid.
            State::Manual if refund.resolution == Resolution::default() => {
                self.not_given_back(&refund, "a person has to give this money back by hand");
            }
            State::ResolvedExternally => {
                self.paid_by_hand(&refund, moment);
                self.tell_change(&refund);
            }
            State::Manual
            | State::AwaitingCapture
            | State::Reserved
            | State::Submitting
            | State::Pending
            | State::RequiresAction
            | State::Unknown
            | State::Released
            | State::External => {}
        }
        true
    }

    /// What is left of a leg that was given up in part.
    pub(super) fn replace(&mut self, refund: &Refund, amount_minor: i64, moment: Moment<'_>) {
        self.insert_refund(Refund {
            refund_id: moment.ids.mint(),
            retry_of: Some(refund.refund_id.clone()),
            amount_minor,
            detail: String::new(),
            created_at: moment.now,
            updated_at: moment.now,
            ..refund.clone()
        });
    }

    pub(super) fn insert_refund(&mut self, refund: Refund) -> RefundId {
        let (refund_id, capture_id) = (refund.refund_id.clone(), refund.capture_id.clone());
        self.refunds.insert(refund_id.clone(), refund);
        self.recount(capture_id.as_ref());
        refund_id
    }

    fn given_back(&mut self, refund: &Refund, moment: Moment<'_>) {
        match refund.kind {
            Kind::Refund => {
                self.book_refund(movement::Kind::Refund, refund, moment);
                let ours = self.payment(&refund.payment_id).kind == payment::Kind::StoreCredit;
                if ours || refund.method == Method::StoreCredit {
                    self.credit(refund.refund_id.as_str(), refund.amount_minor, moment);
                }
            }
            Kind::Void => self.void(refund, refund.amount_minor),
        }
        if refund.retry_of.is_some() {
            self.tell_change(refund);
        }
        if let Some(capture_id) = refund.capture_id.as_ref().filter(|_| refund.step == LATE_CAPTURE) {
            let subject = Attention { subject_type: "capture", subject_id: capture_id.to_string() };
            self.tell(Told::AttentionCleared { subject, change_order_id: refund.change_order_id.clone() });
        }
    }

    fn came_back(&mut self, refund: &Refund, moment: Moment<'_>) {
        match refund.kind {
            Kind::Refund => self.book_refund(movement::Kind::Reversal, refund, moment),
            Kind::Void => self.void(refund, -refund.amount_minor),
        }
        self.not_given_back(refund, "a refund failed after it had succeeded");
        self.tell_change(refund);
    }

    fn void(&mut self, refund: &Refund, amount_minor: i64) {
        let payment = self.payments.get_mut(&refund.payment_id).expect("a refund has a payment");
        payment.voided_minor += amount_minor;
        self.restate(&refund.payment_id);
    }

    /// The next tender is asked; and where none has room and the policy allows it, the customer is given store credit
    /// instead: a refund of its own, which cannot fail.
    fn declined(&mut self, refund: &Refund, moment: Moment<'_>) {
        let hold = self.holds.get(&refund.saga_id).filter(|_| refund.change_order_id.is_some());
        if refund.kind == Kind::Refund && hold.is_some() && self.try_next_tender(refund, moment) {
            return;
        }
        let hold = self.holds.get(&refund.saga_id).filter(|_| refund.change_order_id.is_some());
        let falls_back = hold.is_some_and(|hold| hold.store_credit_fallback);
        if refund.kind == Kind::Void || !falls_back {
            self.not_given_back(refund, "the gateway declined to give money back");
            return;
        }
        let credit = Refund {
            refund_id: moment.ids.mint(),
            method: Method::StoreCredit,
            retry_of: Some(refund.refund_id.clone()),
            state: State::Reserved,
            gateway_reference: String::new(),
            detail: format!("store credit, because the gateway declined: {}", refund.detail),
            schedule: Schedule::REST,
            created_at: moment.now,
            updated_at: moment.now,
            ..refund.clone()
        };
        let refund_id = self.insert_refund(credit);
        self.give_internally(&refund_id, moment);
    }

    /// While the step is pending, its own reply will tell; what no change asked for tells nobody.
    fn tell_change(&mut self, refund: &Refund) {
        let over = self.holds.get(&refund.saga_id).is_none_or(|hold| hold.state == HoldState::Settled);
        if over && refund.change_order_id.is_some() {
            self.tell(Told::RefundEnded {
                change_order_id: refund.change_order_id.clone(),
                refund_id: refund.refund_id.clone(),
                state: refund.state,
                amount_minor: refund.amount_minor,
                detail: refund.detail.clone(),
                retry_of: refund.retry_of.clone(),
            });
        }
    }

    /// Under a step of its own: the same refund may have gone out and come back before.
    fn paid_by_hand(&mut self, refund: &Refund, moment: Moment<'_>) {
        self.book(Movement {
            kind: movement::Kind::ByHand,
            till: Till::ByHand,
            payment_id: refund.payment_id.clone(),
            reference_id: refund.refund_id.to_string(),
            amount_minor: refund.amount_minor,
            origin: Origin::step(&refund.saga_id, RESOLVE),
            at: moment.now,
        });
    }

    pub(super) fn book_refund(&mut self, kind: movement::Kind, refund: &Refund, moment: Moment<'_>) {
        let till = match refund.method {
            Method::StoreCredit => Till::StoreCredit,
            Method::Tender => Till::Tender(self.payment(&refund.payment_id).kind),
        };
        self.book(Movement {
            kind,
            till,
            payment_id: refund.payment_id.clone(),
            reference_id: refund.refund_id.to_string(),
            amount_minor: refund.amount_minor,
            origin: Origin::step(&refund.saga_id, &refund.step),
            at: moment.now,
        });
    }

    fn not_given_back(&mut self, refund: &Refund, message: &str) {
        let cause = Refusal::new(Reason::RefundDeclined, message)
            .detail("refund_id", &refund.refund_id)
            .detail("amount_minor", refund.amount_minor)
            .detail("currency_code", self.currency)
            .detail("gateway_detail", &refund.detail);
        self.raise_attention("refund", refund.refund_id.as_str(), refund.change_order_id.clone(), cause);
    }
}
