//! What an operator does about a refund that failed: tries it again, or says how it was paid by hand.

use types::{PaymentId, Reason, RefundId, Refusal};

use super::account::{Account, HoldState};
use super::capture;
use super::moment::{Moment, Schedule};
use super::refund::{Event, Kind, Method, Refund, Resolution, State};
use super::refunding::Terms;
use super::split::Source;

/// The step that a refund's later tries stand under.
pub const RETRY: &str = "retry_refund";

impl Account {
    /// Tries a failed refund again as a new one, on the same tender or another, under the same cap.
    pub fn retry(
        &mut self,
        refund_id: &RefundId,
        payment_id: Option<&PaymentId>,
        request_id: &str,
        moment: Moment<'_>,
    ) -> Result<RefundId, Refusal> {
        let failed = self.failed(refund_id)?;
        if failed.state == State::Manual {
            return Err(not_mendable(&failed, "a person was asked to pay it by hand"));
        }
        self.check_owed(&failed)?;
        let payment_id = payment_id.unwrap_or(&failed.payment_id);
        if !self.payments.contains_key(payment_id) {
            let refusal = Refusal::not_found("payment", payment_id);
            return Err(refusal.field("payment_id"));
        }
        let step = self.payment(payment_id).step_minor.max(1);
        if failed.amount_minor % step != 0 {
            let message = format!("the tender's gateway gives back multiples of {step} minor units");
            let refusal = Refusal::new(Reason::AmountOutOfRange, message);
            return Err(refusal.detail("payment_id", payment_id).detail("step_minor", step));
        }
        let mut captures = self.captures.values();
        let capture = captures.find(|capture| {
            capture.payment_id == *payment_id
                && capture.state == capture::State::Captured
                && capture.free_minor() >= failed.amount_minor
        });
        let capture = capture.ok_or_else(|| {
            let refusal = Refusal::new(Reason::ExceedsRefundable, "the tender cannot give so much back");
            refusal.detail("payment_id", payment_id).detail("amount_minor", failed.amount_minor)
        })?;
        let again = Refund {
            refund_id: moment.ids.mint(),
            payment_id: payment_id.clone(),
            capture_id: Some(capture.capture_id.clone()),
            saga_id: request_id.to_owned(),
            step: RETRY.to_owned(),
            method: Method::Tender,
            retry_of: Some(failed.refund_id.clone()),
            state: State::Reserved,
            gateway_reference: String::new(),
            detail: String::new(),
            schedule: Schedule::REST,
            created_at: moment.now,
            updated_at: moment.now,
            ..failed
        };
        let again_id = self.insert_refund(again);
        self.send(&again_id, RETRY, moment);
        Ok(again_id)
    }

    /// Writes down that a failed refund was paid by hand.
    pub fn resolve(
        &mut self,
        refund_id: &RefundId,
        resolution: &Resolution,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let failed = self.failed(refund_id)?;
        // A manual one counts already; the others count again from here on.
        if failed.state != State::Manual {
            self.check_owed(&failed)?;
            let capture = failed.capture_id.as_ref().and_then(|id| self.captures.get(id));
            if capture.is_some_and(|capture| capture.free_minor() < failed.amount_minor) {
                let refusal =
                    Refusal::new(Reason::ExceedsRefundable, "the capture was given back another way");
                return Err(refusal.detail("refund_id", refund_id));
            }
        }
        let refund = self.refunds.get_mut(refund_id).expect("it was just found");
        refund.resolution = resolution.clone();
        self.take(refund_id, Event::HandOver, moment);
        self.take(refund_id, Event::Resolve, moment);
        Ok(())
    }

    /// The order of return, with the tender that has failed already behind all others.
    pub(super) fn failed_last(&self, mut sources: Vec<Source>, terms: &Terms) -> Vec<Source> {
        let failed = terms.retry_of.as_ref().and_then(|id| self.refunds.get(id));
        if let Some(failed) = failed {
            sources.sort_by_key(|source| source.payment_id == failed.payment_id);
        }
        sources
    }

    /// Whether another refund has taken the place of this one.
    pub fn is_made_good(&self, refund_id: &RefundId) -> bool {
        let mut later = self.refunds.values().filter(|refund| refund.retry_of.as_ref() == Some(refund_id));
        later.any(|refund| refund.state.counts())
    }

    fn failed(&self, refund_id: &RefundId) -> Result<Refund, Refusal> {
        let refund = self.refunds.get(refund_id).ok_or_else(|| Refusal::not_found("refund", refund_id))?;
        let lost = matches!(refund.state, State::Declined | State::Reversed | State::Manual);
        if !lost || refund.kind != Kind::Refund {
            return Err(not_mendable(refund, "only a refund that failed can be mended"));
        }
        if self.is_made_good(refund_id) {
            return Err(not_mendable(refund, "another refund has made it good"));
        }
        let hold = self.holds.get(&refund.saga_id);
        if hold.is_some_and(|hold| hold.state != HoldState::Settled) {
            return Err(not_mendable(refund, "its change is still settling"));
        }
        Ok(refund.clone())
    }

    /// A later change may have given it back meanwhile: then it is owed no more.
    fn check_owed(&self, failed: &Refund) -> Result<(), Refusal> {
        let owed = self.position_minor() + self.in_flight_minor() - self.ceiling_minor;
        if owed >= failed.amount_minor {
            return Ok(());
        }
        let refusal = Refusal::new(Reason::ExceedsRefundable, "so much is not owed any more");
        Err(refusal.detail("owed_minor", owed.max(0)).detail("amount_minor", failed.amount_minor))
    }
}

fn not_mendable(refund: &Refund, message: &str) -> Refusal {
    let refusal = Refusal::new(Reason::NotRetryable, message);
    refusal.detail("refund_id", &refund.refund_id).detail("state", refund.state.as_str())
}
