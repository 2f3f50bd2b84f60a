//! What clients ask for outside of any saga: one more tender, or a capture.

use storage::{Accepted, Overlay, Request, RequestKey};
use types::{PaymentId, Reason, Refusal, StoredRequestId};

use super::books::Books;
use super::command::{Authorise, Capture, Decided, Reply};
use super::shares;
use super::steps::no_account;
use crate::domain::{Moment, Origin, Tender};
use crate::ports::gateway::Gateways;

pub fn authorise(books: &mut Books, asked: &Authorise, gateways: &Gateways, moment: Moment<'_>) -> Decided {
    let key = (asked.key.tenant.clone(), asked.order_id.clone());
    let outcome = match books.requests.check(&asked.key, &asked.fingerprint) {
        Request::Seen(payment_id) => Ok(seen(&payment_id)),
        Request::Reused(refusal) => Err(refusal),
        Request::Fresh => authorise_fresh(books, asked, gateways, moment),
    };
    finish(books, outcome.map(|payment_id| (key.1.clone(), payment_id)), &key)
}

fn authorise_fresh(
    books: &mut Books,
    asked: &Authorise,
    gateways: &Gateways,
    moment: Moment<'_>,
) -> Result<PaymentId, Refusal> {
    let key = (asked.key.tenant.clone(), asked.order_id.clone());
    let tender = Tender {
        payment_id: moment.ids.mint(),
        gateway: asked.gateway.clone(),
        token: asked.token.clone(),
        amount_minor: asked.amount_minor,
        capture_now: false,
        part: None,
    };
    let tender = shares::allot(books, &key.0, &tender, asked.currency)?;
    gateways.check(&tender.gateway)?;
    let id: StoredRequestId = moment.ids.mint();
    let origin = origin(&id, &asked.key);
    let made = books.accounts.update(&key, |account| {
        if account.currency != asked.currency {
            let refusal = Refusal::new(Reason::CurrencyMismatch, "the order has another currency");
            return Err(refusal.field("currency_code").detail("order_currency", account.currency));
        }
        account.check_missing(tender.amount_minor)?;
        account.authorise(&tender, &origin, moment)
    });
    made.ok_or_else(|| no_account(&key))??;
    let (fingerprint, resource_id) = (asked.fingerprint.clone(), tender.payment_id.to_string());
    books.requests.store(asked.key.clone(), Accepted { id, fingerprint, resource_id, at: moment.now });
    Ok(tender.payment_id)
}

pub fn capture(books: &mut Books, asked: &Capture, moment: Moment<'_>) -> Decided {
    let tenant = &asked.key.tenant;
    let Some(order_id) = books.payments.get(&(tenant.clone(), asked.payment_id.clone())).cloned() else {
        let refusal = Refusal::not_found("payment", &asked.payment_id);
        return Decided::only(Reply::Request(Err(refusal)));
    };
    let key = (tenant.clone(), order_id);
    let outcome = match books.requests.check(&asked.key, &asked.fingerprint) {
        Request::Seen(payment_id) => Ok(seen(&payment_id)),
        Request::Reused(refusal) => Err(refusal),
        Request::Fresh => {
            let id: StoredRequestId = moment.ids.mint();
            let origin = origin(&id, &asked.key);
            let begun = books
                .accounts
                .update(&key, |account| account.capture(&asked.payment_id, asked.asked, &origin, moment))
                .expect("a payment belongs to an account, and both were read in this transaction");
            begun.map(|_| {
                let (fingerprint, resource_id) = (asked.fingerprint.clone(), asked.payment_id.to_string());
                let accepted = Accepted { id, fingerprint, resource_id, at: moment.now };
                books.requests.store(asked.key.clone(), accepted);
                asked.payment_id.clone()
            })
        }
    };
    finish(books, outcome.map(|payment_id| (key.1.clone(), payment_id)), &key)
}

fn finish(
    books: &mut Books,
    outcome: Result<(types::OrderId, PaymentId), Refusal>,
    key: &crate::store::OrderKey,
) -> Decided {
    if outcome.is_err() {
        books.rollback();
    }
    let (tasks, told) = books.follow_up(key);
    Decided { reply: Reply::Request(outcome), tasks, ended: Vec::new(), told }
}

/// The stored request's own id: its client's name for it may be another client's, too.
fn origin(id: &StoredRequestId, key: &RequestKey) -> Origin {
    Origin::Request { request_id: id.to_string(), method: key.method.clone() }
}

fn seen(payment_id: &str) -> PaymentId {
    PaymentId::parse(payment_id).expect("only payment ids were stored under these methods")
}
