//! Writing an order's changed goods down, and ending the steps that waited for the change: in one transaction, so that a
//! saga never hears of what is not so.

use prost::Message;
use proto::common::v1::Money;
use proto::inventory::v1::{GoodsReply, LabelLeg, PartnerLeg};
use storage::{Direction, Outcome};
use types::{LabelId, PartnerTaskId};

use super::books::{Books, Cause, Stop};
use crate::domain::{Goods, Label, Movement, Stopped};
use crate::store::goods::OrderKey;

const STOP_PARTNER: &str = "stop_partner";
const VOID_LABELS: &str = "void_labels";

/// An order's goods, before and after.
pub struct Change {
    pub before: Goods,
    pub goods: Goods,
    pub movements: Vec<Movement>,
    pub tracking_number: String,
}

impl Change {
    pub fn of(before: Goods, goods: Goods) -> Self {
        Self { before, goods, movements: Vec::new(), tracking_number: String::new() }
    }
}

/// Ends what waited, tells of what has changed, and takes the goods over.
pub fn conclude(
    books: &mut Books,
    key: &OrderKey,
    mut change: Change,
    saga_id: Option<&str>,
    cause: &Cause<'_>,
) -> Result<(), Stop> {
    if let Some(saga_id) = saga_id {
        end_stop(books, key, &mut change.goods, saga_id, cause);
        end_voids(books, key, &mut change.goods, saga_id, cause);
    }
    books.tell_changes(key, &change.before, &mut change.goods, &change.tracking_number, cause);
    books.put_goods(key, change.goods, change.movements, cause)?;
    Ok(())
}

/// The partners' last word ends stop_partner. If one says no, what the others have agreed to is taken back here: a
/// refused step is not undone by its saga.
fn end_stop(books: &mut Books, key: &OrderKey, goods: &mut Goods, saga_id: &str, cause: &Cause<'_>) {
    if !is_pending(books, key, saga_id, STOP_PARTNER) {
        return;
    }
    let (outcome, reply) = match goods.stopped(saga_id) {
        Stopped::Waiting => return,
        Stopped::Agreed(tasks) => (Outcome::Applied, partners(goods, &tasks).encode_to_vec()),
        Stopped::Refused(refusal) => {
            goods.withdraw_stops(saga_id, cause.moment.at);
            (Outcome::Rejected, kit::answer::encode(&refusal))
        }
    };
    end(books, key, goods, (saga_id, STOP_PARTNER), (outcome, reply), cause);
}

fn end_voids(books: &mut Books, key: &OrderKey, goods: &mut Goods, saga_id: &str, cause: &Cause<'_>) {
    if !is_pending(books, key, saga_id, VOID_LABELS) {
        return;
    }
    let Some(ended) = goods.voids_ended(saga_id, books.warehouses(&key.0)) else { return };
    let reply = labels(&ended).encode_to_vec();
    end(books, key, goods, (saga_id, VOID_LABELS), (Outcome::Applied, reply), cause);
}

fn end(
    books: &mut Books,
    key: &OrderKey,
    goods: &mut Goods,
    (saga_id, step): (&str, &str),
    (outcome, reply): (Outcome, Vec<u8>),
    cause: &Cause<'_>,
) {
    if books.steps.settle(&key.0, saga_id, step, outcome, reply) {
        books.tell_step_settled(key, goods, (saga_id, step), cause);
    }
}

fn is_pending(books: &Books, key: &OrderKey, saga_id: &str, step: &str) -> bool {
    let row = books.steps.row(&key.0, saga_id, step, Direction::Do);
    row.is_some_and(|row| row.outcome == Outcome::Pending)
}

/// What became of each label, as the step tells it.
pub fn labels(ended: &[(&LabelId, &Label)]) -> GoodsReply {
    let legs = ended.iter().map(|(id, label)| LabelLeg {
        label_id: id.to_string(),
        tracking_number: label.tracking_number.clone(),
        state: label.state.as_str().to_owned(),
        credit: label.state.credit().map_or_else(String::new, |credit| credit.as_str().to_owned()),
        refusal: label.state.refusal().map_or_else(String::new, |refusal| refusal.as_str().to_owned()),
        cost: Some(Money {
            currency_code: label.cost.currency().code().to_owned(),
            minor_units: label.cost.minor(),
        }),
    });
    GoodsReply { labels: legs.collect(), ..GoodsReply::default() }
}

fn partners(goods: &Goods, tasks: &[PartnerTaskId]) -> GoodsReply {
    let legs = tasks.iter().map(|id| {
        let task = &goods.tasks[id];
        PartnerLeg {
            task_id: id.to_string(),
            fulfillment_id: task.fulfilment().to_owned(),
            integration: task.integration.to_string(),
            external_number: task.external_number.clone(),
            state: task.state.as_str().to_owned(),
            method: task.method.as_str().to_owned(),
        }
    });
    GoodsReply { partners: legs.collect(), ..GoodsReply::default() }
}
