//! WithdrawChangeOrder. Before a change was accepted it is simply withdrawn; after that its saga puts everything back;
//! after the decision nobody can.

use saga::SagaKey;
use types::{ChangeOrderId, Fingerprint, Refusal};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle::{self, Withdrawal};
use crate::domain::sides::may_withdraw;
use crate::ops::command::Named;
use crate::ops::decide::carry;

pub struct WithdrawChange {
    pub change_order_id: ChangeOrderId,
    pub note: String,
}

impl UseCase for WithdrawChange {
    const METHOD: &'static str = "WithdrawChangeOrder";
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
        may_withdraw(&order, &change, &work.asked.actor, policies.of(&order))?;
        let actor = &work.asked.actor;
        match lifecycle::withdraw(&order, &mut change, actor, &self.note, work.books.now)? {
            Withdrawal::Withdrawn(happened) => work.put(order, Some(change), happened),
            Withdrawal::AskSaga { cause, happened } => {
                let saga = SagaKey::new(work.asked.tenant.clone(), change.saga_id.clone());
                work.put(order, Some(change), happened);
                carry::turn_back(work.books, &saga, cause)?;
                work.after.due = true;
            }
            Withdrawal::UnderWay => {}
        }
        let (order, change) = work.change(&self.change_order_id)?;
        Ok(work.view(&order, &change))
    }
}
