//! Changes as they are shown: with the number and currency of their order, and the progress of their saga.

use saga::{Log, Registry, Shape, progress};
use storage::{DbError, Direction, Tx};

use crate::domain::change::{ChangeOrder, ChangeState, ChangeView, Steps};
use crate::domain::order::Order;
use crate::domain::propagation::targets_of;
use crate::ops::books::Books;
use crate::ops::plans;
use crate::ports::Ports;

/// The view of a change in the overlay.
pub fn of_books(
    registry: &Registry<Ports, Books>,
    books: &Books,
    order: &Order,
    change: &ChangeOrder,
) -> ChangeView {
    let key = saga::SagaKey::new(change.tenant.clone(), change.saga_id.clone());
    let steps = books.sagas.get(&key).and_then(|row| {
        let shape = registry.shape(&row.definition, row.version)?;
        Some(steps(shape, books.sagas.log(&key)?))
    });
    view(order, change, steps.unwrap_or_default())
}

/// The view of a stored change. The saga of a change that has ended is not read.
pub async fn of_store(
    tx: &mut Tx,
    registry: &Registry<Ports, Books>,
    order: &Order,
    change: ChangeOrder,
) -> Result<ChangeView, DbError> {
    if change.state.is_final() {
        let (definition, version) = plans::table_of(&change);
        let shape = registry.shape(definition, version);
        let steps = shape.map_or_else(Steps::default, |shape| ended(shape, change.state));
        return Ok(view(order, &change, steps));
    }
    let key = saga::SagaKey::new(change.tenant.clone(), change.saga_id.clone());
    let steps = saga::query::get(tx, &key).await?.and_then(|image| {
        let shape = registry.shape(&image.row.definition, image.row.version)?;
        Some(steps(shape, &image.log))
    });
    Ok(view(order, &change, steps.unwrap_or_default()))
}

fn view(order: &Order, change: &ChangeOrder, steps: Steps) -> ChangeView {
    ChangeView {
        legs: targets_of(order, change),
        change: ChangeOrder { refund_owed_minor: owed_still(order, change), ..change.clone() },
        order_number: order.number.clone(),
        currency: order.currency,
        steps,
    }
}

/// What a change left owed, but no more than the whole order is still owed.
fn owed_still(order: &Order, change: &ChangeOrder) -> i64 {
    let owed = order.owed();
    if owed.pending { change.refund_owed_minor } else { change.refund_owed_minor.min(owed.minor) }
}

fn steps(shape: &Shape, log: &Log) -> Steps {
    let standing =
        |step: &str| log.applied(step) && log.outcome(step, Direction::Undo) != Some(saga::Outcome::Applied);
    let done = shape.steps().chain([shape.pivot]).filter(|step| standing(step)).count();
    let current = match progress::next(shape, log) {
        progress::Next::Do(step) | progress::Next::Undo(step) => step,
        progress::Next::Pivot => shape.pivot,
        progress::Next::Forward(steps) => steps.first().copied().unwrap_or_default(),
        progress::Next::Finish | progress::Next::Unwound | progress::Next::Done => "",
    };
    Steps { current: current.to_owned(), done: count(done), total: total(shape) }
}

fn ended(shape: &Shape, state: ChangeState) -> Steps {
    let completed = matches!(state, ChangeState::Completed | ChangeState::CompletedWithExceptions);
    let total = total(shape);
    Steps { current: String::new(), done: if completed { total } else { 0 }, total }
}

/// Every remote step and the pivot.
fn total(shape: &Shape) -> i32 {
    count(shape.steps().count() + 1)
}

fn count(steps: usize) -> i32 {
    i32::try_from(steps).expect("a saga has a handful of steps")
}
