//! What a carrier or a partner said, taken in with everything that follows from it.

use storage::{DbError, Direction};

use super::books::{Books, Cause, Stop};
use super::command::{Errand, Reply, Said};
use super::settling::{Change, conclude};
use crate::domain::Moment;
use crate::store::stock::Origin;

/// An answer that somebody else has brought already changes nothing.
pub fn decide(books: &mut Books, errand: &Errand, moment: Moment<'_>) -> Result<Reply, DbError> {
    let key = (errand.tenant.clone(), errand.order_id.clone());
    let Some(before) = books.goods.get(&key).cloned() else { return Ok(Reply::Errand) };
    let mut goods = before.clone();
    let (taken, origin) = match &errand.said {
        Said::Carrier { label_id, answer } => {
            let voider = goods.labels.get(label_id).and_then(|label| label.voider.clone());
            let origin = voider.map(|voider| Origin {
                saga_id: voider.by,
                step: voider.step,
                direction: Direction::Do,
            });
            (goods.carrier_answered(label_id, answer, moment.at), origin)
        }
        Said::Partner { task_id, answer } => {
            let taken =
                goods.partner_answered(task_id, answer, books.integrations(&errand.tenant), moment.at);
            (taken, None)
        }
    };
    if !taken {
        return Ok(Reply::Errand);
    }
    let nobody = Origin { saga_id: String::new(), step: String::new(), direction: Direction::Do };
    let cause = Cause { origin: origin.unwrap_or(nobody), moment, traceparent: None };
    let movements = match &errand.said {
        Said::Carrier { .. } => goods.put_back(books.warehouses(&errand.tenant), None),
        Said::Partner { .. } => Vec::new(),
    };
    let change = Change { movements, ..Change::of(before, goods) };
    match conclude(books, &key, change, errand.saga_id.as_deref(), &cause) {
        Ok(()) => Ok(Reply::Errand),
        Err(Stop::Refused(refusal)) => {
            unreachable!("what was said outside is never refused: {refusal}")
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}
