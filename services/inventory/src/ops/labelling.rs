//! Labels of fulfilments: attached, voided, and their units put back.

use types::{FulfilmentId, LabelId, Money, Refusal, Tenant};

use super::books::{Books, Cause, Stop};
use super::command::{Resource, ShownLabel};
use super::fulfilling;
use super::settling::{Change, conclude};
use super::steps::no_goods;
use crate::domain::{Goods, Label, LabelState, Voider, WarehouseId};
use crate::store::goods::OrderKey;

/// A label as it was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    pub fulfilment_id: FulfilmentId,
    pub carrier: String,
    pub token: String,
    pub tracking_number: String,
    pub cost: Money,
}

pub fn attach(
    books: &mut Books,
    tenant: &Tenant,
    bought: &Bought,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = fulfilling::find(books, tenant, &bought.fulfilment_id)?;
    let mut goods = before.clone();
    let id: LabelId = cause.moment.ids.mint();
    let label = Label {
        fulfilment_id: bought.fulfilment_id.clone(),
        carrier: bought.carrier.clone(),
        token: bought.token.clone(),
        tracking_number: bought.tracking_number.clone(),
        cost: bought.cost,
        state: LabelState::Purchased,
        voider: None,
        purchased_at: cause.moment.at,
        void_requested_at: None,
        void_ended_at: None,
        due_at: 0,
        tries: 0,
    };
    goods.attach(id.clone(), label);
    conclude(books, &key, Change::of(before, goods), None, cause)?;
    shown(books, &key, &id)
}

pub fn void(books: &mut Books, tenant: &Tenant, id: &LabelId, cause: &Cause<'_>) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let voider = Voider { by: cause.origin.saga_id.clone(), step: cause.origin.step.clone() };
    goods.request_void(id, voider, books.warehouses(tenant), cause.moment.at)?;
    conclude(books, &key, Change::of(before, goods), None, cause)?;
    shown(books, &key, id)
}

/// Another warehouse takes what the label's own one does not. The change that waits for it can end then.
pub fn restock(
    books: &mut Books,
    tenant: &Tenant,
    id: &LabelId,
    warehouse_id: &WarehouseId,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let warehouse = books.warehouses(tenant).with_shelves(warehouse_id)?;
    if !warehouse.active {
        return Err(crate::domain::inactive(warehouse_id).field("warehouse_id").into());
    }
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let movements = goods.put_back(books.warehouses(tenant), Some((id, warehouse_id)));
    let saga = goods.labels[id].voider.as_ref().map(|voider| voider.by.clone());
    let change = Change { movements, ..Change::of(before, goods) };
    conclude(books, &key, change, saga.as_deref(), cause)?;
    shown(books, &key, id)
}

pub fn show(books: &Books, tenant: &Tenant, id: &LabelId) -> Result<Resource, Stop> {
    let (key, _) = find(books, tenant, id)?;
    shown(books, &key, id)
}

pub fn show_attached(
    books: &Books,
    tenant: &Tenant,
    fulfilment: &FulfilmentId,
    id: &LabelId,
) -> Result<Resource, Stop> {
    let (key, _) = fulfilling::find(books, tenant, fulfilment)?;
    shown(books, &key, id)
}

fn shown(books: &Books, key: &OrderKey, id: &LabelId) -> Result<Resource, Stop> {
    let goods = books.goods.get(key).ok_or_else(|| no_goods(key))?;
    let shown = ShownLabel::of(goods, id, books.warehouses(&key.0)).ok_or_else(|| no_such_label(id))?;
    Ok(Resource::Label(shown))
}

fn find(books: &Books, tenant: &Tenant, id: &LabelId) -> Result<(OrderKey, Goods), Stop> {
    let owner = books.owners_of_labels.get(&(tenant.clone(), id.clone()));
    let key = (tenant.clone(), owner.ok_or_else(|| no_such_label(id))?.order_id.clone());
    let goods = books.goods.get(&key).cloned().ok_or_else(|| no_such_label(id))?;
    Ok((key, goods))
}

fn no_such_label(id: &LabelId) -> Refusal {
    Refusal::not_found("label", id)
}
