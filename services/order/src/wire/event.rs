//! Facts as events: the full name of the payload's message, and the payload.

use kit::answer::to_wire;
use prost::Message;
use proto::events::v1 as events;
use types::OrderId;

use super::change::change_order;
use super::order::{order_state, summary};
use super::returns::order_return;
use super::shared::actor;
use super::timeline::visibility;
use crate::domain::attention::AttentionItem;
use crate::domain::change::{ChangeOrder, Steps};
use crate::domain::conversation::Message as DeskMessage;
use crate::domain::folders::FolderName;
use crate::domain::history::{Fact, Told};
use crate::domain::order::Summary;
use crate::domain::outside::PartnerMail;

/// Every type that [`event`] gives.
pub const EVENT_TYPES: [&str; 15] = [
    "countermand.events.v1.OrderPlaced",
    "countermand.events.v1.OrderPlacementFailed",
    "countermand.events.v1.OrderProgressed",
    "countermand.events.v1.ChangeOrderProposed",
    "countermand.events.v1.ChangeOrderDropped",
    "countermand.events.v1.ChangeOrderAccepted",
    "countermand.events.v1.ChangeOrderCommitted",
    "countermand.events.v1.ChangeOrderRejected",
    "countermand.events.v1.ChangeOrderCompleted",
    "countermand.events.v1.OrderFolderChanged",
    "countermand.events.v1.OrderMessageAdded",
    "countermand.events.v1.AttentionOpened",
    "countermand.events.v1.PartnerMailRequested",
    "countermand.events.v1.ReturnProgressed",
    "countermand.events.v1.OrderExpiring",
];

/// The type and the encoded payload of the event that tells a fact, with what moved.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each fact")]
pub fn event(fact: &Fact, movement: events::OrderMovement) -> (&'static str, Vec<u8>) {
    let movement = Some(movement);
    match fact {
        Fact::OrderPlaced { order, elsewhere } => {
            let event =
                events::OrderPlaced { order: Some(summary(order)), placed_elsewhere: *elsewhere, movement };
            ("countermand.events.v1.OrderPlaced", event.encode_to_vec())
        }
        Fact::OrderPlacementFailed { order, cause } => {
            let event = events::OrderPlacementFailed {
                order: Some(summary(order)),
                cause: Some(to_wire(cause)),
                movement,
            };
            ("countermand.events.v1.OrderPlacementFailed", event.encode_to_vec())
        }
        Fact::OrderProgressed { order, before } => {
            let event = events::OrderProgressed {
                order: Some(summary(order)),
                before: order_state(*before).into(),
                movement,
            };
            ("countermand.events.v1.OrderProgressed", event.encode_to_vec())
        }
        Fact::ChangeProposed { change, order } => (
            "countermand.events.v1.ChangeOrderProposed",
            events::ChangeOrderProposed { change_order: Some(of(change, order)), movement }.encode_to_vec(),
        ),
        Fact::ChangeDropped { change, order } => (
            "countermand.events.v1.ChangeOrderDropped",
            events::ChangeOrderDropped { change_order: Some(of(change, order)), movement }.encode_to_vec(),
        ),
        Fact::ChangeAccepted { change, order } => (
            "countermand.events.v1.ChangeOrderAccepted",
            events::ChangeOrderAccepted { change_order: Some(of(change, order)), movement }.encode_to_vec(),
        ),
        Fact::ChangeCommitted { change, before, after } => {
            let event = events::ChangeOrderCommitted {
                change_order: Some(of(change, after)),
                before: Some(summary(before)),
                after: Some(summary(after)),
                movement,
            };
            ("countermand.events.v1.ChangeOrderCommitted", event.encode_to_vec())
        }
        Fact::FolderChanged { order, before, after, moved_by, depth } => {
            let (before_folder_id, before_folder) = named(before.as_ref());
            let (folder_id, folder) = named(after.as_ref());
            let event = events::OrderFolderChanged {
                order: Some(summary(order)),
                folder_id,
                folder,
                before_folder_id,
                before_folder,
                moved_by: Some(actor(moved_by)),
                depth: *depth,
                movement,
            };
            ("countermand.events.v1.OrderFolderChanged", event.encode_to_vec())
        }
        Fact::MessageAdded { message, order } => (
            "countermand.events.v1.OrderMessageAdded",
            message_added(message, order, movement).encode_to_vec(),
        ),
        Fact::OrderExpiring { order, expires_at } => {
            let event = events::OrderExpiring {
                order: Some(summary(order)),
                expires_at: expires_at.to_string(),
                movement,
            };
            ("countermand.events.v1.OrderExpiring", event.encode_to_vec())
        }
        Fact::ReturnProgressed { returned, order, what } => {
            let event = events::ReturnProgressed {
                order: Some(summary(order)),
                order_return: Some(order_return(returned)),
                what: (*what).to_owned(),
                movement,
            };
            ("countermand.events.v1.ReturnProgressed", event.encode_to_vec())
        }
        Fact::PartnerMail { order_id, order_number, mail } => (
            "countermand.events.v1.PartnerMailRequested",
            partner_mail(order_id, order_number, mail, movement).encode_to_vec(),
        ),
        Fact::AttentionOpened { item } => {
            ("countermand.events.v1.AttentionOpened", attention_opened(item, movement).encode_to_vec())
        }
        Fact::ChangeRejected { change, order } => (
            "countermand.events.v1.ChangeOrderRejected",
            events::ChangeOrderRejected { change_order: Some(of(change, order)), movement }.encode_to_vec(),
        ),
        Fact::ChangeCompleted { change, order } => (
            "countermand.events.v1.ChangeOrderCompleted",
            events::ChangeOrderCompleted { change_order: Some(of(change, order)), movement }.encode_to_vec(),
        ),
    }
}

fn message_added(
    message: &DeskMessage,
    order: &Summary,
    movement: Option<events::OrderMovement>,
) -> events::OrderMessageAdded {
    events::OrderMessageAdded {
        order: Some(summary(order)),
        message_id: message.message_id.to_string(),
        visibility: visibility(message.visibility).into(),
        text: message.text.clone(),
        author: Some(actor(&message.author)),
        movement,
    }
}

fn partner_mail(
    order_id: &OrderId,
    order_number: &str,
    mail: &PartnerMail,
    movement: Option<events::OrderMovement>,
) -> events::PartnerMailRequested {
    let leg = &mail.leg;
    events::PartnerMailRequested {
        order_id: order_id.to_string(),
        order_number: order_number.to_owned(),
        change_order_id: leg.change_order_id.clone(),
        task_id: leg.task_id.clone(),
        integration: leg.integration.clone(),
        external_number: leg.external_number.clone(),
        address: mail.address.clone(),
        units: mail.units,
        reason: mail.reason.clone(),
        note: mail.note.clone(),
        deadline_at: mail.deadline_at.clone(),
        upstream: leg.is_upstream(),
        movement,
    }
}

fn attention_opened(
    item: &AttentionItem,
    movement: Option<events::OrderMovement>,
) -> events::AttentionOpened {
    events::AttentionOpened {
        attention_id: item.attention_id.to_string(),
        order_id: item.order_id.as_ref().map_or_else(String::new, ToString::to_string),
        change_order_id: item.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
        cause: Some(to_wire(&item.cause)),
        movement,
    }
}

/// A folder's id and name; both empty for none.
fn named(folder: Option<&FolderName>) -> (String, String) {
    folder.map_or_else(Default::default, |folder| (folder.folder_id.to_string(), folder.name.clone()))
}

/// A stored event with the attributes of CloudEvents.
pub fn cloud_event(told: Told) -> proto::order::v1::OrderEvent {
    proto::order::v1::OrderEvent {
        id: told.event_id.to_string(),
        source: "/countermand/order".to_owned(),
        spec_version: "1.0".to_owned(),
        r#type: told.kind,
        subject: told.order_id.to_string(),
        time: told.occurred_at.to_string(),
        trace_parent: told.traceparent.unwrap_or_default(),
        data_content_type: "application/protobuf".to_owned(),
        data: told.payload,
        sequence: told.sequence,
    }
}

/// An event tells what was decided, not how far the saga has come.
fn of(change: &ChangeOrder, order: &Summary) -> proto::order::v1::ChangeOrder {
    change_order(change, &order.number, order.currency, &Steps::default())
}
