//! What `verify` has found becomes attention items, and those whose cause is gone are closed.

use kit::{Failure, Principal};
use types::{Reason, Refusal, RequestId};

use super::attention::Raised;
use super::batch::{Answer, Asked, Wish};
use super::books::Books;
use super::orders::{Orders, asked, unexpected};
use crate::domain::findings::{Finding, Findings, SUBJECT};

impl Orders {
    pub async fn raise_findings(
        &self,
        principal: &Principal,
        request_id: RequestId,
        findings: Findings,
    ) -> Result<(), Failure> {
        let content = format!("{findings:?}");
        let asked = asked(principal, "RaiseFindings", request_id, &[content.as_bytes()]);
        match self.ask(asked, Wish::RaiseFindings(Box::new(findings))).await? {
            Answer::Written(_) | Answer::AcceptedBefore(_) => Ok(()),
            _ => Err(unexpected()),
        }
    }
}

pub(super) fn raise(books: &mut Books, asked: &Asked, findings: &Findings) -> (Answer, String) {
    for subject_id in &findings.sound {
        books.close(&asked.tenant, SUBJECT, subject_id);
    }
    for finding in &findings.found {
        let raised = raised(books, asked, finding);
        books.raise(raised);
    }
    (Answer::Written(SUBJECT.to_owned()), SUBJECT.to_owned())
}

/// An item about an order that is not ours stands in the list alone.
fn raised(books: &Books, asked: &Asked, finding: &Finding) -> Raised {
    let ours = |id: &types::OrderId| books.orders.contains(&(asked.tenant.clone(), id.clone()));
    let message = format!("{}: {}", finding.equation, finding.row);
    Raised {
        tenant: asked.tenant.clone(),
        order_id: finding.order_id.clone().filter(ours),
        change_order_id: None,
        subject_type: SUBJECT.to_owned(),
        subject_id: finding.subject_id.clone(),
        cause: Refusal::new(Reason::BooksDoNotBalance, message).detail("rows", finding.rows),
        allowed_actions: Vec::new(),
    }
}
