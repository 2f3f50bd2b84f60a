//! Moving an order's goods out of the door.

use types::{FulfilmentId, Reason, Refusal, Tenant};

use super::books::{Books, Cause, Stop};
use super::command::{Packing, Resource, ShownFulfilment};
use super::settling::{Change, conclude};
use super::steps::no_goods;
use crate::domain::{
    Elsewhere, Goods, Handover, IntegrationKey, Partner, Reported, ReportedFrom, Selection, Sku, WarehouseId,
    WarehouseKind,
};
use crate::store::goods::OrderKey;
use crate::store::partner_numbers::{NumberKey, Submitted};

pub fn create(
    books: &mut Books,
    tenant: &Tenant,
    packing: &Packing,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let key = &(tenant.clone(), packing.order_id.clone());
    books.warehouses(tenant).named(&packing.warehouse_id)?;
    let before = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let mut goods = before.clone();
    let available = |warehouse: &WarehouseId, sku: &Sku| books.available(tenant, warehouse, sku);
    let elsewhere = Elsewhere { warehouses: books.warehouses(tenant), available: &available };
    let (id, movements) = goods.allocate(
        &packing.warehouse_id,
        &packing.lines,
        &|saga_id| packing.decided.contains(saga_id),
        packing.move_reservation.then_some(&elsewhere),
        cause.moment,
    )?;
    put(books, key, Change { movements, ..Change::of(before, goods) }, cause)?;
    show(books, key, &id)
}

/// What is taken out of a fulfilment stays reserved.
pub fn unpack(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    lines: &[Selection],
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let (_, movements) = goods.unpack(id, lines, books.warehouses(tenant), cause.moment)?;
    put(books, &key, Change { movements, ..Change::of(before, goods) }, cause)?;
    show(books, &key, id)
}

/// The new fulfilment is the answer.
pub fn repack(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    warehouse_id: &WarehouseId,
    lines: &[Selection],
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let available = |warehouse: &WarehouseId, sku: &Sku| books.available(tenant, warehouse, sku);
    let shelves = Elsewhere { warehouses: books.warehouses(tenant), available: &available };
    let (new, movements) = goods.repack(id, lines, warehouse_id, &shelves, cause.moment)?;
    put(books, &key, Change { movements, ..Change::of(before, goods) }, cause)?;
    show(books, &key, &new)
}

pub fn submit(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    external_number: &str,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let partner = partner_of(books, tenant, &goods.fulfilments[id].warehouse_id);
    if partner.is_none() && !external_number.is_empty() {
        let message = "our own warehouses know goods by the fulfilment's id";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("external_number").into());
    }
    let seen = |number: &str| {
        partner.as_ref().is_some_and(|integration| {
            books.numbers.contains(&NumberKey {
                tenant: tenant.clone(),
                integration: integration.clone(),
                external_number: number.to_owned(),
            })
        })
    };
    let handover = partner.as_ref().map(|integration| Handover {
        integration,
        external_number,
        is_burned: &seen,
        numbers_so_far: books.numbers.values().filter(|row| row.fulfilment_id == *id).count(),
        same_number_ok: books.integrations(tenant).of(integration).resubmit_same_number_ok,
    });
    let given = goods.submit(id, handover, cause.moment)?;
    if let Some(partner) = given {
        burn(books, &key, id, partner, cause);
    }
    put(books, &key, Change::of(before, goods), cause)?;
    show(books, &key, id)
}

/// How the warehouse's third party is reached; none for our own.
fn partner_of(books: &Books, tenant: &Tenant, warehouse: &WarehouseId) -> Option<IntegrationKey> {
    let warehouse = books.warehouses(tenant).get(warehouse)?;
    match warehouse.kind {
        WarehouseKind::Own => None,
        WarehouseKind::Dropship => {
            Some(warehouse.integration.clone().unwrap_or_else(IntegrationKey::unknown))
        }
    }
}

/// From now on the partner has seen the number. One that it takes again is known already.
fn burn(books: &mut Books, key: &OrderKey, id: &FulfilmentId, partner: Partner, cause: &Cause<'_>) {
    let number = NumberKey {
        tenant: key.0.clone(),
        integration: partner.integration,
        external_number: partner.external_number,
    };
    if !books.numbers.contains(&number) {
        let submitted = Submitted { order_id: key.1.clone(), fulfilment_id: id.clone(), at: cause.moment.at };
        books.numbers.insert(number, submitted);
    }
}

/// The word of whoever has the goods that they have left.
pub fn report(
    books: &mut Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    lines: &[Selection],
    tracking_number: &str,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    let available = |warehouse: &WarehouseId, sku: &Sku| books.available(tenant, warehouse, sku);
    let shelves = ReportedFrom { warehouses: books.warehouses(tenant), available: &available };
    let (reported, movements) = goods.report_shipped(id, lines, tracking_number, &shelves, cause.moment)?;
    let tracking_number = tracking_number.to_owned();
    put(books, &key, Change { movements, tracking_number, ..Change::of(before, goods) }, cause)?;
    Ok(Resource::Report(id.clone(), reported))
}

/// What such a report has come to: a tracking number says which units it was about.
pub fn show_report(
    books: &Books,
    tenant: &Tenant,
    id: &FulfilmentId,
    tracking_number: &str,
) -> Result<Resource, Stop> {
    let (_, goods) = find(books, tenant, id)?;
    let mut reported = Reported::default();
    for row in goods.reservations.values().filter(|row| row.is_packed_in(id)) {
        let noted = row.packed.as_ref().and_then(|line| line.reported.as_deref()) == Some(tracking_number);
        match (row.tracking_number() == Some(tracking_number), row.is_consumed()) {
            (true, true) => reported.shipped += row.quantity,
            (true, false) => reported.shipped_after_cancel += row.quantity,
            (false, _) if noted => reported.noted += row.quantity,
            (false, _) => {}
        }
    }
    Ok(Resource::Report(id.clone(), reported))
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
    let tracking_number = tracking_number.to_owned();
    put(books, &key, Change { movements, tracking_number, ..Change::of(before, goods) }, cause)?;
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
    put(books, &key, Change::of(before, goods), cause)?;
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

fn put(books: &mut Books, key: &OrderKey, change: Change, cause: &Cause<'_>) -> Result<(), Stop> {
    conclude(books, key, change, None, cause)
}

pub fn find(books: &Books, tenant: &Tenant, id: &FulfilmentId) -> Result<(OrderKey, Goods), Stop> {
    let order = books.orders_of_fulfilments.get(&(tenant.clone(), id.clone()));
    let key = (tenant.clone(), order.ok_or_else(|| no_such_fulfilment(id))?.clone());
    let goods = books.goods.get(&key).cloned().ok_or_else(|| no_such_fulfilment(id))?;
    Ok((key, goods))
}
