//! The word of partners, and of people who heard it.

use types::{FulfilmentId, PartnerTaskId, Refusal, Tenant};

use super::books::{Books, Cause, Stop};
use super::command::{Resource, ShownTask};
use super::settling::{Change, conclude};
use super::steps::no_goods;
use crate::domain::{CartNotice, Goods, Word};
use crate::store::goods::OrderKey;

pub fn word(
    books: &mut Books,
    tenant: &Tenant,
    id: &PartnerTaskId,
    word: Word,
    said: (&str, &str),
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    goods.partner_word(id, word, said, cause.moment.at)?;
    let saga = goods.tasks[id].waiting_saga().map(str::to_owned);
    conclude(books, &key, Change::of(before, goods), saga.as_deref(), cause)?;
    shown(books, &key, id)
}

pub fn asked(
    books: &mut Books,
    tenant: &Tenant,
    id: &PartnerTaskId,
    note: &str,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let (key, before) = find(books, tenant, id)?;
    let mut goods = before.clone();
    goods.asked_by_hand(id, note)?;
    conclude(books, &key, Change::of(before, goods), None, cause)?;
    shown(books, &key, id)
}

/// A rule has a cart told; one that was told of this change before is not told again.
pub fn tell_cart(
    books: &mut Books,
    key: &OrderKey,
    notice: &CartNotice,
    cause: &Cause<'_>,
) -> Result<Resource, Stop> {
    let before = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let mut goods = before.clone();
    let id = goods.tell_cart(notice, books.integrations(&key.0), cause.moment)?;
    conclude(books, key, Change::of(before, goods), None, cause)?;
    shown(books, key, &id)
}

pub fn show(books: &Books, tenant: &Tenant, id: &PartnerTaskId) -> Result<Resource, Stop> {
    let (key, _) = find(books, tenant, id)?;
    shown(books, &key, id)
}

pub fn shown(books: &Books, key: &OrderKey, id: &PartnerTaskId) -> Result<Resource, Stop> {
    let goods = books.goods.get(key).ok_or_else(|| no_goods(key))?;
    let task = goods.tasks.get(id).cloned().ok_or_else(|| no_such_task(id))?;
    Ok(Resource::Task(ShownTask { id: id.clone(), order_id: key.1.clone(), task }))
}

fn find(books: &Books, tenant: &Tenant, id: &PartnerTaskId) -> Result<(OrderKey, Goods), Stop> {
    let owner = books.owners_of_tasks.get(&(tenant.clone(), id.clone()));
    let key = (tenant.clone(), owner.ok_or_else(|| no_such_task(id))?.0.clone());
    let goods = books.goods.get(&key).cloned().ok_or_else(|| no_such_task(id))?;
    Ok((key, goods))
}

/// A partner answers what it was asked itself; of the tasks of others it is told nothing, not even that they exist.
pub fn is_of(books: &Books, tenant: &Tenant, id: &PartnerTaskId, of: Option<&str>) -> Result<(), Stop> {
    let Some(own) = of else { return Ok(()) };
    let (_, goods) = find(books, tenant, id)?;
    if goods.tasks[id].integration.as_str() == own { Ok(()) } else { Err(no_such_task(id).into()) }
}

/// A partner reports what it was asked about.
pub fn has_asked(
    books: &Books,
    tenant: &Tenant,
    fulfilment_id: &FulfilmentId,
    of: Option<&str>,
) -> Result<(), Stop> {
    let Some(own) = of else { return Ok(()) };
    let mut tasks = books
        .goods
        .iter()
        .filter(|((of_tenant, _), _)| of_tenant == tenant)
        .flat_map(|(_, goods)| goods.tasks.values());
    let asked = tasks
        .any(|task| task.fulfilment_id.as_ref() == Some(fulfilment_id) && task.integration.as_str() == own);
    if asked { Ok(()) } else { Err(Refusal::not_found("Fulfillment", fulfilment_id).into()) }
}

fn no_such_task(id: &PartnerTaskId) -> Refusal {
    Refusal::not_found("partner task", id)
}
