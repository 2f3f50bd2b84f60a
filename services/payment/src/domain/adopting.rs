//! Payments that another system made. A stated payment is read at its gateway before it counts; an attested payment counts on somebody's word, and is
//! read before any of it is refunded.
//!
//! ```text
//!   stated    ─▶ read ─▶ as stated: it counts      ─▶ anything else: the order is not placed
//!   attested  ─▶ counts ─▶ first refund ─▶ read ─▶ as attested: sent ─▶ anything else: given back by hand
//! ```

use std::collections::BTreeSet;

use types::{CaptureId, PaymentId, Reason, RefundId, Refusal, Tenant};

use super::account::Account;
use super::capture::{self, Capture};
use super::gateway::{Holding, Reading};
use super::mending::RETRY;
use super::moment::{Moment, Schedule};
use super::movement::{self, Movement, Till};
use super::observed::LATE_CAPTURE;
use super::origin::Origin;
use super::payment::{Kind, Payment, Proof, State};
use super::placing::ExternalPayment;
use super::refund;
use super::reply::Ended;

/// The effect of reading a payment at its gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// The gateway shows the payment as it was stated.
    pub verified: bool,
    pub ended: Vec<Ended>,
}

impl Account {
    /// Stores a stated payment and asks the gateway for it. It counts once the gateway confirms it.
    pub(super) fn adopt(
        &mut self,
        external: &ExternalPayment,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.check_room_for(external.authorised_minor)?;
        let payment = self.stated(external, origin, moment);
        let payment = Payment {
            state: State::Authorising,
            authorised_minor: 0,
            proof: Proof::Reading,
            stated_minor: external.captured_minor,
            schedule: Schedule::begun(moment),
            ..payment
        };
        self.ask_to_authorise(&payment);
        self.payments.insert(payment.payment_id.clone(), payment);
        Ok(())
    }

    /// Stores an attested payment. No gateway is asked now: there is none, or somebody vouches for the payment.
    pub(super) fn bring_in(
        &mut self,
        external: &ExternalPayment,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.check_room_for(external.authorised_minor)?;
        let payment = self.stated(external, origin, moment);
        let payment_id = payment.payment_id.clone();
        self.payments.insert(payment_id.clone(), payment);
        self.book_taken(&payment_id, external.captured_minor, moment);
        Ok(())
    }

    fn stated(&self, external: &ExternalPayment, origin: &Origin, moment: Moment<'_>) -> Payment {
        let kind = Kind::named(&external.gateway);
        Payment {
            payment_id: external.payment_id.clone(),
            line_no: self.next_line_no(),
            kind,
            gateway: external.gateway.clone(),
            token: external.reference.clone(),
            gateway_reference: external.reference.clone(),
            state: State::Authorised,
            amount_minor: external.authorised_minor,
            authorised_minor: external.authorised_minor,
            captured_minor: 0,
            voided_minor: 0,
            external: true,
            proof: if kind == Kind::Gateway { Proof::Attested } else { Proof::Known },
            stated_minor: 0,
            capture_now: false,
            abandoned: false,
            shared_payment_id: None,
            origin: origin.clone(),
            detail: String::new(),
            schedule: Schedule::REST,
            created_at: moment.now,
            step_minor: Payment::UNTOLD,
        }
    }

    /// Books what was captured before the payment came to us.
    fn book_taken(&mut self, payment_id: &PaymentId, amount_minor: i64, moment: Moment<'_>) {
        let payment = self.payments.get_mut(payment_id).expect("the caller has written it down");
        payment.captured_minor = amount_minor;
        payment.restate(false);
        if amount_minor == 0 {
            return;
        }
        let capture_id: CaptureId = moment.ids.mint();
        let capture = Capture {
            capture_id: capture_id.clone(),
            payment_id: payment_id.clone(),
            amount_minor,
            refunded_minor: 0,
            disputed_minor: 0,
            state: capture::State::Captured,
            gateway_reference: payment.gateway_reference.clone(),
            detail: String::new(),
            origin: payment.origin.clone(),
            schedule: Schedule::REST,
            created_at: moment.now,
        };
        let (till, origin) = (Till::Tender(payment.kind), payment.origin.clone());
        self.book(Movement {
            kind: movement::Kind::Capture,
            till,
            payment_id: payment_id.clone(),
            reference_id: capture_id.to_string(),
            amount_minor,
            origin,
            at: moment.now,
        });
        self.captures.insert(capture_id, capture);
    }

    /// Asks the gateway for an attested payment before its first refund is sent. The refund stays reserved meanwhile.
    pub(super) fn read_first(&mut self, payment_id: &PaymentId, moment: Moment<'_>) {
        let payment = self.payments.get_mut(payment_id).expect("a refund has a payment");
        if payment.proof == Proof::Reading {
            return;
        }
        payment.proof = Proof::Reading;
        payment.schedule = Schedule::begun(moment);
        let payment = payment.clone();
        self.ask_to_authorise(&payment);
    }

    /// The sagas whose steps may end by a reading of the payment.
    pub fn waiting_for(&self, payment_id: &PaymentId) -> BTreeSet<String> {
        let placing = self.payments.get(payment_id).and_then(|payment| payment.origin.saga_id());
        let legs = self.waiting_to_be_sent(payment_id).into_iter();
        let legs = legs.map(|(refund_id, _)| self.refunds[&refund_id].saga_id.clone());
        placing.into_iter().chain(legs).collect()
    }

    /// Records what the gateway has of an attested payment. None if the payment is not attested.
    pub fn payment_read(
        &mut self,
        tenant: &Tenant,
        payment_id: &PaymentId,
        reading: &Reading,
        moment: Moment<'_>,
    ) -> Option<Read> {
        let payment = self.payments.get(payment_id).filter(|payment| payment.proof != Proof::Known)?;
        Some(match reading {
            Reading::Silent { detail } => {
                self.read_again(payment_id, detail, moment);
                Read::default()
            }
            Reading::Refuted { detail } => {
                Read { verified: false, ended: self.refuted(payment_id, detail, moment) }
            }
            Reading::Holds(holding) => match self.disproof(tenant, payment, holding) {
                Some(detail) => Read { verified: false, ended: self.refuted(payment_id, &detail, moment) },
                None => Read { verified: true, ended: self.verified(payment_id, holding, moment) },
            },
        })
    }

    /// How the gateway's figures differ from ours, for people.
    fn disproof(&self, tenant: &Tenant, payment: &Payment, holding: &Holding) -> Option<String> {
        if holding.tenant.as_ref().is_some_and(|named| named != tenant.as_str()) {
            return Some("the gateway has it as another tenant's".to_owned());
        }
        if holding.order_id.as_ref().is_some_and(|named| *named != self.order_id) {
            return Some("the gateway has it as another order's".to_owned());
        }
        if holding.currency != self.currency {
            return Some(format!("the gateway has it in {}", holding.currency.code()));
        }
        let placing = payment.state == State::Authorising;
        let stated = if placing { payment.stated_minor } else { payment.captured_minor };
        if holding.captured_minor != stated {
            return Some(format!("the gateway has captured {}, not {stated}", holding.captured_minor));
        }
        let open = payment.amount_minor - stated;
        if holding.open_minor != open {
            return Some(format!("the gateway holds {} uncaptured, not {open}", holding.open_minor));
        }
        let known = self.sent_back(&payment.payment_id);
        (holding.refunded_minor > known).then(|| {
            format!("the gateway has given {} back, of which {known} are known", holding.refunded_minor)
        })
    }

    /// How much of a payment was refunded or is being refunded, by whomever.
    fn sent_back(&self, payment_id: &PaymentId) -> i64 {
        let sent = self.refunds.values().filter(|refund| {
            refund.payment_id == *payment_id
                && refund.kind == refund::Kind::Refund
                && matches!(refund.state.stage(), refund::Stage::InFlight | refund::Stage::GivenBack)
        });
        sent.map(|refund| refund.amount_minor).sum()
    }

    fn read_again(&mut self, payment_id: &PaymentId, detail: &str, moment: Moment<'_>) {
        let payment = self.payments.get_mut(payment_id).expect("it is being read");
        if payment.proof != Proof::Reading {
            return;
        }
        detail.clone_into(&mut payment.detail);
        payment.schedule = payment.schedule.again(moment, &moment.timing.unknown);
        let schedule = payment.schedule;
        self.note_silence(("payment", payment_id.as_str()), None, schedule, moment);
    }

    fn verified(&mut self, payment_id: &PaymentId, holding: &Holding, moment: Moment<'_>) -> Vec<Ended> {
        let payment = self.payments.get_mut(payment_id).expect("it is being read");
        payment.gateway_reference.clone_from(&holding.reference);
        payment.proof = Proof::Known;
        payment.detail.clear();
        payment.schedule = payment.schedule.ended();
        if payment.state != State::Authorising {
            for (refund_id, step) in self.waiting_to_be_sent(payment_id) {
                self.send(&refund_id, &step, moment);
            }
            return Vec::new();
        }
        payment.state = State::Authorised;
        payment.authorised_minor = payment.amount_minor;
        let (stated, origin, abandoned) = (payment.stated_minor, payment.origin.clone(), payment.abandoned);
        self.book_taken(payment_id, stated, moment);
        if abandoned {
            self.give_back_abandoned(&origin, moment);
        }
        if abandoned && stated > 0 {
            self.report_left_captured(payment_id);
        }
        self.authorised(&origin).into_iter().collect()
    }

    fn refuted(&mut self, payment_id: &PaymentId, detail: &str, moment: Moment<'_>) -> Vec<Ended> {
        let payment = self.payments.get_mut(payment_id).expect("it is being read");
        detail.clone_into(&mut payment.detail);
        payment.schedule = payment.schedule.ended();
        if payment.state == State::Authorising {
            payment.proof = Proof::Known;
            payment.state = State::Declined;
            let origin = payment.origin.clone();
            self.abandon(&origin, moment);
            return self.authorised(&origin).into_iter().collect();
        }
        payment.proof = Proof::Attested;
        let mut ended = Vec::new();
        for (refund_id, _) in self.waiting_to_be_sent(payment_id) {
            let refund = self.refunds.get_mut(&refund_id).expect("it was just found");
            refund.detail = format!("not sent to the gateway: {detail}");
            let saga_id = refund.saga_id.clone();
            self.take(&refund_id, refund::Event::HandOver, moment);
            ended.extend(self.settlement_ended(&saga_id));
        }
        ended
    }

    /// The reserved legs that only waited for the reading, and the steps that send them.
    fn waiting_to_be_sent(&self, payment_id: &PaymentId) -> Vec<(RefundId, String)> {
        let reserved = self
            .refunds
            .values()
            .filter(|refund| refund.payment_id == *payment_id && refund.state == refund::State::Reserved);
        let decided = reserved.filter_map(|refund| {
            // These two belong to no change: they were sent when they were made.
            let alone = [RETRY, LATE_CAPTURE].contains(&refund.step.as_str());
            let step = if alone { refund.step.clone() } else { self.decided(&refund.refund_id)? };
            Some((refund.refund_id.clone(), step))
        });
        decided.collect()
    }

    /// We did not take this money, so we do not refund it by ourselves; a person has to.
    pub(super) fn report_left_captured(&mut self, payment_id: &PaymentId) {
        let cause = Refusal::new(
            Reason::PlacementFailed,
            "the order was not placed, and a payment made elsewhere for it is still captured",
        );
        self.raise_attention("payment", payment_id.as_str(), None, cause);
    }
}
