//! Who is told what: pure rules from an event to its messages.
//!
//! It never holds input or output, SQL, a wire message or the time.

mod attention;
mod changes;
mod delivery;
mod event;
mod message;
mod notification;
mod orders;
mod words;

pub use delivery::State as DeliveryState;
pub use delivery::{Delivery, Next, Outcome, Outlet, Progress, SuppressionCause};
pub use event::{
    AttentionItem, Cause, Change, ChangeLine, Event, OrderPicture, OrderState, Refund, RefundState,
};
pub use event::{ChangeKind, Settlement};
pub use message::{Audience, Message, Template};
pub use notification::{Channel, Notification, Origin, State};

/// The table: what each event tells to whom. One event tells an audience one thing at most, so that
/// (event, channel, audience) names a message.
pub fn messages(event: &Event) -> Vec<Message> {
    match event {
        Event::OrderPlaced { order } => orders::placed(order),
        Event::OrderPlacementFailed { order, cause } => orders::placement_failed(order, cause),
        Event::OrderProgressed { order, before } => orders::progressed(order, *before),
        Event::ChangeAccepted { change } => changes::accepted(change),
        Event::ChangeCommitted { change, before, after } => changes::committed(change, before, after),
        Event::ChangeRejected { change } => changes::rejected(change),
        Event::ChangeCompleted { change } => changes::completed(change),
        Event::AttentionOpened { item } => attention::opened(item),
    }
}

#[cfg(test)]
mod tests;
