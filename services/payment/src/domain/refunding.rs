//! Refunding: reserve, release, settle, and the gateway's answers.

use types::{ChangeOrderId, Reason, RefundId, Refusal};

use super::account::{Account, Hold, HoldState};
use super::explain::Parts;
use super::gateway::Answer;
use super::moment::{Moment, Schedule};
use super::origin::Origin;
use super::owing::Told;
use super::paying_out::PayOut;
use super::payment::{self, Proof};
use super::quoted::Quoted;
use super::refund::{Event, Kind, Method, Refund, Resolution, Stage, State};
use super::reply::{Ended, Ending, Leg, Reply, StepOutcome};
use super::split::{Form, Share, Strategy, divide, room};

/// What a change of an order asks to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub saga_id: String,
    pub step: String,
    pub change_order_id: ChangeOrderId,
    /// What the order costs after the change, fees included, never below zero, in minor units.
    pub target_minor: i64,
    /// Only lower the ceiling. What was paid beyond the target stays owed.
    pub move_no_money: bool,
    /// The version of the order's worth that will commit it.
    pub worth_version: i64,
    pub terms: Terms,
}

/// How a change wants its money refunded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    pub strategy: Strategy,
    /// Reserve as much as the tenders can give. The rest stays owed.
    pub force: bool,
    pub store_credit_fallback: bool,
    /// EXPLICIT may name more than exceeds the target, though never more than a tender can give.
    pub allow_over_refund: bool,
    /// Pays out of what is owed, and only that.
    pub pay_out: Option<PayOut>,
    /// What a quote has promised that moves.
    pub quoted: Option<Quoted>,
    pub parts: Parts,
    /// A refund that failed: its tender gives back last.
    pub retry_of: Option<RefundId>,
}

impl Account {
    /// Divides what was paid beyond `target_minor` over the tenders by the strategy, and returns what no tender can give.
    pub fn forecast(&self, target_minor: i64, terms: &Terms) -> (Vec<Share>, i64) {
        if let Some(pay_out) = terms.pay_out {
            return self.divide_owed(target_minor, terms, pay_out);
        }
        let sources = self.failed_last(self.sources(|_| true), terms);
        let amount = self.exceeding(target_minor) + self.over(target_minor, terms);
        match (&terms.retry_of, &terms.strategy) {
            (None, strategy) | (Some(_), strategy @ Strategy::Explicit(_)) => {
                divide(&sources, amount, strategy)
            }
            (Some(_), _) => divide(&sources, amount, &Strategy::Lifo),
        }
    }

    /// What the tenders named give back beyond what exceeds the target, where that is allowed.
    fn over(&self, target_minor: i64, terms: &Terms) -> i64 {
        let Strategy::Explicit(named) = &terms.strategy else { return 0 };
        if !terms.allow_over_refund {
            return 0;
        }
        let asked: i64 = named.iter().map(|tender| tender.amount_minor).sum();
        (asked - self.exceeding(target_minor)).max(0)
    }

    /// What is authorised, being captured or captured beyond `target_minor`.
    fn exceeding(&self, target_minor: i64) -> i64 {
        let sources = self.sources(|_| true);
        let uncaptured = sources.iter().filter(|source| source.form == Form::Authorised);
        let uncaptured: i64 = uncaptured.map(|source| source.free_minor).sum();
        (uncaptured + self.in_flight_minor() + self.position_minor() - target_minor).max(0)
    }

    /// Names only tenders of this order, each for no more than it can give, and no more than exceeds
    /// unless that is allowed; what is not owed is never given as store credit.
    fn check_named(&self, target_minor: i64, terms: &Terms) -> Result<(), Refusal> {
        let Strategy::Explicit(named) = &terms.strategy else { return Ok(()) };
        let over = self.over(target_minor, terms);
        let sources = self.sources(|_| true);
        let mut asked = 0_i64;
        for tender in named {
            if !self.payments.contains_key(&tender.payment_id) {
                return Err(Refusal::not_found("payment", &tender.payment_id).field("tenders"));
            }
            let its = sources.iter().filter(|source| source.payment_id == tender.payment_id);
            let free: i64 = its.map(|source| source.free_minor).sum();
            if tender.amount_minor > free {
                let refusal = Refusal::new(Reason::ExceedsRefundable, "a tender cannot give so much back");
                return Err(refusal
                    .detail("payment_id", &tender.payment_id)
                    .detail("refundable_minor", free)
                    .detail("asked_minor", tender.amount_minor));
            }
            if over > 0 && self.payment(&tender.payment_id).kind == payment::Kind::StoreCredit {
                let message = "store credit does not take more back than is owed";
                let refusal = Refusal::new(Reason::ExceedsRefundable, message).field("tenders");
                return Err(refusal.detail("payment_id", &tender.payment_id).detail("over_minor", over));
            }
            asked = asked.saturating_add(tender.amount_minor);
        }
        let exceeding = self.exceeding(target_minor);
        if asked > exceeding && !terms.allow_over_refund {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "the tenders name more than is to go back");
            return Err(refusal.detail("exceeding_minor", exceeding).detail("asked_minor", asked));
        }
        Ok(())
    }

    pub fn reserve(&mut self, wanted: &Reservation, moment: Moment<'_>) -> Result<StepOutcome, Refusal> {
        let terms = &wanted.terms;
        self.committed_before(wanted.worth_version);
        self.check_named(wanted.target_minor, terms)?;
        if let Some(pay_out) = terms.pay_out {
            self.check_pay_out(wanted.target_minor, terms, pay_out)?;
        }
        let (shares, left) = self.forecast(wanted.target_minor, terms);
        if let Some(quoted) = terms.quoted.as_ref().filter(|_| !wanted.move_no_money) {
            quoted.check(&shares)?;
        }
        let over_minor = self.over(wanted.target_minor, terms);
        let exceeding = (self.position_minor() + self.in_flight_minor() - wanted.target_minor).max(0);
        let by_name = matches!(terms.strategy, Strategy::Explicit(_));
        // What gateways cannot give because they round is owed, and goes back with a later change.
        let is_rounding = room(&self.sources(|_| true))
            >= left + shares.iter().map(|share| share.amount_minor).sum::<i64>();
        let may_be_left = terms.force || wanted.move_no_money || by_name || is_rounding;
        if left > 0 && !may_be_left {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "the tenders cannot give so much back");
            return Err(refusal.detail("exceeding_minor", exceeding).detail("shortfall_minor", left));
        }
        let shares = if wanted.move_no_money { Vec::new() } else { shares };
        let returned = shares.iter().filter(|share| share.form != Form::Authorised);
        let returned: i64 = returned.map(|share| share.amount_minor).sum();
        let hold = Hold {
            saga_id: wanted.saga_id.clone(),
            change_order_id: wanted.change_order_id.clone(),
            prior_ceiling_minor: self.ceiling_minor,
            new_ceiling_minor: wanted.target_minor,
            // What a pay-out does not touch is not its to owe.
            owed_minor: if terms.pay_out.is_some() { 0 } else { (exceeding - returned).max(0) },
            move_no_money: wanted.move_no_money,
            // What is not owed is not made good.
            store_credit_fallback: terms.store_credit_fallback && over_minor == 0,
            moves_on: !by_name && over_minor == 0,
            over_minor,
            parts: terms.parts,
            state: HoldState::Reserved,
            settle_step: String::new(),
            told: Told { worth_version: wanted.worth_version, ..Told::default() },
        };
        let owed_minor = hold.owed_minor;
        self.ceiling_minor = wanted.target_minor;
        self.holds.insert(wanted.saga_id.clone(), hold);
        let change = Some(&wanted.change_order_id);
        for share in &shares {
            let refund_id = self.add_leg(share, change, &wanted.saga_id, &wanted.step, moment);
            self.report_part_in_capture(&refund_id, share.form);
            if let Some(pay_out) = terms.pay_out {
                self.direct(&refund_id, pay_out);
            }
        }
        self.foresee_owed(&wanted.saga_id);
        let legs: Vec<_> = self.legs(&wanted.saga_id).map(Refund::leg).collect();
        Ok(StepOutcome::Applied(Reply {
            nothing_to_do: legs.is_empty() && owed_minor == 0,
            legs,
            owed_minor,
            ..Reply::default()
        }))
    }

    /// Releases a reservation: its legs are never sent, and the ceiling is what it was before.
    pub fn release(&mut self, saga_id: &str, moment: Moment<'_>) -> Result<StepOutcome, Refusal> {
        let hold = self.holds.get_mut(saga_id).filter(|hold| hold.state == HoldState::Reserved);
        let hold = hold.ok_or_else(|| no_reservation(saga_id))?;
        hold.state = HoldState::Released;
        // A later change has set a ceiling of its own, which already knows this one's new total.
        if self.ceiling_minor == hold.new_ceiling_minor {
            self.ceiling_minor = hold.prior_ceiling_minor;
        }
        let legs: Vec<RefundId> = self.legs(saga_id).map(|refund| refund.refund_id.clone()).collect();
        for refund_id in legs {
            self.take(&refund_id, Event::Release, moment);
        }
        Ok(StepOutcome::Applied(Reply::default()))
    }

    /// Sends what was reserved, or records that a person pays it.
    pub fn settle(
        &mut self,
        saga_id: &str,
        step: &str,
        by_hand: Option<&Resolution>,
        moment: Moment<'_>,
    ) -> Result<StepOutcome, Refusal> {
        let hold = self.holds.get_mut(saga_id).filter(|hold| hold.state == HoldState::Reserved);
        let hold = hold.ok_or_else(|| no_reservation(saga_id))?;
        hold.state = HoldState::Settling;
        step.clone_into(&mut hold.settle_step);
        self.commit_worth(saga_id);
        let legs: Vec<RefundId> = self.legs(saga_id).map(|refund| refund.refund_id.clone()).collect();
        for refund_id in &legs {
            match by_hand {
                Some(how) => self.pay_by_hand(refund_id, how, moment),
                None => self.submit_if_decided(refund_id, moment),
            }
        }
        Ok(match self.settled(saga_id) {
            None => StepOutcome::Pending,
            Some(reply) => StepOutcome::Applied(reply),
        })
    }

    /// The legs a saga's change has reserved.
    pub(super) fn legs(&self, saga_id: &str) -> impl Iterator<Item = &Refund> {
        self.refunds
            .values()
            .filter(move |refund| refund.saga_id == saga_id && refund.change_order_id.is_some())
    }

    /// Closes the hold when all its legs have ended, and tells how each ended.
    fn settled(&mut self, saga_id: &str) -> Option<Reply> {
        if self.legs(saga_id).any(|refund| !refund.state.stage().is_over()) {
            return None;
        }
        let hold = self.holds.get_mut(saga_id).filter(|hold| hold.state == HoldState::Settling)?;
        hold.state = HoldState::Settled;
        let owed_minor = self.left_by(&self.holds[saga_id]);
        let legs: Vec<Leg> = self.legs(saga_id).map(|refund| self.leg(refund)).collect();
        let nothing_to_do = legs.is_empty() && owed_minor == 0;
        Some(Reply { nothing_to_do, legs, owed_minor, ..Reply::default() })
    }

    fn leg(&self, refund: &Refund) -> Leg {
        let made_good = self.is_made_good(&refund.refund_id) || self.is_followed(refund);
        Leg { made_good, ..refund.leg() }
    }

    /// Commits a reserved leg to be sent, if it may be.
    pub(super) fn submit_if_decided(&mut self, refund_id: &RefundId, moment: Moment<'_>) {
        if let Some(step) = self.decided(refund_id) {
            self.send(refund_id, &step, moment);
        }
    }

    /// The step that sends a leg, if its change is decided or its order was not placed, and no dispute has
    /// frozen its tender.
    pub(super) fn decided(&self, refund_id: &RefundId) -> Option<String> {
        let refund = self.refunds.get(refund_id).expect("the caller has read this refund");
        if refund.kind == Kind::Refund && self.is_frozen(&refund.payment_id) {
            return None;
        }
        match self.holds.get(&refund.saga_id) {
            Some(hold) if hold.state == HoldState::Settling => Some(hold.settle_step.clone()),
            None if self.payment(&refund.payment_id).abandoned => Some(refund.step.clone()),
            Some(hold) if hold.state == HoldState::Released && self.payment(&refund.payment_id).abandoned => {
                Some(refund.step.clone())
            }
            Some(_) | None => None,
        }
    }

    /// Sends a reserved leg: what is ours moves here and now, what is offline is handed to a person,
    /// and for the rest the gateway is asked.
    pub(super) fn send(&mut self, refund_id: &RefundId, step: &str, moment: Moment<'_>) {
        let refund = self.refunds.get_mut(refund_id).expect("the caller has read this refund");
        if refund.state != State::Reserved {
            return;
        }
        step.clone_into(&mut refund.step);
        let refund = refund.clone();
        if refund.method == Method::StoreCredit {
            self.give_internally(refund_id, moment);
            return;
        }
        match (self.payment(&refund.payment_id).kind, refund.kind) {
            (payment::Kind::GiftCard | payment::Kind::StoreCredit, _) => {
                self.give_internally(refund_id, moment);
            }
            (payment::Kind::Offline, Kind::Refund) => {
                self.take(refund_id, Event::HandOver, moment);
            }
            (payment::Kind::Offline, Kind::Void) => self.give_internally(refund_id, moment),
            (payment::Kind::Gateway, _) if self.payment(&refund.payment_id).proof != Proof::Known => {
                self.read_first(&refund.payment_id, moment);
            }
            (payment::Kind::Gateway, _) => {
                self.take(refund_id, Event::Submit, moment);
                let refund = self.refunds.get_mut(refund_id).expect("it was just changed");
                refund.schedule = Schedule::begun(moment);
                let refund = refund.clone();
                let task = self.refund_task(&refund);
                self.unsaved.tasks.push(task);
            }
        }
    }

    /// Refunds our own tender. It cannot fail, because no gateway is asked.
    pub(super) fn give_internally(&mut self, refund_id: &RefundId, moment: Moment<'_>) {
        let refund = self.refunds.get_mut(refund_id).expect("the caller has read this refund");
        refund.gateway_reference = format!("own-{refund_id}");
        self.take(refund_id, Event::Submit, moment);
        self.take(refund_id, Event::Succeed, moment);
    }

    /// Takes the gateway's answer to a refund or void; None if there is no such refund.
    pub fn refund_answered(
        &mut self,
        refund_id: &RefundId,
        answer: &Answer,
        moment: Moment<'_>,
    ) -> Option<Vec<Ended>> {
        let refund = self.refunds.get_mut(refund_id)?;
        let before = refund.state;
        if let Answer::Done { reference }
        | Answer::FailedAfter { reference, .. }
        | Answer::Pending { reference, .. } = answer
        {
            refund.gateway_reference.clone_from(reference);
        }
        if let Answer::Declined { detail }
        | Answer::Pending { detail, .. }
        | Answer::ActionRequired { detail }
        | Answer::FailedAfter { detail, .. }
        | Answer::Unknown { detail } = answer
        {
            refund.detail.clone_from(detail);
        }
        let saga_id = refund.saga_id.clone();
        for event in events(before, answer) {
            self.take(refund_id, event, moment);
        }
        self.reschedule(refund_id, before, answer, moment);
        let refund = &self.refunds[refund_id];
        let origin = self.payment(&refund.payment_id).origin.clone();
        let placing = refund.change_order_id.is_none();
        let ended = if placing { self.authorised(&origin) } else { self.settlement_ended(&saga_id) };
        Some(ended.into_iter().collect())
    }

    fn reschedule(&mut self, refund_id: &RefundId, before: State, answer: &Answer, moment: Moment<'_>) {
        let refund = self.refunds.get_mut(refund_id).expect("its answer is being taken");
        if refund.state.stage() != Stage::InFlight {
            refund.schedule = refund.schedule.ended();
            return;
        }
        let lost = matches!(answer, Answer::Unknown { .. });
        let waits = if lost { &moment.timing.unknown } else { &moment.timing.pending };
        // "Pending" is an answer: it ends the count of lost answers and begins the count of pending ones.
        let so_far = if refund.state == before { refund.schedule } else { Schedule::REST };
        refund.schedule = so_far.again(moment, waits);
        let (schedule, change) = (refund.schedule, refund.change_order_id.clone());
        if lost {
            self.note_silence(("refund", refund_id.as_str()), change, schedule, moment);
        }
    }

    pub(super) fn settlement_ended(&mut self, saga_id: &str) -> Option<Ended> {
        let step = self.holds.get(saga_id)?.settle_step.clone();
        let reply = self.settled(saga_id)?;
        Some(Ended { origin: Origin::step(saga_id, &step), ending: Ending::Applied(reply) })
    }
}

/// What an answer means for a refund in a state. A failure after success that reaches us before the
/// success did is both, one after the other.
fn events(state: State, answer: &Answer) -> Vec<Event> {
    match answer {
        Answer::Done { .. } => vec![Event::Succeed],
        Answer::Declined { .. } => vec![Event::Decline],
        Answer::Pending { .. } => vec![Event::GatewayWaits],
        Answer::ActionRequired { .. } => vec![Event::CustomerMustAct],
        Answer::Unknown { .. } => vec![Event::AnswerLost],
        Answer::FailedAfter { .. } if state.stage() == Stage::InFlight => {
            vec![Event::Succeed, Event::FailAfterwards]
        }
        Answer::FailedAfter { .. } => vec![Event::FailAfterwards],
    }
}

fn no_reservation(saga_id: &str) -> Refusal {
    let refusal = Refusal::new(Reason::ProtocolViolation, "the saga has no refund reserved here");
    refusal.detail("saga_id", saga_id)
}
