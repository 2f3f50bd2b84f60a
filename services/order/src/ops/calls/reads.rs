//! Reads. Each sees one snapshot and locks nothing.

use std::collections::{BTreeMap, BTreeSet};

use kit::{Failure, Principal};
use saga::{SagaImage, SagaKey, State};
use storage::{DbError, Tx};
use types::{AttentionId, ChangeOrderId, OrderId, SagaId, Tenant};

use crate::domain::attention::AttentionItem;
use crate::domain::change::{ChangeOrder, ChangeView};
use crate::domain::history::Recorded;
use crate::domain::listing::{ChangeFilter, Listed, OrderFilter, Page};
use crate::domain::order::{Order, Placement, Summary};
use crate::domain::readers::Reader;
use crate::ops::books::views;
use crate::ops::calls::asking::actor;
use crate::ops::calls::orders::Orders;
use crate::ops::plans;
use crate::store::keys::{ChangeKey, OrderKey};
use crate::store::{attention, changes, lists, orders, timeline};

/// Changes of one order that are read at once.
const CHANGES_AT_ONCE: i64 = 200;

impl Orders {
    /// An order that the caller may see. An order that is hidden from the caller runs the same statement, and gets the same answer, as one
    /// that does not exist.
    pub async fn get_order(&self, principal: &Principal, order_id: &OrderId) -> Result<Order, Failure> {
        let key: OrderKey = (principal.tenant.clone(), order_id.clone());
        let found = self
            .reading(async |tx| {
                let head = orders::heads(tx, &BTreeSet::from([key])).await?.pop();
                whole(tx, head.filter(|head| sees(principal, head))).await
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }

    pub async fn find_by_number(&self, principal: &Principal, number: &str) -> Result<Order, Failure> {
        let tenant = &principal.tenant;
        let found = self
            .reading(async |tx| {
                let head = lists::find_by_number(tx, tenant, number).await?;
                whole(tx, head.filter(|head| sees(principal, head))).await
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Order", number))
    }

    /// The id of the order with this number, for callers who prove in another way that it is theirs.
    pub async fn id_of_number(&self, tenant: &Tenant, number: &str) -> Result<Option<OrderId>, Failure> {
        let found = self.reading(async |tx| lists::find_by_number(tx, tenant, number).await).await?;
        Ok(found.map(|order| order.order_id))
    }

    pub async fn list_orders(
        &self,
        principal: &Principal,
        filter: &OrderFilter,
        page: &Page,
    ) -> Result<Listed<Summary>, Failure> {
        let found =
            self.reading(async |tx| lists::list_orders(tx, &principal.tenant, filter, page).await).await?;
        let listed = cut(found, page, |order| order.order_id.to_string());
        let items = listed.items.iter().map(Order::summary).collect();
        Ok(Listed { items, next: listed.next })
    }

    /// At most `limit` timeline entries after a sequence number, oldest first. NOT_FOUND if there is no such order.
    pub async fn timeline(
        &self,
        principal: &Principal,
        order_id: &OrderId,
        after_sequence: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, Failure> {
        let tenant = &principal.tenant;
        let found = self
            .reading(async |tx| {
                let key: OrderKey = (tenant.clone(), order_id.clone());
                if orders::heads(tx, &BTreeSet::from([key])).await?.is_empty() {
                    return Ok(None);
                }
                timeline::after(tx, tenant, order_id, after_sequence, limit).await.map(Some)
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }

    /// A change of an order that the caller may see; otherwise NOT_FOUND, as if it did not exist.
    pub async fn get_change(
        &self,
        principal: &Principal,
        change_order_id: &ChangeOrderId,
    ) -> Result<ChangeView, Failure> {
        let key: ChangeKey = (principal.tenant.clone(), change_order_id.clone());
        let registry = &self.registry;
        let found = self
            .reading(async |tx| {
                let head = lists::head_of_change(tx, &key).await?.filter(|head| sees(principal, head));
                let Some(order) = head else { return Ok(None) };
                let Some(change) = changes::load(tx, &BTreeSet::from([key])).await?.pop() else {
                    return Ok(None);
                };
                Ok(Some(views::of_store(tx, registry, &order, change).await?))
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("ChangeOrder", change_order_id.as_str()))
    }

    pub async fn list_changes(
        &self,
        principal: &Principal,
        filter: &ChangeFilter,
        page: &Page,
    ) -> Result<Listed<ChangeView>, Failure> {
        let registry = &self.registry;
        let listed = self
            .reading(async |tx| {
                let found = lists::list_changes(tx, &principal.tenant, filter, page).await?;
                let listed = cut(found, page, |change| change.change_order_id.to_string());
                let keys: BTreeSet<OrderKey> = listed
                    .items
                    .iter()
                    .map(|change| (change.tenant.clone(), change.order_id.clone()))
                    .collect();
                let heads = orders::heads(tx, &keys).await?;
                let heads: BTreeMap<&OrderId, &Order> =
                    heads.iter().map(|head| (&head.order_id, head)).collect();
                let mut items = Vec::with_capacity(listed.items.len());
                for change in listed.items {
                    let order = heads[&change.order_id];
                    items.push(views::of_store(tx, registry, order, change).await?);
                }
                Ok(Listed { items, next: listed.next })
            })
            .await?;
        Ok(listed)
    }

    /// An order with all its changes, oldest first, from one snapshot.
    pub async fn order_with_changes(
        &self,
        principal: &Principal,
        order_id: &OrderId,
    ) -> Result<(Order, Vec<ChangeOrder>), Failure> {
        let tenant = &principal.tenant;
        let filter = ChangeFilter { order_id: Some(order_id.clone()), ..ChangeFilter::default() };
        let found = self
            .reading(async |tx| {
                let Some(order) = one_order(tx, tenant, order_id).await? else { return Ok(None) };
                let mut all = Vec::new();
                let mut page = Page { after: None, size: CHANGES_AT_ONCE };
                loop {
                    let found = lists::list_changes(tx, tenant, &filter, &page).await?;
                    let listed = cut(found, &page, |change| change.change_order_id.to_string());
                    all.extend(listed.items);
                    match listed.next {
                        Some(next) => page.after = Some(next),
                        None => return Ok(Some((order, all))),
                    }
                }
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }

    /// The attention list: what a person has to look at, oldest first.
    pub async fn attention(
        &self,
        principal: &Principal,
        include_closed: bool,
        page: &Page,
    ) -> Result<Listed<AttentionItem>, Failure> {
        let after = page.after.as_deref().unwrap_or_default();
        let found = self
            .reading(async |tx| {
                attention::list(tx, &principal.tenant, after, include_closed, page.size + 1).await
            })
            .await?;
        Ok(cut(found, page, |item| item.attention_id.to_string()))
    }

    /// An attention item, open or closed.
    pub async fn attention_item(
        &self,
        tenant: &Tenant,
        attention_id: &AttentionId,
    ) -> Result<AttentionItem, Failure> {
        let key = BTreeSet::from([(tenant.clone(), attention_id.clone())]);
        let found = self.reading(async |tx| attention::load(tx, &key).await).await?;
        let item = found.into_iter().next().map(|(_, item)| item);
        item.ok_or_else(|| Failure::not_found("AttentionItem", attention_id.as_str()))
    }

    pub async fn saga(&self, principal: &Principal, saga_id: SagaId) -> Result<SagaImage, Failure> {
        self.saga_by_id(&principal.tenant, saga_id).await
    }

    /// Sagas in any of these states, oldest first. No state means all states.
    pub async fn sagas(
        &self,
        principal: &Principal,
        states: &[State],
        page: &Page,
    ) -> Result<Listed<SagaImage>, Failure> {
        let after = page.after.as_deref().map(SagaId::parse).transpose().map_err(|error| {
            Failure::invalid("page_token", types::Reason::PageTokenInvalid, error.to_string())
        })?;
        let wanted: Vec<Option<State>> =
            if states.is_empty() { vec![None] } else { states.iter().copied().map(Some).collect() };
        let mut found = self
            .reading(async |tx| {
                let mut found = Vec::new();
                for state in wanted {
                    let limit = page.size + 1;
                    found.extend(
                        saga::query::list(tx, &principal.tenant, state, after.as_ref(), limit).await?,
                    );
                }
                Ok(found)
            })
            .await?;
        found.sort_by(|one, other| one.row.key.id.cmp(&other.row.key.id));
        found.dedup_by(|one, other| one.row.key == other.row.key);
        Ok(cut(found, page, |image| image.row.key.id.to_string()))
    }

    /// Those of these sagas of an order that have passed their decision.
    pub async fn decided(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        sagas: &[SagaId],
    ) -> Result<Vec<SagaId>, Failure> {
        self.reading(async |tx| {
            let key: OrderKey = (tenant.clone(), order_id.clone());
            let Some(order) = orders::heads(tx, &BTreeSet::from([key])).await?.pop() else {
                return Ok(Vec::new());
            };
            let mut decided = Vec::new();
            for id in sagas {
                let Some(saga) = saga::query::get(tx, &SagaKey::new(tenant.clone(), id.clone())).await?
                else {
                    continue;
                };
                let is_decided = match saga.row.subject_type.as_str() {
                    plans::SUBJECT_ORDER => {
                        saga.row.subject_id == order_id.as_str() && order.placement == Placement::Open
                    }
                    _ => change_is_decided(tx, tenant, order_id, &saga.row.subject_id).await?,
                };
                if is_decided {
                    decided.push(id.clone());
                }
            }
            Ok(decided)
        })
        .await
    }

    pub async fn order(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Order, Failure> {
        let found = self.reading(async |tx| one_order(tx, tenant, order_id).await).await?;
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }

    pub async fn change(
        &self,
        tenant: &Tenant,
        change_order_id: &ChangeOrderId,
    ) -> Result<ChangeView, Failure> {
        self.change_of_order(tenant, change_order_id).await.map(|(_, view)| view)
    }

    /// A change and the head of its order, from one snapshot.
    async fn change_of_order(
        &self,
        tenant: &Tenant,
        change_order_id: &ChangeOrderId,
    ) -> Result<(Order, ChangeView), Failure> {
        let registry = &self.registry;
        let found = self
            .reading(async |tx| {
                let key: ChangeKey = (tenant.clone(), change_order_id.clone());
                let Some(change) = changes::load(tx, &BTreeSet::from([key])).await?.pop() else {
                    return Ok(None);
                };
                let order = head_of(tx, &change).await?;
                let view = views::of_store(tx, registry, &order, change).await?;
                Ok(Some((order, view)))
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("ChangeOrder", change_order_id.as_str()))
    }

    pub async fn saga_by_id(&self, tenant: &Tenant, saga_id: SagaId) -> Result<SagaImage, Failure> {
        let name = saga_id.to_string();
        let key = SagaKey::new(tenant.clone(), saga_id);
        let found = self.reading(async |tx| saga::query::get(tx, &key).await).await?;
        found.ok_or_else(|| Failure::not_found("Saga", name))
    }

    pub async fn saga_of_subject(
        &self,
        tenant: &Tenant,
        definition: &str,
        subject_id: &str,
    ) -> Result<Option<SagaImage>, Failure> {
        self.reading(async |tx| match saga::query::by_subject(tx, tenant, definition, subject_id).await? {
            Some(key) => saga::query::get(tx, &key).await,
            None => Ok(None),
        })
        .await
    }

    /// Runs a read in a transaction of its own, on one snapshot.
    pub async fn reading<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, DbError>,
    ) -> Result<T, Failure> {
        Ok(self.database.reading(read).await?)
    }
}

async fn one_order(tx: &mut Tx, tenant: &Tenant, order_id: &OrderId) -> Result<Option<Order>, DbError> {
    let key: OrderKey = (tenant.clone(), order_id.clone());
    Ok(orders::load(tx, &BTreeSet::from([key])).await?.pop())
}

/// Whether the caller may see the order.
pub fn sees(principal: &Principal, order: &Order) -> bool {
    Reader::of(principal.grants.reach, &actor(principal), order).sees_the_order()
}

/// An order with its lines, groups and references.
async fn whole(tx: &mut Tx, head: Option<Order>) -> Result<Option<Order>, DbError> {
    let Some(head) = head else { return Ok(None) };
    let keys = BTreeSet::from([orders::key(&head)]);
    Ok(orders::hang_on(tx, &keys, vec![head]).await?.pop())
}

async fn change_is_decided(
    tx: &mut Tx,
    tenant: &Tenant,
    order_id: &OrderId,
    change_order_id: &str,
) -> Result<bool, DbError> {
    let Ok(change_order_id) = ChangeOrderId::parse(change_order_id) else { return Ok(false) };
    let key: ChangeKey = (tenant.clone(), change_order_id);
    let change = changes::load(tx, &BTreeSet::from([key])).await?.pop();
    Ok(change.is_some_and(|change| change.order_id == *order_id && change.decided_at.is_some()))
}

async fn head_of(tx: &mut Tx, change: &ChangeOrder) -> Result<Order, DbError> {
    let key: OrderKey = (change.tenant.clone(), change.order_id.clone());
    let head = orders::heads(tx, &BTreeSet::from([key])).await?.pop();
    head.ok_or_else(|| DbError::malformed("order.load_heads", "a change without its order"))
}

/// Cuts the rows to the size of the page, and keeps the key after which the next page starts.
pub fn cut<T>(mut found: Vec<T>, page: &Page, key: impl Fn(&T) -> String) -> Listed<T> {
    let size = usize::try_from(page.size).expect("a page has 1 to 200 items");
    let more = found.len() > size;
    found.truncate(size);
    let next = if more { found.last().map(key) } else { None };
    Listed { items: found, next }
}
