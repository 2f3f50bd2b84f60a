//! Putting events that wait too long on the attention list.

use std::time::Duration;

use types::{Reason, Refusal};

use crate::ops::books::Books;
use crate::ops::books::attention::Raised;
use crate::ops::command::{Queue, Receiver};

/// Events that are older than this ask for attention.
pub const OVERDUE: Duration = Duration::from_mins(15);

/// Opens an item when events are overdue, and closes it when they leave again.
pub fn judge(books: &mut Books, queue: &Queue) {
    let Receiver { subject_type, subject_id, name } = queue.receiver;
    if queue.age < OVERDUE {
        return books.close(&queue.tenant, subject_type, subject_id);
    }
    let minutes = queue.age.as_secs() / 60;
    let message = format!("events have been waiting for {minutes} minutes to reach {name}");
    books.raise(Raised {
        tenant: queue.tenant.clone(),
        order_id: None,
        change_order_id: None,
        subject_type: subject_type.to_owned(),
        subject_id: subject_id.to_owned(),
        cause: Refusal::new(Reason::NoAnswerInTime, message),
        allowed_actions: Vec::new(),
    });
}
