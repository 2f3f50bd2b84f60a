//! Loading what a batch needs before it decides: set-based, and locked in the same order everywhere (sagas before orders), so that two
//! replicas never deadlock.

use std::collections::{BTreeMap, BTreeSet};

use saga::SagaKey;
use storage::{DbError, Inbox, RequestKeys, Tx};
use types::{ChangeOrderId, SagaId, Timestamp};

use crate::domain::order::Placement;
use crate::domain::reissue;
use crate::ops::books::Books;
use crate::ops::books::desk::Desk;
use crate::ops::books::policies::PolicyBook;
use crate::ops::books::wanted::Wanted;
use crate::ops::commit::command::Command;
use crate::ops::decide::Context;
use crate::ops::plans;
use crate::store::keys::OrderKey;
use crate::store::returns as stored_returns;
use crate::store::{attention, changes, groups, orders, sagas, timeline};

pub async fn books(context: &Context, tx: &mut Tx, commands: &[Command]) -> Result<Books, DbError> {
    let mut wanted = Wanted::default();
    for command in commands {
        command.reads(&mut wanted);
    }
    let placing = find_owners(tx, &mut wanted).await?;
    let requests = RequestKeys::load(tx, &wanted.requests).await?;

    let mut saga_books = context.registry.books();
    let keys: Vec<SagaKey> = wanted.sagas.iter().cloned().collect();
    saga_books.load(tx, &keys).await?;
    for row in keys.iter().filter_map(|key| saga_books.get(key)) {
        let tenant = &row.key.tenant;
        wanted.orders.extend(plans::order_of(&row.params).map(|order_id| (tenant.clone(), order_id)));
        wanted.returns.extend(plans::return_of(&row.params).map(|id| (tenant.clone(), id)));
        if row.subject_type == plans::SUBJECT_CHANGE {
            wanted.changes.extend(ChangeOrderId::parse(&row.subject_id).map(|id| (tenant.clone(), id)));
        }
    }

    let inbox = Inbox::load(tx, &wanted.envelopes).await?;
    let mut books = Books::new(context.clock.now(), context.ids.clone(), requests, inbox, saga_books);
    books.placing = placing;
    books.desk = Desk::load(tx, &wanted.desk).await?;
    books.policies = PolicyBook::new(context.shelves.load(tx, &wanted.tenants).await?);
    load_orders(tx, &mut books, &mut wanted).await?;
    load_names(tx, &mut books, &wanted).await?;
    books.now = instant(context, tx, &books).await?;
    Ok(books)
}

/// The instant of everything that this batch decides. It is read after all locks are taken, because another replica may have committed
/// while we waited for them, and it is never earlier than the last instant of the same orders.
async fn instant(context: &Context, tx: &mut Tx, books: &Books) -> Result<Timestamp, DbError> {
    let last = timeline::last_instant(tx, books.orders.values()).await?;
    let now = context.clock.now();
    Ok(last.map_or(now, |last| now.max(last)))
}

/// Finds the orders of changes, returns and attention items, and the sagas of changes. These never change, so they are read before anything
/// is locked.
async fn find_owners(tx: &mut Tx, wanted: &mut Wanted) -> Result<BTreeMap<OrderKey, SagaId>, DbError> {
    for ((tenant, _), owners) in changes::find_owners(tx, &wanted.found_by_change).await? {
        wanted.orders.insert((tenant.clone(), owners.order_id));
        wanted.sagas.insert(SagaKey::new(tenant, owners.saga_id));
    }
    wanted.orders.extend(attention::find_orders(tx, &wanted.items).await?);
    wanted.orders.extend(stored_returns::find_orders(tx, &wanted.returns).await?);
    let placing = sagas::find_placing(tx, &wanted.whole).await?;
    for ((tenant, _), saga_id) in &placing {
        wanted.sagas.insert(SagaKey::new(tenant.clone(), saga_id.clone()));
    }
    Ok(placing)
}

async fn load_orders(tx: &mut Tx, books: &mut Books, wanted: &mut Wanted) -> Result<(), DbError> {
    let mut in_need: BTreeSet<OrderKey> = BTreeSet::new();
    for order in orders::lock(tx, &wanted.orders).await? {
        let key = orders::key(&order);
        // A change that waits for the place saga ends together with it.
        if order.placement == Placement::Placing
            && let Some(change) = &order.change_in_progress
        {
            wanted.changes.insert((order.tenant.clone(), change.clone()));
        }
        if order.attention_open > 0 {
            in_need.insert(key.clone());
        }
        books.orders.load(key, order);
    }
    for returned in stored_returns::load_open(tx, &wanted.open_returns_of).await? {
        wanted.returns.remove(&stored_returns::key(&returned));
        books.returns.load(stored_returns::key(&returned), returned);
    }
    for returned in stored_returns::load(tx, &wanted.returns).await? {
        books.returns.load(stored_returns::key(&returned), returned);
    }
    books.histories = changes::find_of_orders(tx, &wanted.histories).await?;
    for ((tenant, _), ids) in &books.histories {
        wanted.changes.extend(ids.iter().map(|id| (tenant.clone(), id.clone())));
    }
    for key in &wanted.reissued {
        let numbers = books.orders.get(key).into_iter().flat_map(|order| reissue::numbers(&order.number));
        wanted.numbers.extend(numbers.map(|number| (key.0.clone(), number)));
    }
    for change in changes::load(tx, &wanted.changes).await? {
        books.changes.load(changes::key(&change), change);
    }
    for (key, item) in attention::load_open(tx, &in_need).await? {
        books.attention.load(key, item);
    }
    for (key, item) in attention::load_open_by_subject(tx, &wanted.subjects).await? {
        books.attention.load(key, item);
    }
    for (key, item) in attention::load(tx, &wanted.items).await? {
        books.attention.load(key, item);
    }
    Ok(())
}

async fn load_names(tx: &mut Tx, books: &mut Books, wanted: &Wanted) -> Result<(), DbError> {
    for (name, bearer) in groups::find_references(tx, &wanted.references).await? {
        books.references.load(name, bearer);
    }
    for (number, bearer) in groups::find_numbers(tx, &wanted.numbers).await? {
        books.numbers.load(number, bearer);
    }
    Ok(())
}
