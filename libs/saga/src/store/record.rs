//! One saga's rows, read and written.

use std::collections::BTreeMap;

use storage::{DbError, Direction, Row, Rows, Statement, Tx, record, values};
use types::SagaId;

use super::text;
use crate::books::Record;
use crate::log::{Entry, Log, Outcome};
use crate::row::{SagaKey, SagaRow, State};
use crate::shape::Version;

pub(super) fn row_of(row: &Row) -> Result<SagaRow, DbError> {
    Ok(SagaRow {
        key: SagaKey::new(row.tenant()?, row.parsed("id", SagaId::parse)?),
        definition: row.text("definition")?,
        version: Version(row.int("version")?),
        subject_type: row.text("subject_type")?,
        subject_id: row.text("subject_id")?,
        state: row.named("state", State::parse)?,
        params: row.bytes("params")?.into(),
        traceparent: row.opt_text("traceparent")?,
        epoch: row.int("epoch")?,
        lease_owner: row.text("lease_owner")?,
        lease_until: row.int("lease_until")?,
        next_at: row.int("next_at")?,
        attempts: row.int("attempts")?,
        panics: row.int("panics")?,
        woken: row.int("woken")? == 1,
        silent_since: row.opt_int("silent_since")?,
        unwind_cause: row.opt_text("unwind_cause")?.map(|cause| text::to_refusal(&cause)),
        attention: row.opt_text("attention_cause")?.map(|cause| text::to_cause(&cause)),
        decided_at: row.opt_timestamp("decided_at")?,
        started_at: row.timestamp("started_at")?,
        finished_at: row.opt_timestamp("finished_at")?,
    })
}

/// The logs of these sagas. A log with an unreadable entry is the text of what is wrong with it: one
/// such saga must not stop the others that are read with it.
pub(super) async fn logs(
    tx: &mut Tx,
    keys: &[SagaKey],
) -> Result<BTreeMap<SagaKey, Result<Log, String>>, DbError> {
    static LOGS: Statement = Statement::new(
        "saga.load_logs",
        "SELECT tenant_id, saga_id, seq, step, direction, outcome, nothing_to_do, reply, reason, attempts, epoch, at
           FROM saga_step
          WHERE (tenant_id, saga_id) IN (SELECT tenant_id, saga_id FROM rows($1: tenant_id text, saga_id text))
          ORDER BY tenant_id, saga_id, seq",
    );
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut entries: BTreeMap<SagaKey, Result<Vec<Entry>, String>> = BTreeMap::new();
    for row in tx.fetch_all(&LOGS, values![key_rows(keys)]).await? {
        let key = SagaKey::new(row.tenant()?, row.parsed("saga_id", SagaId::parse)?);
        let log = entries.entry(key).or_insert_with(|| Ok(vec![]));
        match (log.as_mut(), entry_of(&row)) {
            (Ok(log), Ok(entry)) => log.push(entry),
            (Ok(_), Err(problem)) => *log = Err(problem.to_string()),
            (Err(_), _) => {}
        }
    }
    let read = |log: Result<Vec<Entry>, String>| log.and_then(Log::read);
    Ok(entries.into_iter().map(|(key, log)| (key, read(log))).collect())
}

pub(super) fn record(row: SagaRow, logs: &mut BTreeMap<SagaKey, Result<Log, String>>) -> Record {
    let log = logs.remove(&row.key).unwrap_or_else(|| Ok(Log::default()));
    let stored = log.as_ref().map_or(0, |log| log.entries().len());
    let stored_epoch = row.epoch;
    Record { row, log, stored, stored_epoch }
}

pub(super) fn key_rows(keys: &[SagaKey]) -> Rows {
    keys.iter().map(|key| values![&key.tenant, &key.id]).collect()
}

pub(super) fn new_row(record: &Record) -> storage::Record {
    let row = &record.row;
    let written_once = record! {
        definition: &row.definition,
        version: row.version.0,
        subject_type: &row.subject_type,
        subject_id: &row.subject_id,
        params: row.params.to_vec(),
        traceparent: row.traceparent.clone(),
        started_at: row.started_at,
    };
    moving(row).and(written_once)
}

pub(super) fn changed_row(record: &Record) -> storage::Record {
    moving(&record.row).and(record! { stored_epoch: record.stored_epoch })
}

/// The key, and the columns that move.
fn moving(row: &SagaRow) -> storage::Record {
    record! {
        tenant_id: &row.key.tenant,
        id: &row.key.id,
        state: row.state.as_str(),
        epoch: row.epoch,
        lease_owner: &row.lease_owner,
        lease_until: row.lease_until,
        next_at: row.next_at,
        attempts: row.attempts,
        panics: row.panics,
        woken: i64::from(row.woken),
        silent_since: row.silent_since,
        unwind_cause: row.unwind_cause.as_ref().map(text::of_refusal),
        attention_cause: row.attention.as_ref().map(text::of_cause),
        decided_at: row.decided_at,
        finished_at: row.finished_at,
    }
}

pub(super) fn entry_row(key: &SagaKey, entry: &Entry) -> storage::Record {
    record! {
        tenant_id: &key.tenant,
        saga_id: &key.id,
        seq: entry.seq,
        step: &entry.step,
        direction: entry.direction.as_str(),
        outcome: entry.outcome.as_str(),
        nothing_to_do: i64::from(entry.nothing_to_do),
        reply: entry.reply.to_vec(),
        reason: entry.refusal.as_ref().map(text::of_refusal),
        attempts: entry.attempts,
        epoch: entry.epoch,
        at: entry.at,
    }
}

fn entry_of(row: &Row) -> Result<Entry, DbError> {
    Ok(Entry {
        seq: row.int("seq")?,
        step: row.text("step")?,
        direction: row.named("direction", Direction::parse)?,
        outcome: row.named("outcome", Outcome::parse)?,
        nothing_to_do: row.int("nothing_to_do")? == 1,
        reply: row.bytes("reply")?.into(),
        refusal: row.opt_text("reason")?.map(|reason| text::to_refusal(&reason)),
        attempts: row.int("attempts")?,
        epoch: row.int("epoch")?,
        at: row.timestamp("at")?,
    })
}
