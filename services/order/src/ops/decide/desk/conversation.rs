//! Notes and messages.

use types::Refusal;

use crate::domain::conversation::{self, NewMessage};
use crate::domain::readers::Reader;
use crate::ops::books::Books;
use crate::ops::command::{Asked, DeskAnswer};

pub fn add(books: &mut Books, asked: &Asked, new: &NewMessage) -> Result<(DeskAnswer, String), Refusal> {
    let order = books.orders.get(&(asked.tenant.clone(), new.order_id.clone())).cloned();
    let order = order.ok_or_else(|| Refusal::not_found("Order", new.order_id.as_str()))?;
    let change = match &new.change_order_id {
        None => None,
        Some(id) => {
            let change = books.changes.get(&(asked.tenant.clone(), id.clone())).cloned();
            Some(change.ok_or_else(|| Refusal::not_found("ChangeOrder", id.as_str()))?)
        }
    };
    let minted = books.ids.mint();
    let reach = books.policies.shelf(&asked.tenant).of(&order).grants(&asked.actor.role).reach;
    let reader = Reader::of(reach, &asked.actor, &order);
    let (message, happened) =
        conversation::write(&order, change.as_ref(), new, minted, (asked.actor.clone(), reader), books.now)?;
    books.put(order, None, happened, asked.traceparent.as_deref());
    let key = (message.tenant.clone(), message.message_id.clone());
    books.desk.messages.insert(key, message.clone());
    let resource = message.message_id.to_string();
    Ok((DeskAnswer::Message(message), resource))
}
