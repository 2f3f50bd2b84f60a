//! Moving an order's goods out of the door.

use types::{FulfilmentId, Refusal, Tenant};

use super::books::{Books, Cause, Stop};
use super::command::{Resource, ShownFulfilment};
use super::steps::no_goods;
use crate::domain::{Goods, Movement, Selection, WarehouseId};
use crate::store::goods::OrderKey;

pub fn create(
    books: &mut Books,
    key: &OrderKey,
    warehouse_id: &WarehouseId,
    lines: &[Selection],
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    books.warehouses(&key.0).named(warehouse_id)?;
    let before = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let mut goods = before.clone();
    let id = goods.allocate(warehouse_id, lines, cause.moment)?;
    put(books, key, Change { before, goods, movements: Vec::new() }, "", cause)?;
    show(books, key, &id)
}

pub fn submit(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    goods.submit(id, cause.moment)?;
    put(books, &key, Change { before, goods, movements: Vec::new() }, "", cause)?;
    show(books, &key, id)
}

pub fn ship(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    lines: &[Selection],
    tracking_number: &str,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let movements = goods.ship(id, lines, tracking_number, cause.moment)?;
    put(books, &key, Change { before, goods, movements }, tracking_number, cause)?;
    show(books, &key, id)
}

pub fn deliver(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    lines: &[Selection],
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    goods.deliver(id, lines, cause.moment)?;
    put(books, &key, Change { before, goods, movements: Vec::new() }, "", cause)?;
    show(books, &key, id)
}

/// The fulfilment as it is now.
pub fn show(books: &Books, key: &OrderKey, id: &FulfilmentId) -> Result<Resource, Stop> {
    let goods = books.goods.get(key).ok_or_else(|| no_goods(key))?;
    let shown = ShownFulfilment::of(goods, id).ok_or_else(|| no_such_fulfilment(id))?;
    Ok(Resource::Fulfilment(shown))
}

/// As [`show`], for a fulfilment that is named without its order.
pub fn show_named(books: &Books, tenant: &Tenant, id: &FulfilmentId) -> Result<Resource, Stop> {
    let (key, _) = find(books, tenant, id)?;
    show(books, &key, id)
}

pub fn no_such_fulfilment(id: &FulfilmentId) -> Refusal {
    Refusal::not_found("fulfilment", id)
}

struct Change {
    before: Goods,
    goods: Goods,
    movements: Vec<Movement>,
}

fn put(
    books: &mut Books,
    key: &OrderKey,
    mut change: Change,
    tracking_number: &str,
    cause: &Cause<'_>,
) -> Result<(), Stop> {
    books.tell_progress(key, &change.before, &mut change.goods, tracking_number, cause);
    books.put_goods(key, change.goods, change.movements, cause)?;
    Ok(())
}

fn find(books: &Books, tenant: &Tenant, id: &FulfilmentId) -> Result<(OrderKey, Goods), Stop> {
    let order = books.orders_of_fulfilments.get(&(tenant.clone(), id.clone()));
    let key = (tenant.clone(), order.ok_or_else(|| no_such_fulfilment(id))?.clone());
    let goods = books.goods.get(&key).cloned().ok_or_else(|| no_such_fulfilment(id))?;
    Ok((key, goods))
}
