//! ReissueOrder: places a new order like an old one, and tells of it in the old order's timeline.

use types::{Fingerprint, Reason, Refusal, Tenant};

use super::create_order::place;
use super::{UseCase, Work};
use crate::domain::history::Entry;
use crate::domain::order::Order;
use crate::domain::policy::{Capability, grant};
use crate::domain::reissue::{self, Reissue};
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::store::orders;

pub struct ReissueOrder(pub Reissue);

impl UseCase for ReissueOrder {
    const METHOD: &'static str = "ReissueOrder";
    const NEEDS: Option<Capability> = Some(Capability::Restoring);
    type Answer = Order;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.references(tenant, &self.0.references);
        wanted.order(tenant, &self.0.order_id);
        wanted.reissued.insert((tenant.clone(), self.0.order_id.clone()));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Order, Refusal> {
        let source = work.order(&self.0.order_id)?;
        let policies = work.shelf();
        let policy = policies.of(&source);
        let (tenant, actor) = (&work.asked.tenant, &work.asked.actor);
        if grant(policy, &source, actor).is_none() {
            let message = "neither the current role nor the relation to the order allows to make it again";
            return Err(Refusal::new(Reason::PermissionDenied, message)
                .detail("policy_version", policy.version_text())
                .detail("role", &actor.role));
        }
        let is_free = |number: &String| work.books.numbers.get(&(tenant.clone(), number.clone())).is_none();
        let Some(number) = reissue::numbers(&source.number).find(is_free) else {
            let message = format!("order {} was made again too often", source.number);
            return Err(Refusal::new(Reason::StateConflict, message));
        };
        let summary = format!("the order was placed again as {number}");
        let placed = place(work, &reissue::new_order(&source, &self.0, number)?)?;
        let entry = Entry::new(work.books.now, actor.clone(), "order.reissued", summary);
        work.books.note(&orders::key(&source), entry);
        Ok(placed)
    }
}
