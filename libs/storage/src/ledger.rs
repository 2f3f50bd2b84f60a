//! The participant's side of a saga: which steps were done and undone here, with what answer, and by whose order.
//!
//! ```text
//!   do ──▶ (no row) ─▶ Run ─▶ record: applied | rejected | pending ─▶ settle: applied | rejected
//!   undo of nothing, or of a rejected do ─▶ UndoNothing (a tombstone refuses the late do)
//!   undo of a pending do ─▶ UndoPending (the do is tombstoned: its late result is never applied)
//!   undo of an applied do ─▶ Run
//!   any repeat ─▶ Replay of the row as it is now
//! ```
//!
//! The fence row comes first and is locked, so that one saga's steps are decided one after the other, and an owner
//! that has lost its lease is told so.

use std::collections::BTreeSet;

use types::{Fingerprint, Reason, Refusal, Tenant, Timestamp};

use crate::error::DbError;
use crate::overlay::Overlay;
use crate::record;
use crate::statement::Statement;
use crate::step::{Direction, Outcome, StepCall, StepContext};
use crate::table::Table;
use crate::tx::Tx;
use crate::value::Rows;
use crate::values;

/// Insert first, then lock: two callers that meet on a new saga queue up at its row instead of failing.
static LOCK_FENCES: Statement = Statement::new(
    "storage.lock_saga_fences",
    "INSERT INTO saga_fence rows($1: tenant_id text, saga_id text, max_epoch = 0)
     WHERE true ORDER BY tenant_id, saga_id
     ON CONFLICT (tenant_id, saga_id) DO UPDATE SET max_epoch = saga_fence.max_epoch
     RETURNING tenant_id, saga_id, max_epoch",
);

static RAISE_FENCES: Statement = Statement::new(
    "storage.raise_saga_fences",
    "UPDATE saga_fence SET rows($1: tenant_id text, saga_id text | max_epoch bigint)",
);

static LOAD_STEPS: Statement = Statement::new(
    "storage.load_step_ledger",
    "SELECT l.tenant_id, l.saga_id, l.step, l.direction, l.request_hash, l.outcome, l.nothing_to_do, l.completes,
            l.reply, l.epoch, l.at
       FROM step_ledger AS l
       JOIN rows($1: tenant_id text, saga_id text) AS r ON l.tenant_id = r.tenant_id AND l.saga_id = r.saga_id",
);

static RECORD_STEPS: Statement = Statement::new(
    "storage.record_steps",
    "INSERT INTO step_ledger rows($1: tenant_id text, saga_id text, step text, direction text,
       request_hash text, outcome text, nothing_to_do bigint, completes text, reply bytea, epoch bigint,
       at text)",
);

static SETTLE_STEPS: Statement = Statement::new(
    "storage.settle_steps",
    "UPDATE step_ledger SET rows($1: tenant_id text, saga_id text, step text, direction text | outcome text,
       reply bytea)
      AND step_ledger.outcome = 'pending'",
);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct StepKey {
    tenant: Tenant,
    saga_id: String,
    step: String,
    direction: Direction,
}

/// A recorded step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    pub request_hash: Fingerprint,
    pub outcome: Outcome,
    /// An undo that found nothing to undo.
    pub nothing_to_do: bool,
    pub completes: Option<String>,
    pub reply: Vec<u8>,
    pub epoch: i64,
    pub at: Timestamp,
}

/// What to do with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// First time: run it and record the outcome.
    Run,
    /// It was recorded before; answer this.
    Replay(LedgerRow),
    /// Answer this refusal; there is nothing to record.
    Refused(Refusal),
    /// An undo without anything to undo. It is recorded already: answer applied, nothing to do.
    UndoNothing,
    /// The do was pending and is now tombstoned: undo what it has begun, and record.
    UndoPending,
}

/// The steps of the sagas that a batch is about.
#[derive(Debug, Default)]
pub struct StepLedger {
    fences: Table<(Tenant, String), i64>,
    steps: Table<StepKey, LedgerRow>,
}

impl Overlay for StepLedger {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { fences, steps } = self;
        vec![fences, steps]
    }
}

impl StepLedger {
    /// A ledger without a database in which these sagas have done nothing yet: the proofs of a saga run on it.
    pub fn unseen(sagas: &[(Tenant, String)]) -> Self {
        let mut ledger = Self::default();
        for saga in sagas {
            ledger.fences.load(saga.clone(), 0);
        }
        ledger
    }

    /// Locks the sagas' fences and reads their steps. Comes first in every batch, before any other lock.
    pub async fn load(tx: &mut Tx, sagas: &[(Tenant, String)]) -> Result<Self, DbError> {
        let mut ledger = Self::default();
        let distinct: BTreeSet<&(Tenant, String)> = sagas.iter().collect();
        if distinct.is_empty() {
            return Ok(ledger);
        }
        let expected = distinct.len() as u64;
        let rows: Rows = distinct
            .into_iter()
            .map(|(tenant, saga_id)| {
                record! {
                    tenant_id: tenant,
                    saga_id: saga_id,
                }
            })
            .collect();
        for row in tx.fetch_all(&LOCK_FENCES, values![rows.clone()]).await? {
            ledger.fences.load((row.tenant()?, row.text("saga_id")?), row.int("max_epoch")?);
        }
        let actual = ledger.fences.len() as u64;
        if actual != expected {
            return Err(DbError::RowCount { statement: LOCK_FENCES.name(), expected, actual });
        }
        for row in tx.fetch_all(&LOAD_STEPS, values![rows]).await? {
            let key = StepKey {
                tenant: row.tenant()?,
                saga_id: row.text("saga_id")?,
                step: row.text("step")?,
                direction: row.named("direction", Direction::parse)?,
            };
            let step = LedgerRow {
                request_hash: row.parsed("request_hash", Fingerprint::parse)?,
                outcome: row.named("outcome", Outcome::parse)?,
                nothing_to_do: row.int("nothing_to_do")? == 1,
                completes: row.opt_text("completes")?,
                reply: row.bytes("reply")?,
                epoch: row.int("epoch")?,
                at: row.timestamp("at")?,
            };
            ledger.steps.load(key, step);
        }
        Ok(ledger)
    }

    /// Decides what a call means, and raises the fence to its epoch.
    pub fn admit(&mut self, call: &StepCall, at: Timestamp) -> Admission {
        let context = &call.context;
        let fence = self.fence(context);
        if context.epoch < fence {
            let refusal = Refusal::new(Reason::StaleEpoch, "the saga has another owner by now");
            return Admission::Refused(refusal.detail("epoch", context.epoch).detail("fence", fence));
        }
        self.raise_fence(context);
        if let Some(row) = self.steps.get(&key(context, context.direction)) {
            return repeat(call, row);
        }
        match context.direction {
            Direction::Do => self.admit_do(call),
            Direction::Undo => self.admit_undo(call, at),
        }
    }

    fn admit_do(&self, call: &StepCall) -> Admission {
        let Some(completed) = call.completes else { return Admission::Run };
        let mut done = key(&call.context, Direction::Do);
        completed.clone_into(&mut done.step);
        let mut undone = done.clone();
        undone.direction = Direction::Undo;
        let applied = self.steps.get(&done).is_some_and(|row| row.outcome == Outcome::Applied);
        if applied && !self.steps.contains(&undone) {
            return Admission::Run;
        }
        let refusal = Refusal::new(Reason::ProtocolViolation, "the step to complete is not applied");
        Admission::Refused(refusal.detail("step", &call.context.step).detail("completes", completed))
    }

    fn admit_undo(&mut self, call: &StepCall, at: Timestamp) -> Admission {
        let done = key(&call.context, Direction::Do);
        let Some(outcome) = self.steps.get(&done).map(|row| row.outcome) else {
            self.steps.insert(done, row_of(call, Outcome::Tombstoned, Vec::new(), at));
            return self.undo_nothing(call, at);
        };
        if let Some(completing) = self.completing(&call.context) {
            let refusal =
                Refusal::new(Reason::ProtocolViolation, "the step was completed and can't be undone");
            return Admission::Refused(
                refusal.detail("step", &call.context.step).detail("completed_by", completing),
            );
        }
        match outcome {
            Outcome::Applied => Admission::Run,
            Outcome::Rejected | Outcome::Tombstoned => self.undo_nothing(call, at),
            Outcome::Pending => {
                self.steps
                    .update(&done, |row| row.outcome = Outcome::Tombstoned)
                    .expect("its outcome was read above");
                Admission::UndoPending
            }
        }
    }

    fn undo_nothing(&mut self, call: &StepCall, at: Timestamp) -> Admission {
        let row = LedgerRow { nothing_to_do: true, ..row_of(call, Outcome::Applied, Vec::new(), at) };
        self.steps.insert(key(&call.context, Direction::Undo), row);
        Admission::UndoNothing
    }

    /// The step that completes this one, if it was recorded.
    fn completing(&self, context: &StepContext) -> Option<String> {
        let first = StepKey {
            tenant: context.tenant.clone(),
            saga_id: context.saga_id.clone(),
            step: String::new(),
            direction: Direction::Do,
        };
        self.steps
            .range(first..)
            .take_while(|(key, _)| key.tenant == context.tenant && key.saga_id == context.saga_id)
            .find(|(_, row)| row.completes.as_deref() == Some(context.step.as_str()))
            .map(|(key, _)| key.step.clone())
    }

    /// Records what became of a call that was admitted to run. It stays after a rollback when it is called later,
    /// which is how a refusal is recorded: mark, admit, refuse, rollback, record.
    ///
    /// # Panics
    /// If the step is recorded already: only an admitted call may be recorded.
    pub fn record(&mut self, call: &StepCall, outcome: Outcome, reply: Vec<u8>, at: Timestamp) {
        self.raise_fence(&call.context);
        self.steps.insert(key(&call.context, call.context.direction), row_of(call, outcome, reply, at));
    }

    /// Ends a pending do as applied or rejected. False when it is not pending (any more): its undo came first,
    /// or it has ended already; then the result must not be applied.
    #[must_use = "false means that the result must not be applied"]
    pub fn settle(
        &mut self,
        tenant: &Tenant,
        saga_id: &str,
        step: &str,
        outcome: Outcome,
        reply: Vec<u8>,
    ) -> bool {
        let key = StepKey {
            tenant: tenant.clone(),
            saga_id: saga_id.to_owned(),
            step: step.to_owned(),
            direction: Direction::Do,
        };
        if self.steps.get(&key).is_none_or(|row| row.outcome != Outcome::Pending) {
            return false;
        }
        self.steps
            .update(&key, |row| {
                row.outcome = outcome;
                row.reply = reply;
            })
            .is_some()
    }

    /// A recorded step, for those who resolve pending ones.
    pub fn row(
        &self,
        tenant: &Tenant,
        saga_id: &str,
        step: &str,
        direction: Direction,
    ) -> Option<&LedgerRow> {
        let (tenant, saga_id, step) = (tenant.clone(), saga_id.to_owned(), step.to_owned());
        self.steps.get(&StepKey { tenant, saga_id, step, direction })
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        self.fences
            .flush_updates(tx, &RAISE_FENCES, |(tenant, saga_id), epoch| {
                record! {
                    tenant_id: tenant,
                    saga_id: saga_id,
                    max_epoch: *epoch,
                }
            })
            .await?;
        self.steps
            .flush_inserts(tx, &RECORD_STEPS, |key, row| {
                record! {
                    tenant_id: &key.tenant,
                    saga_id: &key.saga_id,
                    step: &key.step,
                    direction: key.direction.as_str(),
                    request_hash: &row.request_hash,
                    outcome: row.outcome.as_str(),
                    nothing_to_do: i64::from(row.nothing_to_do),
                    completes: row.completes.as_deref(),
                    reply: row.reply.clone(),
                    epoch: row.epoch,
                    at: row.at,
                }
            })
            .await?;
        self.steps
            .flush_updates(tx, &SETTLE_STEPS, |key, row| {
                record! {
                    tenant_id: &key.tenant,
                    saga_id: &key.saga_id,
                    step: &key.step,
                    direction: key.direction.as_str(),
                    outcome: row.outcome.as_str(),
                    reply: row.reply.clone(),
                }
            })
            .await
    }

    fn fence(&self, context: &StepContext) -> i64 {
        *self
            .fences
            .get(&(context.tenant.clone(), context.saga_id.clone()))
            .expect("load has locked the fence of every saga of the batch")
    }

    fn raise_fence(&mut self, context: &StepContext) {
        if self.fence(context) < context.epoch {
            self.fences
                .update(&(context.tenant.clone(), context.saga_id.clone()), |fence| *fence = context.epoch)
                .expect("load has locked the fence of every saga of the batch");
        }
    }
}

/// The same call again. A late do of an undone step is told so; another body under the same key is refused.
fn repeat(call: &StepCall, row: &LedgerRow) -> Admission {
    let step = &call.context.step;
    if row.outcome == Outcome::Tombstoned {
        return Admission::Refused(
            Refusal::new(Reason::StepTombstoned, "the step was undone").detail("step", step),
        );
    }
    if row.request_hash != call.request_hash {
        let refusal = Refusal::new(Reason::IdempotencyKeyReused, "the step was called with another body");
        return Admission::Refused(refusal.detail("step", step));
    }
    Admission::Replay(row.clone())
}

fn key(context: &StepContext, direction: Direction) -> StepKey {
    StepKey {
        tenant: context.tenant.clone(),
        saga_id: context.saga_id.clone(),
        step: context.step.clone(),
        direction,
    }
}

fn row_of(call: &StepCall, outcome: Outcome, reply: Vec<u8>, at: Timestamp) -> LedgerRow {
    LedgerRow {
        request_hash: call.request_hash.clone(),
        outcome,
        nothing_to_do: false,
        // An undo completes nothing, whatever its caller fills in.
        completes: call.completes.filter(|_| call.context.direction == Direction::Do).map(str::to_owned),
        reply,
        epoch: call.context.epoch,
        at,
    }
}
