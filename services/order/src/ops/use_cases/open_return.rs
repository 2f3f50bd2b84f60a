//! OpenReturn: units are announced to come back.

use types::{Fingerprint, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::lifecycle::{self, Opening};
use crate::domain::returns::Return;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;

pub struct OpenReturn(pub Opening);

impl UseCase for OpenReturn {
    const METHOD: &'static str = "OpenReturn";
    type Answer = Return;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.0.order_id);
        wanted.open_returns_of.insert((tenant.clone(), self.0.order_id.clone()));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Return, Refusal> {
        let order = work.order(&self.0.order_id)?;
        let others = work.books.returns.values().filter(|other| other.order_id == order.order_id);
        let others: Vec<Return> = others.cloned().collect();
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        policies.check_reason(&order, &self.0.reason_code, &self.0.note)?;
        let (opened, happened) =
            lifecycle::open_return(&order, &self.0, &others, work.books.ids.mint(), &author)?;
        Ok(work.write_return(order, opened, happened))
    }
}
