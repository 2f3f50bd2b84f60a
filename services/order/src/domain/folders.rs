//! Folders that people sort orders into. Moving an order changes nothing about the order itself.

use types::{FolderId, OrderId, Reason, Refusal, Tenant, Timestamp};

use super::history::{Entry, Fact, Happened, Visibility};
use super::order::{Actor, Order};

/// The most folders a tenant may have at once.
pub const FOLDERS_MAX: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub tenant: Tenant,
    pub folder_id: FolderId,
    pub name: String,
    pub position: i64,
    pub created_at: Timestamp,
    /// Set when the folder was deleted. Its orders have been in no folder since.
    pub deleted_at: Option<Timestamp>,
}

/// A request to create a folder (without an id) or to change one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderWish {
    pub folder_id: Option<FolderId>,
    pub name: String,
    pub position: i64,
}

/// The folder of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub folder_id: Option<FolderId>,
    pub moved_at: Timestamp,
    pub moved_by: Actor,
}

/// A folder by its id and name, as events tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderName {
    pub folder_id: FolderId,
    pub name: String,
}

/// Creates or changes a folder. Its name must be free among the tenant's folders.
pub fn upsert(
    tenant: &Tenant,
    wish: &FolderWish,
    known: &[Folder],
    minted: FolderId,
    now: Timestamp,
) -> Result<Folder, Refusal> {
    let live = |folder: &&Folder| folder.deleted_at.is_none();
    let namesake = known.iter().filter(live).find(|folder| folder.name == wish.name);
    if let Some(other) = namesake
        && Some(&other.folder_id) != wish.folder_id.as_ref()
    {
        let message = format!("another folder is called {:?}", wish.name);
        return Err(Refusal::new(Reason::ExternalReferenceTaken, message)
            .field("folder.name")
            .detail("folder_id", &other.folder_id));
    }
    let Some(folder_id) = &wish.folder_id else {
        if known.iter().filter(live).count() >= FOLDERS_MAX {
            let message = format!("there are {FOLDERS_MAX} folders already");
            return Err(Refusal::new(Reason::StateConflict, message).detail("max", FOLDERS_MAX));
        }
        return Ok(Folder {
            tenant: tenant.clone(),
            folder_id: minted,
            name: wish.name.clone(),
            position: wish.position,
            created_at: now,
            deleted_at: None,
        });
    };
    let before = known.iter().filter(live).find(|folder| folder.folder_id == *folder_id);
    let before = before.ok_or_else(|| Refusal::not_found("Folder", folder_id.as_str()))?;
    Ok(Folder { name: wish.name.clone(), position: wish.position, ..before.clone() })
}

/// Moves an order to a folder. Moving it where it is already tells nothing.
pub fn move_order(
    order: &Order,
    before: Option<&Folder>,
    after: Option<&Folder>,
    depth: i64,
    mover: Actor,
    now: Timestamp,
) -> (Placed, Happened) {
    let placed = Placed {
        tenant: order.tenant.clone(),
        order_id: order.order_id.clone(),
        folder_id: after.map(|folder| folder.folder_id.clone()),
        moved_at: now,
        moved_by: mover.clone(),
    };
    if before.map(|folder| &folder.folder_id) == placed.folder_id.as_ref() {
        return (placed, Happened::default());
    }
    let summary = match after {
        Some(folder) => format!("moved to folder {:?}", folder.name),
        None => "taken out of its folder".to_owned(),
    };
    let entry =
        Entry::new(now, mover.clone(), "order.folder_changed", summary).visible_to(Visibility::Internal);
    let fact = Fact::FolderChanged {
        order: order.summary(),
        before: before.map(Folder::named),
        after: after.map(Folder::named),
        moved_by: mover,
        depth,
    };
    (placed, Happened::default().entry(entry).fact(fact))
}

impl Folder {
    pub fn named(&self) -> FolderName {
        FolderName { folder_id: self.folder_id.clone(), name: self.name.clone() }
    }

    /// Deletes the folder. Deleting it again changes nothing.
    #[must_use]
    pub fn deleted(self, now: Timestamp) -> Self {
        Self { deleted_at: self.deleted_at.or(Some(now)), ..self }
    }
}
