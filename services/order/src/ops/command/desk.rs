//! What people keep beside orders: messages, folders, rules.

use types::{FolderId, OrderId};

use crate::domain::conversation::{Message, NewMessage};
use crate::domain::folders::{Folder, FolderWish, Placed};

/// What may be wished for here.
pub enum DeskWish {
    AddNote(NewMessage),
    UpsertFolder(FolderWish),
    DeleteFolder(FolderId),
    /// `depth` says how many rules in a row led to it.
    MoveOrder {
        order_id: OrderId,
        folder_id: Option<FolderId>,
        depth: i64,
    },
}

/// What a wish made or changed.
#[derive(Debug, Clone)]
pub enum DeskAnswer {
    Message(Message),
    Folder(Folder),
    Moved(Placed, Option<Folder>),
}
