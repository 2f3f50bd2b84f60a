//! Giving back: reserve, release, settle, and what the gateway says of it.

use types::{ChangeOrderId, Reason, RefundId, Refusal};

use super::account::{Account, Hold, HoldState};
use super::event::Event as Told;
use super::gateway::Answer;
use super::moment::{Moment, Schedule};
use super::movement;
use super::origin::Origin;
use super::refund::{Event, Kind, Refund, Stage, State, Verdict};
use super::reply::{Ended, Ending, Reply, StepOutcome};
use super::split::{Form, Share, split};

/// What a change of an order wants reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub saga_id: String,
    pub step: String,
    pub change_order_id: ChangeOrderId,
    /// What the order comes to after the change, fees included and never below zero.
    pub target_minor: i64,
    /// Lower the ceiling only; what exceeds the target stays owed.
    pub move_no_money: bool,
}

impl Account {
    /// What exceeds `target_minor`, over the tenders in the order of return. Refuses if the tenders
    /// cannot give so much.
    pub fn forecast(&self, target_minor: i64) -> (Vec<Share>, i64) {
        let sources = self.sources(|_| true);
        let uncaptured = sources.iter().filter(|source| source.form == Form::Authorised);
        let uncaptured: i64 = uncaptured.map(|source| source.free_minor).sum();
        let there = uncaptured + self.in_flight_minor() + self.position_minor();
        split(&sources, (there - target_minor).max(0))
    }

    pub fn reserve(&mut self, wanted: &Reservation, moment: Moment<'_>) -> Result<StepOutcome, Refusal> {
        let (shares, shortfall) = self.forecast(wanted.target_minor);
        let exceeding = (self.position_minor() + self.in_flight_minor() - wanted.target_minor).max(0);
        if shortfall > 0 && !wanted.move_no_money {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "the tenders cannot give so much back");
            return Err(refusal.detail("exceeding_minor", exceeding).detail("shortfall_minor", shortfall));
        }
        let hold = Hold {
            saga_id: wanted.saga_id.clone(),
            change_order_id: wanted.change_order_id.clone(),
            prior_ceiling_minor: self.ceiling_minor,
            new_ceiling_minor: wanted.target_minor,
            owed_minor: if wanted.move_no_money { exceeding } else { 0 },
            move_no_money: wanted.move_no_money,
            state: HoldState::Reserved,
            settle_step: String::new(),
        };
        let owed_minor = hold.owed_minor;
        self.ceiling_minor = wanted.target_minor;
        self.holds.insert(wanted.saga_id.clone(), hold);
        if !wanted.move_no_money {
            let change = Some(&wanted.change_order_id);
            for share in &shares {
                self.add_leg(share, change, &wanted.saga_id, &wanted.step, moment);
            }
        }
        let legs: Vec<_> = self.legs(&wanted.saga_id).map(Refund::leg).collect();
        Ok(StepOutcome::Applied(Reply {
            nothing_to_do: legs.is_empty() && owed_minor == 0,
            legs,
            owed_minor,
        }))
    }

    /// Takes a reservation back: its legs are never sent, and the ceiling is what it was.
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

    /// Sends what was reserved.
    pub fn settle(&mut self, saga_id: &str, step: &str, moment: Moment<'_>) -> Result<StepOutcome, Refusal> {
        let hold = self.holds.get_mut(saga_id).filter(|hold| hold.state == HoldState::Reserved);
        let hold = hold.ok_or_else(|| no_reservation(saga_id))?;
        hold.state = HoldState::Settling;
        step.clone_into(&mut hold.settle_step);
        let legs: Vec<RefundId> = self.legs(saga_id).map(|refund| refund.refund_id.clone()).collect();
        for refund_id in &legs {
            self.submit_if_decided(refund_id, moment);
        }
        Ok(match self.settled(saga_id) {
            None => StepOutcome::Pending,
            Some(reply) => StepOutcome::Applied(reply),
        })
    }

    /// The legs a saga's change has reserved.
    fn legs(&self, saga_id: &str) -> impl Iterator<Item = &Refund> {
        self.refunds
            .values()
            .filter(move |refund| refund.saga_id == saga_id && refund.change_order_id.is_some())
    }

    /// Closes the hold when all its legs are over, and tells how each ended.
    fn settled(&mut self, saga_id: &str) -> Option<Reply> {
        if self.legs(saga_id).any(|refund| !refund.state.stage().is_over()) {
            return None;
        }
        let hold = self.holds.get_mut(saga_id).filter(|hold| hold.state == HoldState::Settling)?;
        hold.state = HoldState::Settled;
        let mut owed_minor = hold.owed_minor;
        owed_minor += self
            .legs(saga_id)
            .filter(|refund| refund.kind == Kind::Refund && refund.state.stage() == Stage::Owed)
            .map(|refund| refund.amount_minor)
            .sum::<i64>();
        let legs: Vec<_> = self.legs(saga_id).map(Refund::leg).collect();
        Some(Reply { nothing_to_do: legs.is_empty() && owed_minor == 0, legs, owed_minor })
    }

    /// Commits a reserved leg to be sent, if its change is decided or its order was not placed.
    pub(super) fn submit_if_decided(&mut self, refund_id: &RefundId, moment: Moment<'_>) {
        let refund = self.refunds.get(refund_id).expect("the caller has read this refund");
        let step = match self.holds.get(&refund.saga_id) {
            Some(hold) if hold.state == HoldState::Settling => hold.settle_step.clone(),
            None if self.payment(&refund.payment_id).abandoned => refund.step.clone(),
            Some(_) | None => return,
        };
        if self.take(refund_id, Event::Submit, moment) {
            let refund = self.refunds.get_mut(refund_id).expect("it was just changed");
            refund.step = step;
            refund.schedule = Schedule::begun(moment);
            let refund = refund.clone();
            let task = self.refund_task(&refund);
            self.unsaved.tasks.push(task);
        }
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
        // Hearing "pending" ends the counting of lost answers and begins that of patience.
        let so_far = if refund.state == before { refund.schedule } else { Schedule::REST };
        refund.schedule = so_far.again(moment, waits);
        let (schedule, change) = (refund.schedule, refund.change_order_id.clone());
        if lost {
            self.note_silence(("refund", refund_id.as_str()), change, schedule, moment);
        }
    }

    fn settlement_ended(&mut self, saga_id: &str) -> Option<Ended> {
        let step = self.holds.get(saga_id)?.settle_step.clone();
        let reply = self.settled(saga_id)?;
        Some(Ended { origin: Origin::step(saga_id, &step), ending: Ending::Applied(reply) })
    }

    /// Applies one event to a refund with all that follows from it; true if it changed anything.
    fn take(&mut self, refund_id: &RefundId, event: Event, moment: Moment<'_>) -> bool {
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
            State::Declined => self.not_given_back(&refund, "the gateway declined to give money back"),
            State::Reversed => self.came_back(&refund, moment),
            State::AwaitingCapture
            | State::Reserved
            | State::Submitting
            | State::Pending
            | State::RequiresAction
            | State::Unknown
            | State::Released
            | State::Manual
            | State::ResolvedExternally
            | State::External => {}
        }
        true
    }

    fn given_back(&mut self, refund: &Refund, moment: Moment<'_>) {
        match refund.kind {
            Kind::Refund => self.book_refund(movement::Kind::Refund, refund, moment),
            Kind::Void => {
                let payment = self.payments.get_mut(&refund.payment_id).expect("a refund has a payment");
                payment.voided_minor += refund.amount_minor;
                self.restate(&refund.payment_id);
            }
        }
    }

    fn came_back(&mut self, refund: &Refund, moment: Moment<'_>) {
        match refund.kind {
            Kind::Refund => self.book_refund(movement::Kind::Reversal, refund, moment),
            Kind::Void => {
                let payment = self.payments.get_mut(&refund.payment_id).expect("a refund has a payment");
                payment.voided_minor -= refund.amount_minor;
                self.restate(&refund.payment_id);
            }
        }
        self.not_given_back(refund, "a refund failed after it had succeeded");
        // While the step is pending, its own reply will tell; a placement that failed has no change to tell of.
        let ended = self.holds.get(&refund.saga_id).is_some_and(|hold| hold.state == HoldState::Settled);
        if ended && refund.change_order_id.is_some() {
            self.tell(Told::RefundEnded {
                change_order_id: refund.change_order_id.clone(),
                refund_id: refund.refund_id.clone(),
                state: refund.state,
                amount_minor: refund.amount_minor,
                detail: refund.detail.clone(),
            });
        }
    }

    fn book_refund(&mut self, kind: movement::Kind, refund: &Refund, moment: Moment<'_>) {
        let origin = Origin::step(&refund.saga_id, &refund.step);
        let key = refund.refund_id.as_str();
        self.book(kind, &refund.payment_id, key, refund.amount_minor, origin, moment);
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
