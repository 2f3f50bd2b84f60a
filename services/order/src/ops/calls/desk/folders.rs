//! Folders, and which orders stand in them.

use std::collections::{BTreeMap, BTreeSet};

use kit::{Failure, Principal};
use types::{FolderId, OrderId, Tenant};

use crate::domain::folders::{Folder, FolderName};
use crate::ops::calls::orders::Orders;
use crate::ops::use_cases::Moved;
use crate::store::folders as store;
use crate::store::keys::OrderKey;

impl Orders {
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

    /// The folder of each of these orders that stands in one.
    pub async fn folders_of_orders(
        &self,
        principal: &Principal,
        orders: impl IntoIterator<Item = OrderId>,
    ) -> Result<BTreeMap<OrderId, FolderName>, Failure> {
        let keys: BTreeSet<OrderKey> =
            orders.into_iter().map(|order_id| (principal.tenant.clone(), order_id)).collect();
        self.reading(async |tx| store::names(tx, &keys).await).await
    }

    pub async fn folder_of_order(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Moved, Failure> {
        let keys = BTreeSet::from([(tenant.clone(), order_id.clone())]);
        let (placed, mut names) = self
            .reading(async |tx| {
                Ok((store::load_placed(tx, &keys).await?.pop(), store::names(tx, &keys).await?))
            })
            .await?;
        let placed = placed.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))?;
        Ok(Moved { placed, folder: names.remove(order_id) })
    }

    /// A folder, deleted or not.
    pub async fn folder(&self, tenant: &Tenant, folder_id: &FolderId) -> Result<Folder, Failure> {
        let key = (tenant.clone(), folder_id.clone());
        let found = self.reading(async |tx| store::find(tx, &key).await).await?;
        found.ok_or_else(|| Failure::not_found("Folder", folder_id.as_str()))
    }
}
