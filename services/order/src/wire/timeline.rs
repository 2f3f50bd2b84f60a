//! Entries of the timeline.

use proto::order::v1 as wire;
use types::text::display;

use super::shared::actor;
use crate::domain::history::{Recorded, Visibility};

pub fn timeline_entry(recorded: &Recorded) -> wire::TimelineEntry {
    let entry = &recorded.entry;
    wire::TimelineEntry {
        sequence: recorded.sequence,
        at: entry.at.to_string(),
        actor: Some(actor(&entry.actor)),
        event: entry.event.clone(),
        summary: display(&entry.summary),
        visibility: visibility(entry.visibility).into(),
        change_order_id: entry.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
        saga_id: entry.saga_id.as_ref().map_or_else(String::new, ToString::to_string),
        reason_code: entry.reason_code.clone(),
        note: display(&entry.note),
    }
}

pub fn visibility(visibility: Visibility) -> wire::TimelineVisibility {
    match visibility {
        Visibility::Internal => wire::TimelineVisibility::Internal,
        Visibility::Parties => wire::TimelineVisibility::Parties,
        Visibility::Public => wire::TimelineVisibility::Public,
    }
}
