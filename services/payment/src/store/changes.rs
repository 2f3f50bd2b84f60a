//! Which rows of the loaded accounts are new, and which differ from what was read.

use std::collections::BTreeMap;

use storage::{DbError, Record, Statement, Table, Tx, values};

use super::OrderKey;
use crate::domain::Account;

pub struct Changes<'a, V> {
    new: Vec<(&'a OrderKey, &'a V)>,
    changed: Vec<(&'a OrderKey, &'a V)>,
}

impl<'a, V: PartialEq> Changes<'a, V> {
    /// Of one kind of row, such as the payments.
    pub fn of<K>(
        accounts: &'a Table<OrderKey, Account>,
        rows: impl Fn(&'a Account) -> &'a BTreeMap<K, V>,
    ) -> Self
    where
        K: Ord + 'a,
    {
        let mut changes = Self { new: Vec::new(), changed: Vec::new() };
        for (key, account) in accounts.iter() {
            let loaded = accounts.loaded(key).map(&rows);
            for (id, row) in rows(account) {
                match loaded.and_then(|loaded| loaded.get(id)) {
                    None => changes.new.push((key, row)),
                    Some(before) if before != row => changes.changed.push((key, row)),
                    Some(_) => {}
                }
            }
        }
        changes
    }

    pub async fn insert(
        &self,
        tx: &mut Tx,
        statement: &'static Statement,
        record: impl Fn(&OrderKey, &V) -> Record,
    ) -> Result<(), DbError> {
        write(tx, statement, self.new.iter().map(|(key, row)| record(key, row)).collect()).await
    }

    pub async fn update(
        &self,
        tx: &mut Tx,
        statement: &'static Statement,
        record: impl Fn(&OrderKey, &V) -> Record,
    ) -> Result<(), DbError> {
        write(tx, statement, self.changed.iter().map(|(key, row)| record(key, row)).collect()).await
    }
}

/// Writes rows with distinct keys, and checks that each was written.
pub async fn write(tx: &mut Tx, statement: &'static Statement, rows: Vec<Record>) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(statement, values![rows], expected).await
}
