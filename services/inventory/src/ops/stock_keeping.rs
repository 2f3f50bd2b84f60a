//! Warehouses and counted stock.

use std::collections::BTreeMap;

use types::{Reason, Refusal, Tenant};

use super::books::{Books, Cause, Purpose, Stop};
use super::command::{Adjustment, Resource, ShownStock};
use crate::domain::{Posting, PostingError, Sku, Warehouse, WarehouseId};
use crate::store::stock::StockKey;

pub fn upsert_warehouse(
    books: &mut Books,
    tenant: &Tenant,
    id: &WarehouseId,
    warehouse: &Warehouse,
) -> Result<Resource, Stop> {
    let put = books.warehouses.update(tenant, |all| all.put(id.clone(), warehouse.clone()));
    put.expect("the warehouses of every tenant of the batch were read")?;
    Ok(Resource::Warehouse(id.clone(), warehouse.clone()))
}

/// Which warehouse serves an article on lines that name none; none takes that back.
pub fn assign(
    books: &mut Books,
    tenant: &Tenant,
    sku: &Sku,
    warehouse_id: Option<&WarehouseId>,
) -> Result<Resource, Stop> {
    if let Some(id) = warehouse_id {
        books.warehouses(tenant).named(id)?;
    }
    let key = (tenant.clone(), sku.clone());
    let assigned = warehouse_id.cloned();
    if books.assignments.contains(&key) {
        books.assignments.update(&key, |row| row.clone_from(&assigned)).expect("it was found above");
    } else {
        books.assignments.insert(key, assigned.clone());
    }
    Ok(Resource::Assignment(sku.clone(), assigned))
}

pub fn set(
    books: &mut Books,
    tenant: &Tenant,
    (warehouse_id, sku): (&WarehouseId, &Sku),
    on_hand: i64,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    post(books, tenant, (warehouse_id, sku), Posting::Set { on_hand }, cause)?;
    Ok(show(books, tenant, [(warehouse_id, sku)]))
}

/// All or none. Rows for one article in one warehouse are summed first, so that only what comes out counts.
pub fn adjust(
    books: &mut Books,
    tenant: &Tenant,
    adjustments: &[Adjustment],
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let mut sums: BTreeMap<(&WarehouseId, &Sku), i64> = BTreeMap::new();
    for adjustment in adjustments {
        let sum = sums.entry((&adjustment.warehouse_id, &adjustment.sku)).or_insert(0);
        *sum = sum.checked_add(adjustment.delta).ok_or_else(|| refusal(&PostingError::BeyondRange))?;
    }
    for (place, delta) in &sums {
        // The rows cancel each other out; the warehouse must exist all the same.
        if *delta == 0 {
            books.warehouses(tenant).with_shelves(place.0)?;
        } else {
            post(books, tenant, *place, Posting::Adjust { delta: *delta }, cause)?;
        }
    }
    Ok(show(books, tenant, sums.into_keys()))
}

fn post(
    books: &mut Books,
    tenant: &Tenant,
    (warehouse_id, sku): (&WarehouseId, &Sku),
    posting: Posting,
    cause: &Cause<'_>,
) -> Result<(), Stop> {
    books.warehouses(tenant).with_shelves(warehouse_id)?;
    books
        .post(key(tenant, warehouse_id, sku), posting, &Purpose::StockKeeping, cause)
        .map_err(|problem| refusal(&problem).detail("warehouse_id", warehouse_id).detail("sku", sku))?;
    Ok(())
}

/// The rows as they are now. A row that was never written has nothing.
pub fn show<'a>(
    books: &Books,
    tenant: &Tenant,
    places: impl IntoIterator<Item = (&'a WarehouseId, &'a Sku)>,
) -> Resource {
    let shown = places.into_iter().map(|(warehouse_id, sku)| ShownStock {
        warehouse_id: warehouse_id.clone(),
        sku: sku.clone(),
        stock: books.stock.get(&key(tenant, warehouse_id, sku)).cloned().unwrap_or_default(),
    });
    Resource::Stock(shown.collect())
}

fn key(tenant: &Tenant, warehouse_id: &WarehouseId, sku: &Sku) -> StockKey {
    StockKey { tenant: tenant.clone(), warehouse_id: warehouse_id.clone(), sku: sku.clone() }
}

fn refusal(problem: &PostingError) -> Refusal {
    let reason = match problem {
        PostingError::BelowReserved { .. } => Reason::StockBelowReserved,
        PostingError::BeyondRange => Reason::QuantityOutOfRange,
        PostingError::NotAvailable { .. } | PostingError::Imbalance { .. } => {
            unreachable!("counts and corrections move no reservation")
        }
    };
    Refusal::new(reason, problem.to_string())
}
