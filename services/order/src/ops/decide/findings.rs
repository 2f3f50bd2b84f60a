//! What `verify` has found becomes attention items, and those whose cause is gone are closed.

use types::{Reason, Refusal};

use crate::domain::findings::{Finding, Findings, SUBJECT};
use crate::ops::books::Books;
use crate::ops::books::attention::Raised;
use crate::ops::command::{Answer, Asked};

pub fn raise(books: &mut Books, asked: &Asked, findings: &Findings) -> (Answer, String) {
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
