//! Folders, and moving orders between them.

use types::{FolderId, OrderId, Refusal};

use super::put;
use crate::domain::folders::{self, Folder, FolderWish};
use crate::ops::books::Books;
use crate::ops::command::{Asked, DeskAnswer};
use crate::store::keys::OrderKey;

pub fn upsert(books: &mut Books, asked: &Asked, wish: &FolderWish) -> Result<(DeskAnswer, String), Refusal> {
    let of_tenant = books.desk.folders.iter().filter(|((tenant, _), _)| *tenant == asked.tenant);
    let known: Vec<Folder> = of_tenant.map(|(_, folder)| folder.clone()).collect();
    let folder = folders::upsert(&asked.tenant, wish, &known, books.ids.mint(), books.now)?;
    Ok(kept(books, folder))
}

/// Orders are not touched: where the folder stood, they stand in none.
pub fn delete(
    books: &mut Books,
    asked: &Asked,
    folder_id: &FolderId,
) -> Result<(DeskAnswer, String), Refusal> {
    let folder = known(books, asked, folder_id)?.deleted(books.now);
    Ok(kept(books, folder))
}

pub fn move_order(
    books: &mut Books,
    asked: &Asked,
    order_id: &OrderId,
    folder_id: Option<&FolderId>,
    depth: i64,
) -> Result<(DeskAnswer, String), Refusal> {
    let key: OrderKey = (asked.tenant.clone(), order_id.clone());
    let order = books.orders.get(&key).cloned();
    let order = order.ok_or_else(|| Refusal::not_found("Order", order_id.as_str()))?;
    let after = folder_id.map(|id| known(books, asked, id)).transpose()?;
    let stands_in = books.desk.placed.get(&key).and_then(|placed| placed.folder_id.clone());
    let before = stands_in.and_then(|id| books.desk.live_folder(&asked.tenant, &id).cloned());
    let actor = asked.actor.clone();
    let (placed, happened) =
        folders::move_order(&order, before.as_ref(), after.as_ref(), depth, actor, books.now);
    books.put(order, None, happened, asked.traceparent.as_deref());
    put(&mut books.desk.placed, key, placed.clone());
    Ok((DeskAnswer::Moved(placed, after), order_id.to_string()))
}

fn known(books: &Books, asked: &Asked, folder_id: &FolderId) -> Result<Folder, Refusal> {
    let folder = books.desk.live_folder(&asked.tenant, folder_id).cloned();
    folder.ok_or_else(|| Refusal::not_found("Folder", folder_id.as_str()))
}

fn kept(books: &mut Books, folder: Folder) -> (DeskAnswer, String) {
    let key = (folder.tenant.clone(), folder.folder_id.clone());
    put(&mut books.desk.folders, key, folder.clone());
    let resource = folder.folder_id.to_string();
    (DeskAnswer::Folder(folder), resource)
}
