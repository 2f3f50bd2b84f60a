//! The overlay of messages and folders. They are decided in the same batch as orders, and never touch an order's quantities or
//! money.

use std::collections::BTreeSet;

use storage::{DbError, Overlay, Table, Tx};
use types::{FolderId, MessageId, Tenant};

use crate::domain::conversation::Message;
use crate::domain::folders::{Folder, Placed};
use crate::store::folders::FolderKey;
use crate::store::keys::OrderKey;
use crate::store::messages::MessageKey;
use crate::store::{folders as folder_store, messages as message_store};

/// The keys of what has to be read.
#[derive(Default)]
pub struct DeskKeys {
    pub folders_of: BTreeSet<Tenant>,
    pub placed: BTreeSet<OrderKey>,
    /// Messages that a request names as proof that the supplier was contacted.
    pub messages: BTreeSet<MessageKey>,
}

/// Messages, folders and the places of orders, as read and changed in memory.
#[derive(Default)]
pub struct Desk {
    pub messages: Table<MessageKey, Message>,
    pub folders: Table<FolderKey, Folder>,
    pub placed: Table<OrderKey, Placed>,
}

impl Overlay for Desk {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { messages, folders, placed } = self;
        vec![messages, folders, placed]
    }
}

impl Desk {
    pub async fn load(tx: &mut Tx, needed: &DeskKeys) -> Result<Self, DbError> {
        let mut desk = Self::default();
        for folder in folder_store::of_tenants(tx, &needed.folders_of).await? {
            desk.folders.load((folder.tenant.clone(), folder.folder_id.clone()), folder);
        }
        for placed in folder_store::load_placed(tx, &needed.placed).await? {
            desk.placed.load((placed.tenant.clone(), placed.order_id.clone()), placed);
        }
        for message in message_store::load(tx, &needed.messages).await? {
            desk.messages.load((message.tenant.clone(), message.message_id.clone()), message);
        }
        Ok(desk)
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        message_store::flush(tx, &self.messages).await?;
        folder_store::flush(tx, &self.folders).await?;
        folder_store::flush_placed(tx, &self.placed).await?;
        Ok(())
    }

    pub fn message(&self, tenant: &Tenant, message_id: &MessageId) -> Option<&Message> {
        self.messages.get(&(tenant.clone(), message_id.clone()))
    }

    pub fn live_folder(&self, tenant: &Tenant, folder_id: &FolderId) -> Option<&Folder> {
        let folder = self.folders.get(&(tenant.clone(), folder_id.clone()));
        folder.filter(|folder| folder.deleted_at.is_none())
    }
}
