//! What a gateway said: recorded with the end of the step that waited for it.

use storage::Outcome;

use super::adoptions;
use super::books::Books;
use super::command::{Answered, Decided, Observed, Reply, Report, StepAnswer};
use super::steps::told_with;
use super::waiters::{Awaited, Waiters};
use crate::domain::gateway::Subject;
use crate::domain::{self, Ended, Ending, Event, Moment, Origin};
use crate::ports::gateway::Gateways;
use crate::store::OrderKey;
use crate::wire as reply;

pub fn decide(books: &mut Books, answered: &Answered, waiters: &Waiters, moment: Moment<'_>) -> Decided {
    let key = (answered.tenant.clone(), answered.order_id.clone());
    let taken = books.accounts.update(&key, |account| match &answered.subject {
        Subject::Payment(id) => account.authorisation_answered(id, &answered.answer, moment),
        Subject::Capture(id) => account.capture_answered(id, &answered.answer, moment),
        Subject::Refund(id) => account.refund_answered(id, &answered.answer, moment),
    });
    let Some(Some(steps)) = taken else {
        // Somebody else, another replica or an earlier attempt, has brought this answer already.
        return Decided::only(Reply::Answered);
    };
    let mut ended = Vec::new();
    for step in steps {
        ended.extend(settle(books, &key, step, waiters));
    }
    ended.extend(rested(books, &key, &answered.subject));
    let (tasks, told) = books.follow_up(&key);
    Decided { reply: Reply::Answered, tasks, ended, told }
}

/// The gateway's own book, taken over where ours is behind it.
pub fn observe(
    books: &mut Books,
    observed: &Observed,
    (gateways, waiters): (&Gateways, &Waiters),
    moment: Moment<'_>,
) -> Decided {
    let key = (observed.tenant.clone(), observed.order_id.clone());
    let siblings = books.siblings.get(&(observed.tenant.clone(), observed.payment_id.clone()));
    let taken = match &observed.report {
        Report::Statement(statement) => books.accounts.update(&key, |account| {
            let own = siblings.map(|siblings| siblings.left_out_of(statement));
            let own = own.as_ref().unwrap_or(statement);
            let known = account.payments.contains_key(&observed.payment_id);
            known.then(|| account.observe(&observed.payment_id, own, moment))
        }),
        Report::Silence { detail } => books.accounts.update(&key, |account| {
            let known = account.payments.contains_key(&observed.payment_id);
            known.then(|| account.gateway_is_silent(&observed.payment_id, detail))
        }),
        Report::Read { gateway, reading } => {
            let read = adoptions::read(books, &key, observed, (gateway, reading), (gateways, moment));
            Some(read.map(|read| domain::Observed { changed: true, later: false, ended: read.ended }))
        }
    };
    let Some(Some(found)) = taken else {
        return Decided::only(Reply::Observed { changed: false, later: false });
    };
    let mut ended = Vec::new();
    for step in found.ended {
        ended.extend(settle(books, &key, step, waiters));
    }
    ended.extend(rested(books, &key, &Subject::Payment(observed.payment_id.clone())));
    let (tasks, told) = books.follow_up(&key);
    let reply = Reply::Observed { changed: found.changed, later: found.later };
    Decided { reply, tasks, ended, told }
}

/// Ends a pending step in the transaction that ends its money. A step that was undone meanwhile
/// stays undone: what the answer brought was given back by the account itself.
fn settle(
    books: &mut Books,
    key: &OrderKey,
    ended: Ended,
    waiters: &Waiters,
) -> Option<(Awaited, StepAnswer)> {
    let Origin::Step { saga_id, step } = ended.origin else { return None };
    let (outcome, bytes, answer) = match ended.ending {
        Ending::Applied(reply) => {
            let reply = told_with(books, key, &saga_id, reply);
            let bytes = reply::encode(&reply);
            (Outcome::Applied, bytes.clone(), StepAnswer::Applied(bytes))
        }
        Ending::Rejected(refusal) => {
            (Outcome::Rejected, kit::answer::encode(&refusal), StepAnswer::Refused(refusal))
        }
    };
    if !books.ledger.settle(&key.0, &saga_id, &step, outcome, bytes) {
        return None;
    }
    let awaited = Awaited::Step { tenant: key.0.clone(), saga_id, step };
    if !waiters.promise(&awaited)
        && let Awaited::Step { saga_id, step, .. } = &awaited
    {
        let event = Event::StepSettled { saga_id: saga_id.clone(), step: step.clone() };
        books.accounts.update(key, |account| account.tell(event)).expect("its answer was just taken");
    }
    Some((awaited, answer))
}

/// A client waits for its payment to rest; it reads the payment itself, so the answer is empty.
fn rested(books: &Books, key: &OrderKey, subject: &Subject) -> Option<(Awaited, StepAnswer)> {
    let account = books.accounts.get(key)?;
    let payment_id = match subject {
        Subject::Payment(id) => id.clone(),
        Subject::Capture(id) => account.captures.get(id)?.payment_id.clone(),
        Subject::Refund(_) => return None,
    };
    let moving = account.is_moving(&payment_id);
    let awaited = Awaited::Payment { tenant: key.0.clone(), payment_id };
    (!moving).then_some((awaited, StepAnswer::Applied(Vec::new())))
}
