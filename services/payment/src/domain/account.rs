//! An order's money: its tenders, captures and refunds, and what may still be taken or given back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use types::{
    CaptureId, ChangeOrderId, Currency, Money, OrderId, PaymentId, Reason, RefundId, Refusal, Timestamp,
};

use super::capture::{self, Capture};
use super::credit::CreditEntry;
use super::dispute::Dispute;
use super::event::{Attention, Event};
use super::explain::Parts;
use super::gateway::{DisputeState, Task};
use super::moment::{Moment, Schedule};
use super::movement::Movement;
use super::owing::{FIRST_WORTH, Told};
use super::payment::Payment;
use super::refund::{self, Refund};
use super::split::{Form, Share, Source};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub order_id: OrderId,
    pub currency: Currency,
    /// No capture may bring the position above it.
    pub ceiling_minor: i64,
    /// What the order costs by its last decision that is known here, fees included.
    pub worth_minor: i64,
    /// What is owed by that decision, as it was last told to the order service.
    pub told: Told,
    /// How many changes that had left something owed were told to have nothing open any more.
    pub told_mended: i64,
    /// The sequence number of the last position.
    pub owed_seq: i64,
    /// The last event told of this order.
    pub event_seq: i64,
    /// The last row of this order's double-entry book.
    pub ledger_seq: i64,
    pub created_at: Timestamp,
    pub payments: BTreeMap<PaymentId, Payment>,
    pub captures: BTreeMap<CaptureId, Capture>,
    pub refunds: BTreeMap<RefundId, Refund>,
    /// By saga.
    pub holds: BTreeMap<String, Hold>,
    /// By payment and the gateway's own name of it.
    pub disputes: BTreeMap<(PaymentId, String), Dispute>,
    /// The customer's store credit.
    pub store_credit_minor: i64,
    /// The last row of the store credit's book.
    pub credit_seq: i64,
    pub unsaved: Unsaved,
}

/// What a saga has reserved of an account, and the ceiling it replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub saga_id: String,
    pub change_order_id: ChangeOrderId,
    pub prior_ceiling_minor: i64,
    pub new_ceiling_minor: i64,
    /// What was paid beyond the new total and is not to be refunded.
    pub owed_minor: i64,
    pub move_no_money: bool,
    /// A refund that its gateway declines becomes store credit.
    pub store_credit_fallback: bool,
    /// A refund that its gateway declines is tried on the next tender with room.
    pub moves_on: bool,
    /// What was named beyond what exceeds the new total.
    pub over_minor: i64,
    /// What the change's amount is made of.
    pub parts: Parts,
    pub state: HoldState,
    /// The step that sends it; empty before that.
    pub settle_step: String,
    /// What will be owed once its change is committed, as the order service was told.
    pub told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldState {
    Reserved,
    Released,
    /// Sent; some legs are still moving.
    Settling,
    Settled,
}

impl HoldState {
    pub const ALL: [Self; 4] = [Self::Reserved, Self::Released, Self::Settling, Self::Settled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::Settling => "settling",
            Self::Settled => "settled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a decision has caused and no row of the account shows: it is part of the value, so that
/// taking a refused command back takes this back too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsaved {
    /// With the sequence of their first row.
    pub movements: Vec<(i64, Movement)>,
    /// With their sequence.
    pub credits: Vec<(i64, CreditEntry)>,
    pub events: Vec<(i64, Event)>,
    pub told: Vec<Told>,
    pub tasks: Vec<Task>,
    /// The refunds that somebody had to look at when the account was loaded, or when they were last told of.
    pub troubled: BTreeSet<RefundId>,
}

impl Account {
    pub fn open(order_id: OrderId, currency: Currency, ceiling_minor: i64, now: Timestamp) -> Self {
        Self {
            order_id,
            currency,
            ceiling_minor,
            worth_minor: ceiling_minor,
            told: Told { seq: 0, worth_version: FIRST_WORTH, owed_minor: 0 },
            told_mended: 0,
            owed_seq: 0,
            event_seq: 0,
            ledger_seq: 0,
            created_at: now,
            payments: BTreeMap::new(),
            captures: BTreeMap::new(),
            refunds: BTreeMap::new(),
            holds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            store_credit_minor: 0,
            credit_seq: 0,
            unsaved: Unsaved::default(),
        }
    }

    pub fn captured_minor(&self) -> i64 {
        self.payments.values().map(|payment| payment.captured_minor).sum()
    }

    /// What is captured, not on its way back, and not taken back by a bank. A leg that waits for its
    /// capture counts once its capture does.
    pub fn position_minor(&self) -> i64 {
        let refunded = self.refunded(|refund| refund.state != refund::State::AwaitingCapture);
        self.captured_minor() - refunded - self.disputed_minor(|dispute| dispute.state == DisputeState::Lost)
    }

    /// What is being captured and not already promised back.
    pub fn in_flight_minor(&self) -> i64 {
        let capturing = self.captures.values().filter(|capture| capture.state == capture::State::Capturing);
        capturing.map(|capture| capture.amount_minor - capture.refunded_minor).sum()
    }

    pub(super) fn refunded(&self, which: impl Fn(&Refund) -> bool) -> i64 {
        let refunds = self.refunds.values().filter(|refund| refund.kind == refund::Kind::Refund);
        refunds
            .filter(|refund| refund.state.counts() && which(refund))
            .map(|refund| refund.amount_minor)
            .sum()
    }

    /// Refunds that count against one payment.
    pub fn refunded_of(&self, payment_id: &PaymentId) -> i64 {
        self.refunded(|refund| refund.payment_id == *payment_id)
    }

    /// Of these, what the gateway, or a person who attests it, has said to be given back.
    pub fn confirmed_of(&self, payment_id: &PaymentId) -> i64 {
        self.refunded(|refund| {
            refund.payment_id == *payment_id && refund.state.stage() == refund::Stage::GivenBack
        })
    }

    pub fn is_capturing(&self, payment_id: &PaymentId) -> bool {
        let mut captures = self.captures.values();
        captures
            .any(|capture| capture.payment_id == *payment_id && capture.state == capture::State::Capturing)
    }

    /// What of a payment is authorised, not captured or being captured, and not being given back.
    pub fn uncaptured(&self, payment: &Payment) -> i64 {
        if !payment.state.is_agreed() {
            return 0;
        }
        let capturing = self.captures.values().filter(|capture| {
            capture.payment_id == payment.payment_id && capture.state == capture::State::Capturing
        });
        let leaving = self.refunds.values().filter(|refund| {
            refund.payment_id == payment.payment_id
                && refund.kind == refund::Kind::Void
                // A void that succeeded stands in `voided_minor`.
                && matches!(refund.state.stage(), refund::Stage::Reserved | refund::Stage::InFlight)
        });
        payment.authorised_minor
            - payment.captured_minor
            - payment.voided_minor
            - capturing.map(|capture| capture.amount_minor).sum::<i64>()
            - leaving.map(|refund| refund.amount_minor).sum::<i64>()
    }

    /// Where money can be taken back from, in the order of return: authorisations, latest first;
    /// captures in flight; captured gift cards and store credit; captured tenders, latest first.
    pub fn sources(&self, of: impl Fn(&Payment) -> bool) -> Vec<Source> {
        let mut payments: Vec<&Payment> = self.payments.values().filter(|payment| of(payment)).collect();
        payments.sort_by_key(|payment| Reverse((payment.created_at, payment.line_no)));
        let mut sources: Vec<Source> = payments
            .iter()
            .map(|payment| Source {
                payment_id: payment.payment_id.clone(),
                capture_id: None,
                kind: payment.kind,
                form: Form::Authorised,
                free_minor: self.uncaptured(payment),
                // Given back by lowering: no money moves.
                step_minor: 1,
            })
            .collect();

        let mut captures: Vec<(&Capture, &Payment)> = self
            .captures
            .values()
            .filter_map(|capture| Some((capture, self.payments.get(&capture.payment_id)?)))
            .filter(|(_, payment)| of(payment))
            .collect();
        captures.sort_by_key(|(capture, payment)| {
            (payment.kind.return_rank(), Reverse((capture.created_at, capture.capture_id.clone())))
        });
        for (state, form) in
            [(capture::State::Capturing, Form::InFlight), (capture::State::Captured, Form::Captured)]
        {
            let these = captures.iter().filter(|(capture, _)| capture.state == state);
            sources.extend(these.map(|(capture, payment)| Source {
                payment_id: capture.payment_id.clone(),
                capture_id: Some(capture.capture_id.clone()),
                kind: payment.kind,
                form,
                free_minor: capture.free_minor(),
                step_minor: payment.step_minor.max(1),
            }));
        }
        sources.retain(|source| source.free_minor > 0);
        sources
    }

    /// What the gateways of new payments give back is a multiple of what `step_of` says.
    pub fn learn_steps(&mut self, step_of: impl Fn(&str) -> i64) {
        for payment in self.payments.values_mut().filter(|payment| payment.step_minor == Payment::UNTOLD) {
            payment.step_minor = step_of(&payment.gateway);
        }
    }

    pub fn payment(&self, payment_id: &PaymentId) -> &Payment {
        self.payments.get(payment_id).expect("captures and refunds refer to a payment of their account")
    }

    pub(super) fn next_line_no(&self) -> i64 {
        self.payments.values().map(|payment| payment.line_no).max().unwrap_or_default() + 1
    }

    /// Refuses what would bring the account beyond what can be counted.
    pub(super) fn check_room_for(&self, amount_minor: i64) -> Result<(), Refusal> {
        let asked = self.payments.values().map(|payment| payment.amount_minor);
        let amounts = asked.chain([amount_minor]).map(|minor| Money::new(self.currency, minor));
        let amounts = amounts.collect::<Result<Vec<_>, _>>()?;
        Money::sum(self.currency, amounts)?;
        Ok(())
    }

    pub(super) fn add_leg(
        &mut self,
        share: &Share,
        change_order_id: Option<&ChangeOrderId>,
        saga_id: &str,
        step: &str,
        moment: Moment<'_>,
    ) -> RefundId {
        let (kind, state) = match share.form {
            Form::Authorised => (refund::Kind::Void, refund::State::Reserved),
            Form::InFlight => (refund::Kind::Refund, refund::State::AwaitingCapture),
            Form::Captured => (refund::Kind::Refund, refund::State::Reserved),
        };
        let refund = Refund {
            refund_id: moment.ids.mint(),
            payment_id: share.payment_id.clone(),
            capture_id: share.capture_id.clone(),
            change_order_id: change_order_id.cloned(),
            saga_id: saga_id.to_owned(),
            step: step.to_owned(),
            kind,
            method: refund::Method::Tender,
            retry_of: None,
            state,
            amount_minor: share.amount_minor,
            resolution: refund::Resolution::default(),
            gateway_reference: String::new(),
            detail: String::new(),
            schedule: Schedule::REST,
            created_at: moment.now,
            updated_at: moment.now,
        };
        let refund_id = refund.refund_id.clone();
        self.refunds.insert(refund_id.clone(), refund);
        self.recount(share.capture_id.as_ref());
        refund_id
    }

    /// Keeps what the schema checks beside a capture equal to the refunds that count.
    pub(super) fn recount(&mut self, capture_id: Option<&CaptureId>) {
        let Some(capture_id) = capture_id else { return };
        let refunded = self.refunded(|refund| refund.capture_id.as_ref() == Some(capture_id));
        let capture = self.captures.get_mut(capture_id).expect("a refund refers to a capture of its account");
        capture.refunded_minor = refunded;
    }

    pub(super) fn restate(&mut self, payment_id: &PaymentId) {
        let capturing = self.is_capturing(payment_id);
        let payment = self.payments.get_mut(payment_id).expect("the caller has read this payment");
        payment.restate(capturing);
    }

    pub(super) fn book(&mut self, movement: Movement) {
        self.unsaved.movements.push((self.ledger_seq + 1, movement));
        self.ledger_seq += 2;
    }

    pub fn tell(&mut self, event: Event) {
        self.event_seq += 1;
        self.unsaved.events.push((self.event_seq, event));
    }

    pub(super) fn raise_attention(
        &mut self,
        subject_type: &'static str,
        subject_id: &str,
        change_order_id: Option<ChangeOrderId>,
        cause: Refusal,
    ) {
        let subject = Attention { subject_type, subject_id: subject_id.to_owned() };
        self.tell(Event::AttentionRaised { subject, change_order_id, cause });
    }

    /// Once, when the gateway has been asked often enough without an end.
    pub(super) fn note_silence(
        &mut self,
        subject: (&'static str, &str),
        change_order_id: Option<ChangeOrderId>,
        schedule: Schedule,
        moment: Moment<'_>,
    ) {
        if schedule.tries == moment.timing.attention_after {
            let cause =
                Refusal::new(Reason::NoAnswerInTime, "the gateway does not say what became of the call");
            self.raise_attention(
                subject.0,
                subject.1,
                change_order_id,
                cause.detail("tries", schedule.tries),
            );
        }
    }

    /// What gateways have agreed to, less what was given back uncaptured.
    pub fn authorised_minor(&self) -> i64 {
        self.payments.values().map(|payment| payment.authorised_minor - payment.voided_minor).sum()
    }
}
