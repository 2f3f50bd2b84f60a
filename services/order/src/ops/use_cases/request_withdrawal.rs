//! RequestWithdrawal: a client makes use of the statutory right to withdraw from the contract.

use types::{Fingerprint, OrderId, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle;
use crate::ops::books::wanted::Wanted;

pub struct RequestWithdrawal {
    pub order_id: OrderId,
    /// As it was given.
    pub number: String,
    /// Proves that the caller is the order's client.
    pub contact: String,
    pub note: String,
}

impl UseCase for RequestWithdrawal {
    const METHOD: &'static str = "RequestWithdrawal";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.number.as_bytes(), self.contact.as_bytes(), self.note.as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order_and_changes(tenant, &self.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let order = work.order(&self.order_id).map_err(|_| Refusal::not_found("Order", &self.number))?;
        let earlier = work.changes_of(&order);
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        let (change, happened) =
            lifecycle::receive_withdrawal(&order, &earlier, &self.contact, &self.note, &author)?;
        Ok(work.write_change(order, &change, happened))
    }
}
