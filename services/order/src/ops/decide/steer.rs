//! Steering a saga that runs: taking a change back, trying again, giving up before the decision.

use saga::SagaKey;
use types::{ChangeOrderId, Reason, Refusal, SagaId};

use crate::domain::change::ChangeOrder;
use crate::domain::history::{Entry, Visibility};
use crate::domain::lifecycle::{self, Withdrawal};
use crate::domain::order::Order;
use crate::domain::policy::Permission;
use crate::domain::sides::may_withdraw;
use crate::ops::books::attention::SAGA;
use crate::ops::books::{Books, views};
use crate::ops::command::{After, Answer, Asked, Done};
use crate::ops::decide::carry;
use crate::ops::decide::context::{Context, author};
use crate::store::orders;

/// Before it was accepted a change is simply withdrawn; after that its saga puts everything back; after the decision
/// nobody can.
pub fn withdraw(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    change_order_id: &ChangeOrderId,
    note: &str,
    after: &mut After,
) -> Done {
    let not_found = || Refusal::not_found("ChangeOrder", change_order_id.as_str());
    let change_key = (asked.tenant.clone(), change_order_id.clone());
    let mut change = books.changes.get(&change_key).cloned().ok_or_else(not_found)?;
    let order_key = (asked.tenant.clone(), change.order_id.clone());
    let order = books.orders.get(&order_key).cloned().ok_or_else(not_found)?;

    let shelf = books.policies.shelf(&asked.tenant);
    may_withdraw(&order, &change, &asked.actor, shelf.of(&order))?;
    let traceparent = asked.traceparent.as_deref();
    match lifecycle::withdraw(&order, &mut change, &asked.actor, note, books.now)? {
        Withdrawal::Withdrawn(happened) => books.put(order, Some(change), happened, traceparent),
        Withdrawal::AskSaga { cause, happened } => {
            let saga = SagaKey::new(asked.tenant.clone(), change.saga_id.clone());
            books.put(order, Some(change), happened, traceparent);
            carry::turn_back(books, &saga, cause)?;
            after.due = true;
        }
        Withdrawal::UnderWay => {}
    }
    let order = books.orders.get(&order_key).ok_or_else(not_found)?;
    let change = books.changes.get(&change_key).ok_or_else(not_found)?;
    let view = views::of_books(&context.registry, books, order, change);
    Ok((Answer::Change(Box::new(view)), change_order_id.to_string()))
}

/// Asks the step that a saga stands at again, now, with the same key.
pub fn retry(books: &mut Books, asked: &Asked, saga_id: &SagaId, note: &str, after: &mut After) -> Done {
    let key = known(books, asked, saga_id)?;
    may_resolve(books, asked, &key)?;
    books.sagas.retry(&key)?;
    books.close(&key.tenant, SAGA, saga_id.as_str());
    told(books, asked, &key, "operator.retried", "an operator asked for another try", note)?;
    after.due = true;
    Ok(answer(books, &key))
}

/// Puts back what a saga has done, before its decision.
pub fn abort(books: &mut Books, asked: &Asked, saga_id: &SagaId, note: &str, after: &mut After) -> Done {
    let key = known(books, asked, saga_id)?;
    may_resolve(books, asked, &key)?;
    told(books, asked, &key, "operator.aborted", "an operator asked to put everything back", note)?;
    let message = format!("{} aborted it before its decision", asked.actor.user);
    carry::turn_back(books, &key, Refusal::new(Reason::AbortedByOperator, message))?;
    books.close(&key.tenant, SAGA, saga_id.as_str());
    after.due = true;
    Ok(answer(books, &key))
}

fn known(books: &Books, asked: &Asked, saga_id: &SagaId) -> Result<SagaKey, Refusal> {
    let key = SagaKey::new(asked.tenant.clone(), saga_id.clone());
    match books.sagas.get(&key) {
        Some(_) => Ok(key),
        None => Err(Refusal::not_found("Saga", saga_id.as_str())),
    }
}

/// Whoever steers a saga needs the permission from the policy of its order.
fn may_resolve(books: &Books, asked: &Asked, key: &SagaKey) -> Result<(), Refusal> {
    let shelf = books.policies.shelf(&asked.tenant);
    let order = subject(books, key)?.0;
    author(books, asked, shelf.of(&order)).must_have(Permission::Resolve)
}

fn subject(books: &Books, key: &SagaKey) -> Result<(Order, Option<ChangeOrder>), Refusal> {
    let row = books.sagas.get(key).expect("the saga was just found");
    books.subject(row).map_err(|error| Refusal::new(Reason::StateConflict, error.0))
}

fn told(
    books: &mut Books,
    asked: &Asked,
    key: &SagaKey,
    event: &str,
    summary: &str,
    note: &str,
) -> Result<(), Refusal> {
    let (order, change) = subject(books, key)?;
    let mut entry =
        Entry::new(books.now, asked.actor.clone(), event, summary).visible_to(Visibility::Internal);
    entry.change_order_id = change.map(|change| change.change_order_id);
    entry.saga_id = Some(key.id.clone());
    books.note(&orders::key(&order), entry.because("", note));
    Ok(())
}

fn answer(books: &Books, key: &SagaKey) -> (Answer, String) {
    let image = books.sagas.image(key).expect("the saga was just found");
    (Answer::Saga(Box::new(image)), key.id.to_string())
}
