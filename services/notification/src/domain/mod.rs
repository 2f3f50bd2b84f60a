//! Who is told what: pure rules from an event to its messages.
//!
//! It never holds input or output, SQL, a wire message or the time.

mod address;
mod amendments;
mod attention;
mod changes;
mod delivery;
mod event;
mod lint;
mod mail;
mod message;
mod notes;
mod notification;
mod orders;
mod render;
mod returns;
mod samples;
pub mod webhook;
mod words;

pub use address::{Choice, Locale, Preference, Recipient, Scope, choose};
pub use delivery::State as DeliveryState;
pub use delivery::{Delivery, Next, Outcome, Outlet, Progress, SuppressionCause};
pub use event::{AttentionItem, Cause, Event, OrderPicture, OrderState, Refund, RefundState};
pub use event::{Change, ChangeKind, ChangeLine, Dropped, Letter, Settlement};
pub use event::{Note, Readers, ReturnLine, ReturnMove, Returned};
pub use lint::{Lint, lint};
pub use mail::{Mail, MailTemplate, Owed, digest, letter, mails};
pub use message::{Audience, Message, Template};
pub use notification::{Channel, GoesBy, Notification, Origin, State};
pub use render::{Rendered, Renderer, Unrenderable};
pub use samples::samples;

/// The table: what each event tells to whom. One event tells an audience one thing at most, so that
/// (event, channel, audience) names a message.
pub fn messages(event: &Event) -> Vec<Message> {
    match event {
        Event::OrderPlaced { order, .. } => orders::placed(order),
        Event::OrderPlacementFailed { order, cause } => orders::placement_failed(order, cause),
        Event::OrderProgressed { order, before } => orders::progressed(order, *before),
        Event::ChangeProposed { change } if change.kind == ChangeKind::Withdrawal => {
            changes::received(change)
        }
        Event::ChangeProposed { change } => amendments::proposed(change),
        Event::ChangeDropped { change, how } => amendments::dropped(change, *how),
        Event::ChangeAccepted { change } if change.open_until.is_some() => amendments::proposed(change),
        Event::ChangeAccepted { change } if change.kind.is_cancellation() => changes::accepted(change),
        Event::ChangeAccepted { change } => amendments::accepted(change),
        Event::ChangeCommitted { change, before, after } if change.kind.is_cancellation() => {
            changes::committed(change, before, after)
        }
        Event::ChangeCommitted { change, before, after } => amendments::committed(change, before, after),
        Event::ChangeRejected { change } if change.kind.is_cancellation() => changes::rejected(change),
        Event::ChangeRejected { change } => amendments::rejected(change),
        Event::ChangeCompleted { change } => changes::completed(change),
        // A letter goes to one address and into nobody's inbox.
        Event::PartnerToMail { .. }
        | Event::ContactNamed { .. }
        | Event::FolderChanged { .. }
        | Event::OrderExpiring { .. } => Vec::new(),
        Event::MessageAdded { order, note } => notes::added(order, note),
        Event::ReturnProgressed { order, returned, how } => returns::progressed(order, returned, *how),
        Event::AttentionOpened { item } => attention::opened(item),
    }
}

#[cfg(test)]
mod tests;
