//! Values that several messages carry.

use kit::answer::to_wire;
use proto::common::v1 as common;
use proto::order::v1 as wire;
use types::Timestamp;
use types::text::display;

use crate::domain::attention::AttentionItem;
use crate::domain::order::{Actor, ExternalReference};

pub fn actor(actor: &Actor) -> common::Actor {
    common::Actor {
        user: display(&actor.user),
        organisation: display(&actor.organisation),
        role: display(&actor.role),
    }
}

pub fn external_reference(external: &ExternalReference) -> common::ExternalReference {
    common::ExternalReference { system: external.system.clone(), reference: external.reference.clone() }
}

/// An instant that may not have come yet; the wire has no other word for that than no text.
pub fn timestamp(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| at.to_string())
}

pub fn attention(item: &AttentionItem) -> wire::AttentionItem {
    wire::AttentionItem {
        attention_id: item.attention_id.to_string(),
        subject_type: item.subject_type.clone(),
        subject_id: item.subject_id.clone(),
        order_id: item.order_id.as_ref().map_or_else(String::new, ToString::to_string),
        change_order_id: item.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
        cause: Some(to_wire(&item.cause)),
        allowed_actions: item.allowed_actions.clone(),
        opened_at: item.opened_at.to_string(),
        closed_at: timestamp(item.closed_at),
        closed_by: display(&item.closed_by),
        closing_note: display(&item.closing_note),
    }
}
