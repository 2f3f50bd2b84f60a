//! What needs a person.

use super::event::AttentionItem;
use super::message::{Audience, Message, Template};
use super::words;

pub fn opened(item: &AttentionItem) -> Vec<Message> {
    let about = match (&item.change_order_id, &item.order_id) {
        (Some(change), _) => format!(" for {change}"),
        (None, Some(order)) => format!(" for {order}"),
        (None, None) => String::new(),
    };
    vec![Message::new(
        Template::AttentionOpened,
        Audience::Staff,
        format!("Attention needed{about}"),
        format!("{} is open: {}.", item.attention_id, words::cause_for_staff(&item.cause)),
    )]
}
