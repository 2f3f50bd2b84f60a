//! What is only looked at: each answer from one snapshot, nothing locked.

use std::collections::{BTreeMap, BTreeSet};

use storage::DbError;
use types::{FulfilmentId, OrderId, Refusal, Tenant};

use super::command::{ShownFulfilment, ShownIntegration, ShownLabel, ShownTask};
use super::fulfilling::no_such_fulfilment;
use super::inventory::Inventory;
use crate::domain::{
    Found, Goods, IntegrationKey, Integrations, Reservable, Sku, Stock, Warehouse, WarehouseId, forecast,
};
use crate::store::lists;
pub use crate::store::lists::LedgerLine;
use crate::store::{assignments, fulfilments, goods, integrations, partner_tasks, warehouses};

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

    /// What a reservation of these lines would find now.
    /// `order_id` names the order whose units would be shipped again.
    pub async fn forecast(
        &self,
        tenant: &Tenant,
        wanted: &Reservable,
        order_id: Option<&OrderId>,
    ) -> Result<Vec<Found>, DbError> {
        let mut tx = self.database.read().await?;
        let warehouses = warehouses::load(&mut tx, &[tenant.clone()].into()).await?;
        let mut free: BTreeMap<(WarehouseId, Sku), i64> = BTreeMap::new();
        let goods = match order_id {
            Some(order_id) => goods::read(&mut tx, tenant, order_id).await?,
            None => None,
        };
        let lines = goods.iter().flat_map(|goods| goods.lines.values().map(|line| line.sku.clone()));
        let articles: BTreeSet<Sku> = wanted.lines.iter().map(|line| line.sku.clone()).chain(lines).collect();
        for sku in &articles {
            let rows = lists::get_stock(&mut tx, tenant, sku, None).await?;
            free.extend(rows.into_iter().map(|(id, stock)| ((id, sku.clone()), stock.available())));
        }
        let keys = articles.iter().map(|sku| (tenant.clone(), sku.clone())).collect();
        let assigned = assignments::load(&mut tx, &keys).await?;
        let mut wanted = wanted.clone();
        for line in wanted.lines.iter_mut().filter(|line| line.warehouse_id.is_none()) {
            line.warehouse_id = assigned.get(&(tenant.clone(), line.sku.clone())).cloned().flatten();
        }
        let all = warehouses.get(tenant).expect("a tenant that was asked for has an entry");
        let available =
            |id: &WarehouseId, sku: &Sku| free.get(&(id.clone(), sku.clone())).copied().unwrap_or(0);
        Ok(forecast(&wanted, goods.as_ref(), all, available))
    }

    /// Articles that are assigned to a warehouse, by article.
    pub async fn list_assignments(
        &self,
        tenant: &Tenant,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(Sku, WarehouseId)>, DbError> {
        let mut tx = self.database.read().await?;
        assignments::list(&mut tx, tenant, after, limit).await
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

    /// The labels of an order, with the units that no warehouse takes back.
    pub async fn labels(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Vec<ShownLabel>, DbError> {
        let mut tx = self.database.read().await?;
        let Some(goods) = goods::read(&mut tx, tenant, order_id).await? else { return Ok(Vec::new()) };
        let warehouses = warehouses::load(&mut tx, &[tenant.clone()].into()).await?;
        let all = warehouses.get(tenant).expect("a tenant that was asked for has an entry");
        Ok(goods.labels.keys().filter_map(|id| ShownLabel::of(&goods, id, all)).collect())
    }

    /// Profiles by key, or the one that is named.
    pub async fn integrations(
        &self,
        tenant: &Tenant,
        key: Option<&IntegrationKey>,
    ) -> Result<Vec<ShownIntegration>, DbError> {
        let mut tx = self.database.read().await?;
        let all = integrations::read_all(&mut tx, &[tenant.clone()].into()).await?;
        let liars = partner_tasks::shipped_after_cancel(&mut tx, tenant).await?;
        let all = &all[tenant];
        let shown = all.all().into_iter().filter(|(known, _)| key.is_none_or(|key| key == *known));
        let shown = shown.map(|(key, integration)| ShownIntegration {
            key: key.clone(),
            integration: integration.clone(),
            seeded: all.is_seeded(key),
            shipped_after_cancel: liars.get(key.as_str()).copied().unwrap_or(0),
        });
        Ok(shown.collect())
    }

    /// The profiles by which outsiders of a tenant are reached.
    pub async fn profiles(&self, tenant: &Tenant) -> Result<Integrations, DbError> {
        let mut tx = self.database.read().await?;
        let read = integrations::read_all(&mut tx, &[tenant.clone()].into()).await?.remove(tenant);
        Ok(read.expect("every tenant that is asked for is answered"))
    }

    /// What partners were asked about one order.
    pub async fn tasks(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Vec<ShownTask>, DbError> {
        let mut tx = self.database.read().await?;
        let goods = goods::read(&mut tx, tenant, order_id).await?;
        let tasks = goods.into_iter().flat_map(|goods| goods.tasks);
        Ok(tasks.map(|(id, task)| ShownTask { id, order_id: order_id.clone(), task }).collect())
    }

    /// Tasks of all orders that have no word yet.
    pub async fn open_tasks(
        &self,
        tenant: &Tenant,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ShownTask>, DbError> {
        let mut tx = self.database.read().await?;
        let rows = partner_tasks::list_open(&mut tx, tenant, after, limit).await?;
        Ok(rows.into_iter().map(|(order_id, id, task)| ShownTask { id, order_id, task }).collect())
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
