//! What is owed to the customer: one figure, computed here and nowhere else. The order service shows what it was last told.
//!
//! A figure goes by one decision of the order about what it comes to, named by its number. While a change is only reserved
//! there are two: what is owed now, and what will be owed once the change is committed. The reply to the reservation tells
//! the second, so that the commit needs no further word; whatever moves a figure otherwise is told by an event.

use types::ChangeOrderId;

use super::account::{Account, Hold, HoldState};
use super::event::Event;
use super::gateway::DisputeState;
use super::refund::{Kind, Stage, State};

/// The decision to place an order.
pub const FIRST_WORTH: i64 = 1;

/// A figure that the order service was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// A higher one is newer; 0 before anything was owed.
    pub seq: i64,
    /// The decision of the order that it goes by.
    pub worth_version: i64,
    pub owed_minor: i64,
}

/// What a change that has ended left owed, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOwed {
    pub change_order_id: ChangeOrderId,
    /// Of it, what is owed still.
    pub owed_minor: i64,
    /// Nothing of it is owed or on its way any more.
    pub mended: bool,
}

impl Account {
    /// What is owed by the last decision that is known here.
    pub fn owed_minor(&self) -> i64 {
        let undecided = self.undecided().map(|hold| hold.saga_id.as_str());
        self.owed_by(self.worth_minor, undecided)
    }

    /// What of the captured money exceeds the worth and is not on its way back, and what a person is to give back. What a
    /// dispute holds up is on no way. The legs that `without` has reserved are not counted.
    fn owed_by(&self, worth_minor: i64, without: Option<&str>) -> i64 {
        let counted = |refund: &super::Refund| {
            refund.change_order_id.is_none() || without != Some(refund.saga_id.as_str())
        };
        let back = self.refunded(|refund| refund.state != State::AwaitingCapture && counted(refund));
        let lost = self.disputed_minor(|dispute| dispute.state == DisputeState::Lost);
        let in_hand = self.refunded(|refund| match refund.state {
            State::Manual => true,
            State::Reserved => counted(refund) && self.is_frozen(&refund.payment_id),
            State::AwaitingCapture
            | State::Submitting
            | State::Pending
            | State::RequiresAction
            | State::Unknown
            | State::Succeeded
            | State::Declined
            | State::Reversed
            | State::Released
            | State::ResolvedExternally
            | State::External => false,
        });
        (self.captured_minor() - back - lost - worth_minor).max(0) + in_hand
    }

    /// The reservation whose change is not known to be committed.
    fn undecided(&self) -> Option<&Hold> {
        let open = self.holds.values().filter(|hold| hold.state != HoldState::Released);
        open.filter(|hold| hold.told.worth_version > self.told.worth_version)
            .min_by_key(|hold| hold.told.worth_version)
    }

    /// The order has gone on to `worth_version`: every reservation before it that still stands was committed.
    pub(super) fn committed_before(&mut self, worth_version: i64) {
        while let Some(hold) = self.undecided().filter(|hold| hold.told.worth_version < worth_version) {
            let saga_id = hold.saga_id.clone();
            self.commit_worth(&saga_id);
        }
    }

    /// The change of this saga was committed. Of decisions that are told out of order the highest counts.
    pub(super) fn commit_worth(&mut self, saga_id: &str) {
        let Some(hold) = self.holds.get(saga_id).filter(|hold| hold.state != HoldState::Released) else {
            return;
        };
        if hold.told.worth_version > self.told.worth_version {
            self.worth_minor = hold.new_ceiling_minor;
            self.told = hold.told;
        }
    }

    /// Numbers what will be owed once this reservation's change is committed, for the reply that tells it.
    pub(super) fn foresee_owed(&mut self, saga_id: &str) {
        let Some(hold) = self.holds.get(saga_id) else { return };
        let owed_minor = self.owed_by(hold.new_ceiling_minor, None);
        let version = hold.told.worth_version;
        // What stays as it was keeps its number, unless a later one was given to a figure that came to nothing.
        let is_same = owed_minor == self.told.owed_minor && self.owed_seq == self.told.seq;
        let seq = if is_same { self.told.seq } else { self.number(version, owed_minor) };
        let told = Told { seq, worth_version: version, owed_minor };
        self.holds.get_mut(saga_id).expect("it was just found").told = told;
    }

    /// What a step tells with its reply: what its change will leave owed, or what is owed since it was committed.
    pub fn told_to(&self, saga_id: &str) -> Option<Told> {
        let its = self.holds.get(saga_id)?.told;
        Some(if its.worth_version > self.told.worth_version { its } else { self.told })
    }

    /// Tells what has come to be owed by other ways than a reservation.
    pub fn tell_owed(&mut self) {
        let owed_minor = self.owed_minor();
        let mut is_news = owed_minor != self.told.owed_minor;
        if is_news {
            let seq = self.number(self.told.worth_version, owed_minor);
            self.told = Told { seq, owed_minor, ..self.told };
        }
        let next = self.undecided().map(|hold| (hold.saga_id.clone(), hold.new_ceiling_minor, hold.told));
        let next = next.map(|(saga_id, worth_minor, told)| {
            let owed_minor = self.owed_by(worth_minor, None);
            if owed_minor == told.owed_minor {
                return told;
            }
            is_news = true;
            let told = Told { seq: self.number(told.worth_version, owed_minor), owed_minor, ..told };
            self.holds.get_mut(&saga_id).expect("it was just found").told = told;
            told
        });
        let left = self.left_owed();
        let mended = left.iter().filter(|left| left.mended).count();
        let mended = i64::try_from(mended).expect("an order has fewer changes than that");
        if is_news || mended != self.told_mended {
            self.told_mended = mended;
            let positions = [self.told].into_iter().chain(next).collect();
            self.tell(Event::OwedChanged { positions, left });
        }
    }

    fn number(&mut self, worth_version: i64, owed_minor: i64) -> i64 {
        self.owed_seq += 1;
        self.unsaved.told.push(Told { seq: self.owed_seq, worth_version, owed_minor });
        self.owed_seq
    }

    /// The changes that have ended and left something owed, with what is left of it.
    fn left_owed(&self) -> Vec<LeftOwed> {
        let owed_minor = self.told.owed_minor;
        let is_all_back = self.unreturned_minor() <= self.worth_minor;
        let ended = self
            .holds
            .values()
            .filter(|hold| hold.state == HoldState::Settled && !hold.settle_step.is_empty());
        let left = ended.filter_map(|hold| {
            let mut failed = self.legs(&hold.saga_id).filter(|refund| refund.kind == Kind::Refund);
            let has_failed = failed.any(|refund| {
                refund.state.stage() == Stage::Owed || refund.state == State::ResolvedExternally
            });
            (hold.owed_minor > 0 || has_failed).then(|| LeftOwed {
                change_order_id: hold.change_order_id.clone(),
                owed_minor: self.left_by(hold).min(owed_minor),
                mended: is_all_back && self.left_by(hold).min(owed_minor) == 0,
            })
        });
        left.collect()
    }

    /// Its change has tried it on another tender, which stands for it from then on.
    pub(super) fn is_followed(&self, refund: &super::Refund) -> bool {
        let mut its = self.legs(&refund.saga_id);
        its.any(|later| later.retry_of.as_ref() == Some(&refund.refund_id))
    }

    /// What a change did not give back: left from the beginning, or failed and not made good.
    pub(super) fn left_by(&self, hold: &Hold) -> i64 {
        let failed = self.legs(&hold.saga_id).filter(|refund| {
            refund.kind == Kind::Refund
                && refund.state.stage() == Stage::Owed
                && !self.is_made_good(&refund.refund_id)
                && !self.is_followed(refund)
        });
        let failed: i64 = failed.map(|refund| refund.amount_minor).sum();
        // What was to be given beyond the order's worth is a gift, and owed to nobody if it fails.
        hold.owed_minor + (failed - hold.over_minor).max(0)
    }
}
