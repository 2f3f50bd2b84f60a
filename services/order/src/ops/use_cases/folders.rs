//! Folders, and moving orders between them: UpsertFolder, DeleteFolder, MoveOrder.

use storage::Table;
use types::{Fingerprint, FolderId, OrderId, Refusal, Tenant};

use super::{Resource, UseCase, Work};
use crate::domain::folders::{self, Folder, FolderName, FolderWish, Placed};
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::store::keys::OrderKey;

pub struct UpsertFolder(pub FolderWish);

/// Orders are not touched: where the folder stood, they stand in none.
pub struct DeleteFolder {
    pub folder_id: FolderId,
}

pub struct MoveOrder {
    pub order_id: OrderId,
    /// None takes the order out of its folder.
    pub folder_id: Option<FolderId>,
    /// How many rules in a row led to it.
    pub depth: i64,
}

/// Where an order stands now.
#[derive(Debug)]
pub struct Moved {
    pub placed: Placed,
    pub folder: Option<FolderName>,
}

impl Resource for Folder {
    fn resource_id(&self) -> String {
        self.folder_id.to_string()
    }
}

impl Resource for Moved {
    fn resource_id(&self) -> String {
        self.placed.order_id.to_string()
    }
}

impl UseCase for UpsertFolder {
    const METHOD: &'static str = "UpsertFolder";
    type Answer = Folder;

    fn content(&self) -> Fingerprint {
        let position = self.0.position.to_string();
        let folder_id = self.0.folder_id.as_ref().map_or("", FolderId::as_str);
        Fingerprint::of(&[folder_id, &self.0.name, &position].map(str::as_bytes))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.desk.folders_of.insert(tenant.clone());
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Folder, Refusal> {
        let tenant = &work.asked.tenant;
        let of_tenant = work.books.desk.folders.iter().filter(|((other, _), _)| other == tenant);
        let known: Vec<Folder> = of_tenant.map(|(_, folder)| folder.clone()).collect();
        let folder = folders::upsert(tenant, &self.0, &known, work.books.ids.mint(), work.books.now)?;
        Ok(keep(work, folder))
    }
}

impl UseCase for DeleteFolder {
    const METHOD: &'static str = "DeleteFolder";
    type Answer = Folder;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.folder_id.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.desk.folders_of.insert(tenant.clone());
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Folder, Refusal> {
        let folder = known(work, &self.folder_id)?.deleted(work.books.now);
        Ok(keep(work, folder))
    }
}

impl UseCase for MoveOrder {
    const METHOD: &'static str = "MoveOrder";
    type Answer = Moved;

    fn content(&self) -> Fingerprint {
        let to = self.folder_id.as_ref().map_or("", FolderId::as_str);
        Fingerprint::of(&[self.order_id.as_str().as_bytes(), to.as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.order_id);
        wanted.desk.placed.insert((tenant.clone(), self.order_id.clone()));
        wanted.desk.folders_of.insert(tenant.clone());
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Moved, Refusal> {
        let tenant = &work.asked.tenant;
        let key: OrderKey = (tenant.clone(), self.order_id.clone());
        let order = work.order(&self.order_id)?;
        let after = self.folder_id.as_ref().map(|id| known(work, id)).transpose()?;
        let stands_in = work.books.desk.placed.get(&key).and_then(|placed| placed.folder_id.clone());
        let before = stands_in.and_then(|id| work.books.desk.live_folder(tenant, &id).cloned());
        let actor = work.asked.actor.clone();
        let (placed, happened) =
            folders::move_order(&order, before.as_ref(), after.as_ref(), self.depth, actor, work.books.now);
        work.put(order, None, happened);
        put(&mut work.books.desk.placed, key, placed.clone());
        Ok(Moved { placed, folder: after.as_ref().map(Folder::named) })
    }
}

fn known(work: &Work<'_>, folder_id: &FolderId) -> Result<Folder, Refusal> {
    let folder = work.books.desk.live_folder(&work.asked.tenant, folder_id).cloned();
    folder.ok_or_else(|| Refusal::not_found("Folder", folder_id.as_str()))
}

fn keep(work: &mut Work<'_>, folder: Folder) -> Folder {
    let key = (folder.tenant.clone(), folder.folder_id.clone());
    put(&mut work.books.desk.folders, key, folder.clone());
    folder
}

/// Puts a row into a table, whether it is there or not.
fn put<K: Ord + Clone, V: Clone + PartialEq>(table: &mut Table<K, V>, key: K, value: V) {
    if table.contains(&key) {
        table.update(&key, |row| *row = value).expect("the row was just found");
    } else {
        table.insert(key, value);
    }
}
