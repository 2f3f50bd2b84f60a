//! Whole orders: a head with its lines, delivery groups and references, read and written a batch at a time.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Engine, Table, Tx};

use super::keys::OrderKey;
use super::{groups, heads, lines};
use crate::domain::order::Order;

/// Orders for deciding: their heads are locked until the commit.
pub async fn lock(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<Order>, DbError> {
    // The writer of SQLite is alone in its transaction.
    if tx.engine() == Engine::Postgres && !keys.is_empty() {
        heads::lock(tx, keys).await?;
    }
    load(tx, keys).await
}

/// Orders for showing.
pub async fn load(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<Order>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let heads = heads::load(tx, keys).await?;
    hang_on(tx, keys, heads).await
}

/// Heads alone, for what only needs their number or currency.
pub async fn heads(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<Order>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    heads::load(tx, keys).await
}

/// Puts lines, groups and references to heads that were read, and keeps the order of the heads.
pub async fn hang_on(
    tx: &mut Tx,
    keys: &BTreeSet<OrderKey>,
    mut heads: Vec<Order>,
) -> Result<Vec<Order>, DbError> {
    let places: BTreeMap<OrderKey, usize> =
        heads.iter().enumerate().map(|(at, head)| (key(head), at)).collect();
    for (key, line) in lines::load(tx, keys).await? {
        heads[places[&key]].lines.push(line);
    }
    for (key, group) in groups::load(tx, keys).await? {
        heads[places[&key]].groups.push(group);
    }
    for (key, reference) in groups::load_references(tx, keys).await? {
        heads[places[&key]].references.push(reference);
    }
    Ok(heads)
}

/// Writes the orders that are new or changed. A commit that moves no unit writes no line.
pub async fn flush(tx: &mut Tx, orders: &Table<OrderKey, Order>) -> Result<(), DbError> {
    let new: Vec<&Order> = orders.inserted().into_iter().map(|(_, order)| order).collect();
    heads::insert(tx, &new).await?;
    lines::insert(tx, &with_each(&new, |order| &order.lines)).await?;
    groups::insert(tx, &with_each(&new, |order| &order.groups)).await?;
    groups::insert_references(tx, &with_each(&new, |order| &order.references)).await?;

    let (mut changed, mut changed_lines, mut changed_groups) = (Vec::new(), Vec::new(), Vec::new());
    let (mut more_lines, mut more_groups) = (Vec::new(), Vec::new());
    for (key, order) in orders.updated() {
        let before = orders.loaded(key).expect("only rows that were loaded count as updated");
        changed.push(order);
        let (lines, groups) = (&order.lines, &order.groups);
        changed_lines.extend(differing(order, &before.lines, lines, |line| &line.line_id));
        changed_groups
            .extend(differing(order, &before.groups, groups, |group| group.delivery_group.as_str()));
        more_lines.extend(added(order, &before.lines, lines, |line| &line.line_id));
        more_groups.extend(added(order, &before.groups, groups, |group| group.delivery_group.as_str()));
    }
    heads::update(tx, &changed).await?;
    lines::update(tx, &changed_lines).await?;
    groups::update(tx, &changed_groups).await?;
    lines::insert(tx, &more_lines).await?;
    groups::insert(tx, &more_groups).await
}

pub fn key(order: &Order) -> OrderKey {
    (order.tenant.clone(), order.order_id.clone())
}

fn with_each<'a, T>(
    orders: &[&'a Order],
    parts: impl Fn(&'a Order) -> &'a Vec<T>,
) -> Vec<(&'a Order, &'a T)> {
    orders.iter().flat_map(|order| parts(order).iter().map(move |part| (*order, part))).collect()
}

/// The parts that are not as they were. Parts are added by agreed changes, and never taken away.
fn differing<'a, T: PartialEq, K: PartialEq + ?Sized>(
    order: &'a Order,
    before: &'a [T],
    now: &'a [T],
    key: fn(&T) -> &K,
) -> impl Iterator<Item = (&'a Order, &'a T)> {
    let parts = now.iter().enumerate();
    parts
        .filter(move |(at, part)| known(before, *at, part, key).is_some_and(|was| was != *part))
        .map(move |(_, part)| (order, part))
}

fn added<'a, T, K: PartialEq + ?Sized>(
    order: &'a Order,
    before: &'a [T],
    now: &'a [T],
    key: fn(&T) -> &K,
) -> impl Iterator<Item = (&'a Order, &'a T)> {
    let parts = now.iter().enumerate();
    parts
        .filter(move |(at, part)| known(before, *at, part, key).is_none())
        .map(move |(_, part)| (order, part))
}

/// The part as it was. They keep their places; a search is for the rare order that got one in between.
fn known<'a, T, K: PartialEq + ?Sized>(
    before: &'a [T],
    at: usize,
    part: &T,
    key: fn(&T) -> &K,
) -> Option<&'a T> {
    let same = before.get(at).filter(|was| key(was) == key(part));
    same.or_else(|| before.iter().find(|was| key(was) == key(part)))
}
