//! Folders, and moving orders between them.

use std::collections::{BTreeMap, BTreeSet};

use kit::{Failure, Principal};
use types::{FolderId, OrderId, RequestId};

use crate::domain::folders::{Folder, FolderName, FolderWish, Placed};
use crate::ops::calls::asking::{asked, unexpected};
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Asked, DeskAnswer, DeskWish};
use crate::store::folders as store;
use crate::store::keys::OrderKey;

impl Orders {
    pub async fn upsert_folder(
        &self,
        principal: &Principal,
        request_id: RequestId,
        wish: FolderWish,
    ) -> Result<Folder, Failure> {
        let position = wish.position.to_string();
        let folder_id = wish.folder_id.as_ref().map_or("", FolderId::as_str);
        let content = [folder_id, &wish.name, &position].map(str::as_bytes);
        let asked = asked(principal, "UpsertFolder", request_id, &content);
        self.folder_of(principal, asked, DeskWish::UpsertFolder(wish)).await
    }

    pub async fn delete_folder(
        &self,
        principal: &Principal,
        request_id: RequestId,
        folder_id: FolderId,
    ) -> Result<Folder, Failure> {
        let asked = asked(principal, "DeleteFolder", request_id, &[folder_id.as_str().as_bytes()]);
        self.folder_of(principal, asked, DeskWish::DeleteFolder(folder_id)).await
    }

    pub async fn move_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        order_id: OrderId,
        folder_id: Option<FolderId>,
        depth: i64,
    ) -> Result<(Placed, Option<FolderName>), Failure> {
        let to = folder_id.as_ref().map_or("", FolderId::as_str);
        let asked = asked(principal, "MoveOrder", request_id, &[order_id.as_str().as_bytes(), to.as_bytes()]);
        let wish = DeskWish::MoveOrder { order_id: order_id.clone(), folder_id, depth };
        match self.ask_desk(asked, wish).await? {
            Ok(DeskAnswer::Moved(placed, folder)) => Ok((placed, folder.as_ref().map(Folder::named))),
            Ok(DeskAnswer::Message(_) | DeskAnswer::Folder(_)) => Err(unexpected()),
            Err(_) => self.folder_of_order(principal, &order_id).await,
        }
    }

    /// All folders, by position and name, with how many orders stand in each.
    pub async fn folders(&self, principal: &Principal) -> Result<Vec<(Folder, i64)>, Failure> {
        let tenant = &principal.tenant;
        let (mut folders, counts) = self
            .reading(async |tx| {
                let folders = store::of_tenants(tx, &BTreeSet::from([tenant.clone()])).await?;
                Ok((folders, store::counts(tx, tenant).await?))
            })
            .await?;
        folders.sort_by(|one, other| (one.position, &one.name).cmp(&(other.position, &other.name)));
        let counted = |folder: Folder| {
            let count = counts.get(&folder.folder_id).copied().unwrap_or(0);
            (folder, count)
        };
        Ok(folders.into_iter().map(counted).collect())
    }

    /// The folders of those of these orders that stand in one.
    pub async fn folders_of_orders(
        &self,
        principal: &Principal,
        orders: impl IntoIterator<Item = OrderId>,
    ) -> Result<BTreeMap<OrderId, FolderName>, Failure> {
        let keys: BTreeSet<OrderKey> =
            orders.into_iter().map(|order_id| (principal.tenant.clone(), order_id)).collect();
        self.reading(async |tx| store::names(tx, &keys).await).await
    }

    async fn folder_of_order(
        &self,
        principal: &Principal,
        order_id: &OrderId,
    ) -> Result<(Placed, Option<FolderName>), Failure> {
        let keys = BTreeSet::from([(principal.tenant.clone(), order_id.clone())]);
        let (placed, mut names) = self
            .reading(async |tx| {
                Ok((store::load_placed(tx, &keys).await?.pop(), store::names(tx, &keys).await?))
            })
            .await?;
        let placed = placed.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))?;
        Ok((placed, names.remove(order_id)))
    }

    async fn folder_of(
        &self,
        principal: &Principal,
        asked: Asked,
        wish: DeskWish,
    ) -> Result<Folder, Failure> {
        match self.ask_desk(asked, wish).await? {
            Ok(DeskAnswer::Folder(folder)) => Ok(folder),
            Ok(DeskAnswer::Message(_) | DeskAnswer::Moved(..)) => Err(unexpected()),
            Err(resource) => {
                let id = FolderId::parse(&resource).map_err(Failure::internal)?;
                let key = (principal.tenant.clone(), id);
                let found = self.reading(async |tx| store::find(tx, &key).await).await?;
                found.ok_or_else(|| Failure::not_found("Folder", resource))
            }
        }
    }
}
