//! What is only looked at: each answer from one snapshot, nothing locked.

use storage::DbError;
use types::{FulfilmentId, OrderId, Refusal, Tenant};

use super::command::ShownFulfilment;
use super::fulfilling::no_such_fulfilment;
use super::inventory::Inventory;
use crate::domain::{Goods, Sku, Stock, Warehouse, WarehouseId};
use crate::store::lists::{self, LedgerLine};
use crate::store::{fulfilments, goods};

impl Inventory {
    pub async fn list_warehouses(
        &self,
        tenant: &Tenant,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(WarehouseId, Warehouse)>, DbError> {
        let mut tx = self.database.read().await?;
        lists::list_warehouses(&mut tx, tenant, after, limit).await
    }

    pub async fn get_stock(
        &self,
        tenant: &Tenant,
        sku: &Sku,
        warehouse_id: Option<&WarehouseId>,
    ) -> Result<Vec<(WarehouseId, Stock)>, DbError> {
        let mut tx = self.database.read().await?;
        lists::get_stock(&mut tx, tenant, sku, warehouse_id).await
    }

    pub async fn list_ledger(
        &self,
        tenant: &Tenant,
        warehouse_id: &WarehouseId,
        sku: &Sku,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LedgerLine>, DbError> {
        let mut tx = self.database.read().await?;
        lists::list_ledger(&mut tx, tenant, warehouse_id, sku, after, limit).await
    }

    /// None for an order that never had goods here.
    pub async fn goods(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Option<Goods>, DbError> {
        let mut tx = self.database.read().await?;
        goods::read(&mut tx, tenant, order_id).await
    }

    pub async fn fulfilment(
        &self,
        tenant: &Tenant,
        id: &FulfilmentId,
    ) -> Result<Result<ShownFulfilment, Refusal>, DbError> {
        let mut tx = self.database.read().await?;
        let key = (tenant.clone(), id.clone());
        let order = fulfilments::orders(&mut tx, &[key.clone()].into()).await?.remove(&key);
        let goods = match order {
            Some(order) => goods::read(&mut tx, tenant, &order).await?,
            None => None,
        };
        let shown = goods.and_then(|goods| ShownFulfilment::of(&goods, id));
        Ok(shown.ok_or_else(|| no_such_fulfilment(id)))
    }
}
