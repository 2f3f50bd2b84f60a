//! ProposeChangeOrder: one side asks for a change that the other has to answer.

use types::{ChangeOrderId, Fingerprint, OrderId, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, Proposal};
use crate::domain::policy::Capability;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;

pub struct ProposeChange {
    pub order_id: OrderId,
    pub proposal: Proposal,
    pub counter_of: Option<ChangeOrderId>,
    /// Of the canonical request.
    pub content: Fingerprint,
}

impl UseCase for ProposeChange {
    const METHOD: &'static str = "ProposeChangeOrder";
    const NEEDS: Option<Capability> = Some(Capability::Proposals);
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.order_id);
        wanted.changes.extend(self.counter_of.iter().map(|change| (tenant.clone(), change.clone())));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let order = work.order(&self.order_id)?;
        let mut countered = match &self.counter_of {
            None => None,
            Some(id) => {
                let not_found = || Refusal::not_found("ChangeOrder", id.as_str()).field("counter_of");
                let change = work.books.changes.get(&(work.asked.tenant.clone(), id.clone())).cloned();
                Some(change.filter(|change| change.order_id == self.order_id).ok_or_else(not_found)?)
            }
        };
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        policies.check_reason(&order, &self.proposal.reason_code, &self.proposal.note)?;
        let (change, happened) =
            lifecycle::propose(&order, &self.proposal, countered.as_mut(), &author, &work.books.ids)?;
        if let Some(countered) = countered {
            work.put(order.clone(), Some(countered), Happened::default());
        }
        Ok(work.write_change(order, &change, happened))
    }
}
