//! Answers to a proposal: ApproveChangeOrder, DeclineChangeOrder, or none before its time is up.

use types::{ChangeOrderId, Fingerprint, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle;
use crate::domain::placing::NewTender;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::ops::plans::amend;

/// The other side agrees. The saga that carries out the change starts in the same commit.
pub struct ApproveChange {
    pub change_order_id: ChangeOrderId,
    /// Tenders for the higher price, instead of those in the proposal.
    pub tenders: Vec<NewTender>,
    /// Of the canonical request.
    pub content: Fingerprint,
}

pub struct DeclineChange {
    pub change_order_id: ChangeOrderId,
    pub note: String,
}

/// Asked for by the clock. A proposal that was answered meanwhile stays as it is.
pub struct ExpireProposal {
    pub change_order_id: ChangeOrderId,
}

impl UseCase for ApproveChange {
    const METHOD: &'static str = "ApproveChangeOrder";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Change(&self.change_order_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let (mut order, mut change) = work.change(&self.change_order_id)?;
        let policies = work.shelf();
        let policy = policies.of(&order);
        let in_proposal = || change.in_confidence.pays.clone();
        let offered = if self.tenders.is_empty() { in_proposal() } else { self.tenders.clone() };
        let before = order.clone();
        let actor = &work.asked.actor;
        let happened = lifecycle::approve(&mut order, &mut change, &offered, actor, policy, work.books.now)?;
        let (tenders, (lease, traceparent)) = (work.payments(&offered), work.saga_begins());
        let saga = amend::agreed(&before, &change, &tenders, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

impl UseCase for DeclineChange {
    const METHOD: &'static str = "DeclineChangeOrder";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.change_order_id.as_str().as_bytes(), self.note.as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Change(&self.change_order_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let (order, mut change) = work.change(&self.change_order_id)?;
        let policies = work.shelf();
        let (actor, policy) = (&work.asked.actor, policies.of(&order));
        let happened = lifecycle::decline(&order, &mut change, actor, policy, &self.note, work.books.now)?;
        Ok(work.write_change(order, &change, happened))
    }
}

impl UseCase for ExpireProposal {
    const METHOD: &'static str = "ExpireChangeOrder";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.change_order_id.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.change_and_order(tenant, &self.change_order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let (order, mut change) = work.change(&self.change_order_id)?;
        Ok(match lifecycle::expire(&order, &mut change, work.books.now) {
            Some(happened) => work.write_change(order, &change, happened),
            None => work.view(&order, &change),
        })
    }
}
