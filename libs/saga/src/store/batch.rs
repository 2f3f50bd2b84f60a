//! The group commit of the owner: sagas are read under their locks and written set-based.

use std::time::Instant;

use storage::{DbError, Statement, Tx, values};

use super::record;
use crate::books::SagaBooks;
use crate::row::SagaKey;

static LOAD: Statement = Statement::new(
    "saga.load",
    "SELECT tenant_id, id, definition, version, subject_type, subject_id, state, params, traceparent, epoch,
            lease_owner, lease_until, next_at, attempts, panics, woken, silent_since, unwind_cause,
            attention_cause, decided_at, started_at, finished_at
       FROM saga
      WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM rows($1: tenant_id text, id text))
      ORDER BY tenant_id, id FOR UPDATE",
);

static INSERT: Statement = Statement::new(
    "saga.insert",
    "INSERT INTO saga rows($1: tenant_id text, id text, definition text, version bigint, subject_type text,
       subject_id text, params bytea, traceparent text, started_at text, state text, epoch bigint,
       lease_owner text, lease_until bigint, next_at bigint, attempts bigint, panics bigint,
       woken bigint, silent_since bigint, unwind_cause text, attention_cause text, decided_at text,
       finished_at text)",
);

static UPDATE: Statement = Statement::new(
    "saga.update",
    "UPDATE saga SET rows($1: tenant_id text, id text | state text, epoch bigint, lease_owner text,
       lease_until bigint, next_at bigint, attempts bigint, panics bigint, woken bigint,
       silent_since bigint, unwind_cause text, attention_cause text, decided_at text, finished_at text
       | stored_epoch bigint)
      AND saga.epoch = r.stored_epoch",
);

static APPEND: Statement = Statement::new(
    "saga.append",
    "INSERT INTO saga_step rows($1: tenant_id text, saga_id text, seq bigint, step text, direction text,
       outcome text, nothing_to_do bigint, reply bytea, reason text, attempts bigint, epoch bigint,
       at text)",
);

impl SagaBooks {
    /// Reads these sagas and their logs under lock. A key without a saga is simply not there. Called
    /// in every commit that starts, advances or touches a saga, with no keys too: it also takes the
    /// database's clock.
    pub async fn load(&mut self, tx: &mut Tx, keys: &[SagaKey]) -> Result<(), DbError> {
        if self.now == 0 {
            self.began = Instant::now();
            self.now = tx.db_now().await?;
        }
        if keys.is_empty() {
            return Ok(());
        }
        let rows = tx.fetch_all(&LOAD, values![record::key_rows(keys)]).await?;
        let mut logs = record::logs(tx, keys).await?;
        for row in &rows {
            let row = record::row_of(row)?;
            self.table.load(row.key.clone(), record::record(row, &mut logs));
        }
        Ok(())
    }

    /// Writes new sagas, changed rows and new log entries, each in one statement with its count checked.
    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        self.table.flush_inserts(tx, &INSERT, |_, record| record::new_row(record)).await?;
        self.table.flush_updates(tx, &UPDATE, |_, record| record::changed_row(record)).await?;
        let entries: Vec<storage::Record> = self
            .table
            .iter()
            .flat_map(|(key, record)| record.fresh().iter().map(move |entry| record::entry_row(key, entry)))
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        let count = entries.len() as u64;
        tx.execute_exactly(&APPEND, values![entries], count).await
    }
}
