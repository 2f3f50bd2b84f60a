//! The sagas of one commit, in memory: an overlay like the others of the storage library, with the
//! verbs of a saga's life. The owner loads it, a command changes it, the batch flushes it.

use std::sync::Arc;
use std::time::Instant;

use storage::{Direction, Overlay, Table};
use types::{Reason, Refusal, SagaId, Tenant, Timestamp};

use crate::advance::{self, Advance, Moment, StepAnswer};
use crate::log::{Entry, Log};
use crate::progress;
use crate::registry::Rules;
use crate::row::{Cause, CauseKind, Lease, SagaKey, SagaRow, State};
use crate::shape::{Shape, StepName, Version};

/// What the owner's books must offer, so that a round is written into them or not at all.
pub trait Books: Overlay {
    /// One of the overlay's parts.
    fn sagas(&mut self) -> &mut SagaBooks;
}

/// A saga to be started in the owner's accepting commit.
#[derive(Clone, Debug)]
pub struct NewSaga {
    pub tenant: Tenant,
    pub id: SagaId,
    pub definition: StepName,
    pub version: Version,
    pub subject_type: &'static str,
    pub subject_id: String,
    /// Everything the steps need, every id minted: nothing is made up on the way.
    pub params: Vec<u8>,
    pub traceparent: Option<String>,
    /// The lease of this process's worker, if the saga is handed over to it after the commit;
    /// without one any worker claims it.
    pub lease: Option<Lease>,
}

/// A saga as of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaImage {
    pub row: SagaRow,
    pub log: Log,
    /// The database's clock at that commit, in microseconds.
    pub now: i64,
    /// Read before the commit's clock was: the lease counts from here in this process.
    pub began: Instant,
}

/// The fence: another worker has the saga now, or it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saga's lease is lost")]
pub struct LeaseLost;

/// What a signal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The saga is due now.
    Due,
    /// A worker holds it; it will not park over the signal.
    Remembered,
    /// It is over, or it stands still until somebody acts.
    NotWaiting,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) row: SagaRow,
    /// An unreadable log says what is wrong with it.
    pub(crate) log: Result<Log, String>,
    /// How many of its entries the database has.
    pub(crate) stored: usize,
    /// The epoch the database has: the fence of the update.
    pub(crate) stored_epoch: i64,
}

pub struct SagaBooks {
    pub(crate) table: Table<SagaKey, Record>,
    rules: Arc<Rules>,
    pub(crate) now: i64,
    pub(crate) began: Instant,
}

impl Overlay for SagaBooks {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { table, rules: _, now: _, began: _ } = self;
        vec![table]
    }
}

impl SagaBooks {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { table: Table::new(), rules, now: 0, began: Instant::now() }
    }

    pub fn get(&self, key: &SagaKey) -> Option<&SagaRow> {
        self.table.get(key).map(|record| &record.row)
    }

    pub fn log(&self, key: &SagaKey) -> Option<&Log> {
        self.table.get(key).and_then(|record| record.log.as_ref().ok())
    }

    /// The remote steps that are asked next, in the order of the table.
    pub fn open_steps(&self, key: &SagaKey) -> Vec<(StepName, Direction)> {
        let Some(record) = self.table.get(key) else { return vec![] };
        match (self.rules.shape(&record.row), &record.log) {
            (Some(shape), Ok(log)) => advance::open_steps(&self.rules.next(shape, log)),
            (None, _) | (_, Err(_)) => vec![],
        }
    }

    /// The saga as it stands now; an unreadable log shows as an empty one.
    pub fn image(&self, key: &SagaKey) -> Option<SagaImage> {
        let record = self.table.get(key)?;
        let log = record.log.clone().unwrap_or_default();
        Some(SagaImage { row: record.row.clone(), log, now: self.now, began: self.began })
    }

    /// Adds a saga. Its image is handed to the runner after the commit.
    pub fn start(&mut self, new: NewSaga) -> SagaImage {
        let key = SagaKey::new(new.tenant, new.id);
        let mut row = SagaRow {
            key: key.clone(),
            definition: new.definition.to_owned(),
            version: new.version,
            subject_type: new.subject_type.to_owned(),
            subject_id: new.subject_id,
            state: State::Running,
            params: new.params.into(),
            traceparent: new.traceparent,
            epoch: 1,
            lease_owner: String::new(),
            lease_until: 0,
            next_at: self.now,
            attempts: 0,
            panics: 0,
            woken: false,
            silent_since: None,
            unwind_cause: None,
            attention: None,
            decided_at: None,
            started_at: self.moment().at,
            finished_at: None,
        };
        if let Some(lease) = &new.lease {
            row.hold(lease, self.now);
        }
        let log = Log::default();
        let record = Record { row: row.clone(), log: Ok(log.clone()), stored: 0, stored_epoch: 1 };
        self.table.insert(key, record);
        SagaImage { row, log, now: self.now, began: self.began }
    }

    /// Asks a saga to turn back; only before its decision. A worker in the middle of a call goes on
    /// and turns at its next commit; a parked saga is due at once. It clears the attention, and the
    /// owner closes its item.
    pub fn request_unwind(&mut self, key: &SagaKey, cause: Refusal) -> Result<(), Refusal> {
        let moment = self.moment();
        let rules = Arc::clone(&self.rules);
        self.edit(key, |row, log| {
            let shape = rules.shape(row).ok_or_else(|| unknown_definition(row))?;
            if !progress::may_unwind(shape, log) {
                let refusal =
                    Refusal::new(Reason::AlreadyDecided, "the saga is decided or already turning back");
                return Err(refusal.detail("saga", &row.key.id));
            }
            advance::turn_back(row, log, cause, moment.at);
            resume(row, shape, log, moment.now);
            Ok(())
        })?
    }

    /// An operator's "go on": clears the attention, for which the owner closes its item, and makes the
    /// saga due.
    pub fn retry(&mut self, key: &SagaKey) -> Result<(), Refusal> {
        let moment = self.moment();
        let rules = Arc::clone(&self.rules);
        let record = self.table.get(key).ok_or_else(|| not_found(key))?;
        if record.row.state.is_terminal() {
            return Err(Refusal::new(Reason::NotRetryable, "the saga is over").detail("saga", &key.id));
        }
        let done = self.table.update(key, |record| {
            let row = &mut record.row;
            row.attention = None;
            row.attempts = 0;
            row.panics = 0;
            row.silent_since = None;
            match (rules.shape(row), &record.log) {
                (Some(shape), Ok(log)) => resume(row, shape, log, moment.now),
                // The claim judges again what it could not run before.
                (None, _) | (_, Err(_)) => {
                    row.state = State::Running;
                    row.let_go(moment.now);
                }
            }
        });
        done.ok_or_else(|| not_found(key))
    }

    /// A participant's signal: the pending step has ended.
    pub fn wake(&mut self, key: &SagaKey) -> Wake {
        let now = self.now;
        let woken = self.table.update(key, |record| {
            let row = &mut record.row;
            match row.state {
                State::Completed | State::Unwound | State::NeedsAttention => Wake::NotWaiting,
                State::Running | State::Parked | State::Unwinding if row.lease_until > now => {
                    row.woken = true;
                    Wake::Remembered
                }
                State::Running | State::Parked | State::Unwinding => {
                    row.next_at = now;
                    Wake::Due
                }
            }
        });
        woken.unwrap_or(Wake::Unknown)
    }

    pub(crate) fn shape_of(&self, row: &SagaRow) -> Option<&Shape> {
        self.rules.shape(row)
    }

    /// Why this program cannot run a saga at all.
    pub(crate) fn unrunnable(&self, key: &SagaKey) -> Option<Cause> {
        self.table.get(key).and_then(|record| record.unrunnable(self.rules.shape(&record.row)))
    }

    /// The saga's log length and attention, if this epoch still owns it.
    pub(crate) fn fenced(&self, key: &SagaKey, epoch: i64) -> Result<(usize, Option<Cause>), LeaseLost> {
        let record = self.table.get(key).ok_or(LeaseLost)?;
        if record.row.epoch != epoch || record.row.state.is_terminal() {
            return Err(LeaseLost);
        }
        let entries = record.log.as_ref().map_or(0, |log| log.entries().len());
        Ok((entries, record.row.attention.clone()))
    }

    /// Raises the epoch for an operator's own advance. Gives the saga's log length and attention.
    pub(crate) fn take_over(&mut self, key: &SagaKey) -> Result<(usize, Option<Cause>), Refusal> {
        let rules = Arc::clone(&self.rules);
        self.edit(key, |row, log| {
            rules.shape(row).ok_or_else(|| unknown_definition(row))?;
            row.epoch += 1;
            Ok((log.entries().len(), row.attention.clone()))
        })?
    }

    pub(crate) fn hear(&mut self, key: &SagaKey, answers: &[StepAnswer]) {
        let (rules, moment) = (Arc::clone(&self.rules), self.moment());
        self.change(key, |shape, row, log| advance::hear(&rules, shape, row, log, answers, moment));
    }

    pub(crate) fn schedule(&mut self, advance: &Advance) {
        let (rules, moment) = (Arc::clone(&self.rules), self.moment());
        self.change(&advance.key, |shape, row, log| {
            advance::schedule(&rules, shape, row, log, advance, moment);
        });
    }

    pub(crate) fn record_local(&mut self, key: &SagaKey, step: StepName, decides: bool, reply: Vec<u8>) {
        let moment = self.moment();
        self.change(key, |_, row, log| {
            log.push(advance::local_entry(step, row.epoch, reply, moment.at));
            if decides {
                row.decided_at = Some(moment.at);
            }
        });
    }

    pub(crate) fn local_panicked(&mut self, key: &SagaKey, cause: Cause, jitter: f64) {
        let (rules, moment) = (Arc::clone(&self.rules), self.moment());
        self.change(key, |shape, row, log| {
            row.panics += 1;
            if row.panics >= rules.limits.panics_max {
                advance::stop(row, cause, moment);
            } else {
                advance::retry_later(&rules.limits, shape, row, log, jitter, moment);
            }
        });
    }

    /// After an operator's own advance: over, or due for any worker.
    pub(crate) fn release(&mut self, key: &SagaKey) {
        let (rules, moment) = (Arc::clone(&self.rules), self.moment());
        self.change(key, |shape, row, log| {
            advance::after_resolve(&rules, shape, row, log, moment);
        });
    }

    /// Stops a saga; this needs neither its shape nor its log.
    pub(crate) fn set_aside(&mut self, key: &SagaKey, cause: Cause) {
        let moment = self.moment();
        self.table
            .update(key, |record| advance::stop(&mut record.row, cause, moment))
            .expect("the saga was found before it was set aside");
    }

    fn change(&mut self, key: &SagaKey, change: impl FnOnce(&Shape, &mut SagaRow, &mut Log)) {
        let rules = Arc::clone(&self.rules);
        self.table
            .update(key, |record| {
                let shape = rules.shape(&record.row).expect("an unrunnable saga was set aside before");
                let log = record.log.as_mut().expect("an unrunnable saga was set aside before");
                change(shape, &mut record.row, log);
            })
            .expect("the saga was found before it was changed");
    }

    fn edit<R>(
        &mut self,
        key: &SagaKey,
        change: impl FnOnce(&mut SagaRow, &mut Log) -> R,
    ) -> Result<R, Refusal> {
        let edited = self.table.update(key, |record| {
            let log = record
                .log
                .as_mut()
                .map_err(|_| Refusal::new(Reason::StateConflict, "the saga's log cannot be read"))?;
            Ok(change(&mut record.row, log))
        });
        edited.unwrap_or_else(|| Err(not_found(key)))
    }

    pub(crate) fn moment(&self) -> Moment {
        let at =
            Timestamp::from_unix_micros(self.now).expect("the database's clock is between 1970 and 9999");
        Moment { now: self.now, at }
    }
}

/// Makes a saga due. A worker that holds it keeps it, and sees the change at its next commit.
fn resume(row: &mut SagaRow, shape: &Shape, log: &Log, now: i64) {
    row.state = advance::moving(shape, log);
    if row.lease_until > now {
        row.woken = true;
    } else {
        row.let_go(now);
    }
}

fn not_found(key: &SagaKey) -> Refusal {
    Refusal::new(Reason::ResourceNotFound, "there is no such saga").detail("saga", &key.id)
}

fn unknown_definition(row: &SagaRow) -> Refusal {
    let message = format!("this program has no definition {} version {}", row.definition, row.version.0);
    Refusal::new(Reason::StateConflict, message).detail("saga", &row.key.id)
}

impl Record {
    pub(crate) fn unrunnable(&self, shape: Option<&Shape>) -> Option<Cause> {
        let cause = |kind, message| Some(Cause { kind, step: None, message });
        let Some(shape) = shape else {
            return cause(CauseKind::UnknownDefinition, unknown_definition(&self.row).message);
        };
        match &self.log {
            Err(problem) => cause(CauseKind::Unreadable, problem.clone()),
            Ok(log) => {
                let stranger = log.entries().iter().find(|entry| !shape.knows(&entry.step))?;
                cause(
                    CauseKind::Unreadable,
                    format!("the log has a step {:?} of another table", stranger.step),
                )
            }
        }
    }

    /// The entries that are still to be stored.
    pub(crate) fn fresh(&self) -> &[Entry] {
        self.log.as_ref().map_or(&[], |log| log.since(self.stored))
    }
}
