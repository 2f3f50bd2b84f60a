//! Refunds that failed, tried again or paid by hand, and refunds made elsewhere: because an operator says so.

use storage::{Accepted, Overlay, Request};
use types::{RefundId, Refusal, StoredRequestId};

use super::books::Books;
use super::command::{Decided, Mend, Mending, Reply};
use super::steps::no_account;
use crate::domain::Moment;

pub fn decide(books: &mut Books, mend: &Mend, moment: Moment<'_>) -> Decided {
    let key = (mend.key.tenant.clone(), mend.order_id.clone());
    let outcome = match books.requests.check(&mend.key, &mend.fingerprint) {
        Request::Seen(refund_id) => {
            Ok(RefundId::parse(&refund_id).expect("only refund ids were stored under these methods"))
        }
        Request::Reused(refusal) => Err(refusal),
        Request::Fresh => mend_fresh(books, mend, moment),
    };
    if outcome.is_err() {
        books.rollback();
    }
    let (tasks, told) = books.follow_up(&key);
    Decided { reply: Reply::Mended(outcome), tasks, ended: Vec::new(), told }
}

fn mend_fresh(books: &mut Books, mend: &Mend, moment: Moment<'_>) -> Result<RefundId, Refusal> {
    let key = (mend.key.tenant.clone(), mend.order_id.clone());
    let id: StoredRequestId = moment.ids.mint();
    let mended = books.accounts.update(&key, |account| match &mend.how {
        Mending::Retry { refund_id, payment_id } => {
            account.retry(refund_id, payment_id.as_ref(), id.as_str(), moment)
        }
        Mending::Resolve { refund_id, resolution } => {
            account.resolve(refund_id, resolution, moment).map(|()| refund_id.clone())
        }
        Mending::Record(recorded) => account.record(recorded, moment),
    });
    let mended = mended.ok_or_else(|| no_account(&key))??;
    let (fingerprint, resource_id) = (mend.fingerprint.clone(), mended.to_string());
    books.requests.store(mend.key.clone(), Accepted { id, fingerprint, resource_id, at: moment.now });
    Ok(mended)
}
