//! RaiseFindings: puts what `verify` has found on the attention list, and closes the items whose cause is gone.

use types::{Fingerprint, OrderId, Reason, Refusal, Tenant};

use super::{Resource, UseCase, Work};
use crate::domain::findings::{Finding, Findings, SUBJECT};
use crate::ops::books::attention::Raised;
use crate::ops::books::wanted::Wanted;

pub struct RaiseFindings(pub Findings);

/// All findings are on the list.
#[derive(Debug)]
pub struct FindingsRaised;

impl Resource for FindingsRaised {
    fn resource_id(&self) -> String {
        SUBJECT.to_owned()
    }
}

impl UseCase for RaiseFindings {
    const METHOD: &'static str = "RaiseFindings";
    type Answer = FindingsRaised;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[format!("{:?}", self.0).as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.orders.extend(self.0.orders().map(|order_id| (tenant.clone(), order_id)));
        let subjects = self.0.subjects();
        wanted.subjects.extend(subjects.map(|id| (tenant.clone(), SUBJECT.to_owned(), id.clone())));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<FindingsRaised, Refusal> {
        for subject_id in &self.0.sound {
            work.books.close(&work.asked.tenant, SUBJECT, subject_id);
        }
        for finding in &self.0.found {
            let raised = raised(work, finding);
            work.books.raise(raised);
        }
        Ok(FindingsRaised)
    }
}

/// An item about an unknown order appears only in the list.
fn raised(work: &Work<'_>, finding: &Finding) -> Raised {
    let tenant = &work.asked.tenant;
    let ours = |id: &OrderId| work.books.orders.contains(&(tenant.clone(), id.clone()));
    let message = format!("{}: {}", finding.equation, finding.row);
    Raised {
        tenant: tenant.clone(),
        order_id: finding.order_id.clone().filter(ours),
        change_order_id: None,
        subject_type: SUBJECT.to_owned(),
        subject_id: finding.subject_id.clone(),
        cause: Refusal::new(Reason::BooksDoNotBalance, message).detail("rows", finding.rows),
        allowed_actions: Vec::new(),
    }
}
