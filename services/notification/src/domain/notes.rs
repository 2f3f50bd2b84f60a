//! What people write about an order, told to those who may read it and did not write it.

use super::event::{Note, OrderPicture, Readers};
use super::message::{Audience, Message, Template};
use super::words;

pub fn added(order: &OrderPicture, note: &Note) -> Vec<Message> {
    let audiences: &[Audience] = match note.readers {
        // A note among our own people is read where it stands.
        Readers::Staff => &[],
        Readers::Parties | Readers::Everybody => &[Audience::Buyer, Audience::Supplier],
    };
    let subject = format!("A message about order {}", words::quoted(&order.number));
    let body = format!("The {} wrote: {}", words::quoted(&note.written_by), words::quoted(&note.text));
    let others = audiences.iter().filter(|audience| audience.as_str() != note.written_by);
    others.map(|audience| Message::new(Template::OrderMessage, *audience, &subject, &body)).collect()
}
