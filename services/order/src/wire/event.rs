//! Facts as events: the full name of the payload's message, and the payload.

use kit::answer::to_wire;
use prost::Message;
use proto::events::v1 as events;

use super::change::change_order;
use super::order::{order_state, summary};
use crate::domain::change::{ChangeOrder, Steps};
use crate::domain::history::Fact;
use crate::domain::order::Summary;

/// The type and the encoded payload of the event that tells a fact.
pub fn event(fact: &Fact) -> (&'static str, Vec<u8>) {
    match fact {
        Fact::OrderPlaced { order } => (
            "countermand.events.v1.OrderPlaced",
            events::OrderPlaced { order: Some(summary(order)) }.encode_to_vec(),
        ),
        Fact::OrderPlacementFailed { order, cause } => {
            let event =
                events::OrderPlacementFailed { order: Some(summary(order)), cause: Some(to_wire(cause)) };
            ("countermand.events.v1.OrderPlacementFailed", event.encode_to_vec())
        }
        Fact::OrderProgressed { order, before } => {
            let event =
                events::OrderProgressed { order: Some(summary(order)), before: order_state(*before).into() };
            ("countermand.events.v1.OrderProgressed", event.encode_to_vec())
        }
        Fact::ChangeAccepted { change, order } => (
            "countermand.events.v1.ChangeOrderAccepted",
            events::ChangeOrderAccepted { change_order: Some(of(change, order)) }.encode_to_vec(),
        ),
        Fact::ChangeCommitted { change, before, after } => {
            let event = events::ChangeOrderCommitted {
                change_order: Some(of(change, after)),
                before: Some(summary(before)),
                after: Some(summary(after)),
            };
            ("countermand.events.v1.ChangeOrderCommitted", event.encode_to_vec())
        }
        Fact::AttentionOpened { item } => {
            let event = events::AttentionOpened {
                attention_id: item.attention_id.to_string(),
                order_id: item.order_id.as_ref().map_or_else(String::new, ToString::to_string),
                change_order_id: item.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
                cause: Some(to_wire(&item.cause)),
            };
            ("countermand.events.v1.AttentionOpened", event.encode_to_vec())
        }
        Fact::ChangeRejected { change, order } => (
            "countermand.events.v1.ChangeOrderRejected",
            events::ChangeOrderRejected { change_order: Some(of(change, order)) }.encode_to_vec(),
        ),
        Fact::ChangeCompleted { change, order } => (
            "countermand.events.v1.ChangeOrderCompleted",
            events::ChangeOrderCompleted { change_order: Some(of(change, order)) }.encode_to_vec(),
        ),
    }
}

/// An event tells what was decided, not how far the saga has come.
fn of(change: &ChangeOrder, order: &Summary) -> proto::order::v1::ChangeOrder {
    change_order(change, &order.number, order.currency, &Steps::default())
}
