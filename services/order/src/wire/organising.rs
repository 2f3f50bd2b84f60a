//! Messages, and where orders stand.

use proto::order::v1 as wire;
use types::text::display;

use super::shared::actor;
use super::timeline::visibility;
use crate::domain::conversation::Message;
use crate::domain::folders::{FolderName, Placed};

pub fn note(message: &Message) -> wire::Note {
    wire::Note {
        message_id: message.message_id.to_string(),
        order_id: message.order_id.to_string(),
        visibility: visibility(message.visibility).into(),
        text: display(&message.text),
        author: Some(actor(&message.author)),
        at: message.at.to_string(),
        change_order_id: message.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

pub fn order_folder(placed: &Placed, folder: Option<&FolderName>) -> wire::OrderFolder {
    wire::OrderFolder {
        order_id: placed.order_id.to_string(),
        folder_id: folder.map_or_else(String::new, |folder| folder.folder_id.to_string()),
        folder: folder.map_or_else(String::new, |folder| display(&folder.name)),
        moved_at: placed.moved_at.to_string(),
        moved_by: Some(actor(&placed.moved_by)),
    }
}
