//! The image of the rows a batch has read and changed. A refused command is rolled back in memory, and what is left at
//! the end is written set-based: no savepoints, no statement per row.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use crate::error::DbError;
use crate::overlay::Overlay;
use crate::record::Record;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::values;

/// Rows of one table by key. Nothing is ever deleted, so a row is either as it was read, changed, or new.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    slots: BTreeMap<K, Slot<V>>,
    /// What the rows touched since the mark were before, newest last.
    journal: Vec<(K, Option<V>)>,
}

#[derive(Debug, Clone)]
struct Slot<V> {
    loaded: Option<V>,
    now: V,
}

impl<K: Ord + Clone, V: Clone + PartialEq> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Overlay for Table<K, V> {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        Vec::new()
    }

    fn mark(&mut self) {
        self.journal.clear();
    }

    fn rollback(&mut self) {
        while let Some((key, before)) = self.journal.pop() {
            match before {
                None => {
                    self.slots.remove(&key);
                }
                Some(before) => {
                    self.slots.get_mut(&key).expect("a changed row is never removed").now = before;
                }
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Table<K, V> {
    pub const fn new() -> Self {
        Self { slots: BTreeMap::new(), journal: Vec::new() }
    }

    /// Takes a row as it was read. A row that is here already stays as it is, so overlapping reads are harmless.
    pub fn load(&mut self, key: K, value: V) {
        self.slots.entry(key).or_insert_with(|| Slot { loaded: Some(value.clone()), now: value });
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.slots.get(key).map(|slot| &slot.now)
    }

    pub fn contains(&self, key: &K) -> bool {
        self.slots.contains_key(key)
    }

    /// The row as it was read, whatever has become of it since.
    pub fn loaded(&self, key: &K) -> Option<&V> {
        self.slots.get(key).and_then(|slot| slot.loaded.as_ref())
    }

    /// Changes a row; None if there is no such row.
    #[must_use = "None means that there is no such row and nothing was changed"]
    pub fn update<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let slot = self.slots.get_mut(key)?;
        self.journal.push((key.clone(), Some(slot.now.clone())));
        Some(change(&mut slot.now))
    }

    /// Adds a new row.
    ///
    /// # Panics
    /// If the row exists: a caller that mints a key twice has a bug, and its command must fail, not overwrite.
    pub fn insert(&mut self, key: K, value: V) {
        assert!(!self.slots.contains_key(&key), "a new row has the key of an existing one");
        self.journal.push((key.clone(), None));
        self.slots.insert(key, Slot { loaded: None, now: value });
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.slots.iter().map(|(key, slot)| (key, &slot.now))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.slots.keys()
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.slots.values().map(|slot| &slot.now)
    }

    pub fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.slots.range(keys).map(|(key, slot)| (key, &slot.now))
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn inserted(&self) -> Vec<(&K, &V)> {
        let new = self.slots.iter().filter(|(_, slot)| slot.loaded.is_none());
        new.map(|(key, slot)| (key, &slot.now)).collect()
    }

    /// The rows that differ from what was read.
    pub fn updated(&self) -> Vec<(&K, &V)> {
        let changed = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.loaded.as_ref().is_some_and(|loaded| *loaded != slot.now));
        changed.map(|(key, slot)| (key, &slot.now)).collect()
    }

    /// Writes the new rows with `insert` and the changed ones with `update`, each in one statement that takes
    /// `rows($1: …)` in the form that `row` gives, and checks both counts.
    pub async fn flush(
        &self,
        tx: &mut Tx,
        insert: &'static Statement,
        update: &'static Statement,
        row: impl Fn(&K, &V) -> Record,
    ) -> Result<(), DbError> {
        self.flush_inserts(tx, insert, &row).await?;
        self.flush_updates(tx, update, &row).await
    }

    pub async fn flush_inserts(
        &self,
        tx: &mut Tx,
        insert: &'static Statement,
        row: impl Fn(&K, &V) -> Record,
    ) -> Result<(), DbError> {
        let rows: Vec<Record> = self.inserted().into_iter().map(|(key, value)| row(key, value)).collect();
        write(tx, insert, rows).await
    }

    pub async fn flush_updates(
        &self,
        tx: &mut Tx,
        update: &'static Statement,
        row: impl Fn(&K, &V) -> Record,
    ) -> Result<(), DbError> {
        let rows: Vec<Record> = self.updated().into_iter().map(|(key, value)| row(key, value)).collect();
        write(tx, update, rows).await
    }
}

/// Keys are distinct here by construction, so the number of rows is the number of keys.
async fn write(tx: &mut Tx, statement: &'static Statement, rows: Vec<Record>) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(statement, values![rows], expected).await
}

#[cfg(test)]
mod tests;
