//! The worker's hold on sagas: claimed, renewed and let go by the database's clock alone.

use std::time::Instant;

use storage::{Database, DbError, Engine, Row, Rows, Statement, Tx, values};
use types::SagaId;

use super::{record, text};
use crate::books::Record;
use crate::row::{Cause, CauseKind, Lease, SagaKey};

/// What a claim brought: sagas to run, and what their lease counts from in this process.
pub(crate) struct Claimed {
    pub(crate) records: Vec<Record>,
    pub(crate) now: i64,
    pub(crate) began: Instant,
    /// How many rows were claimed, unreadable ones included.
    pub(crate) count: usize,
}

// The common table is materialised: planned as a subquery it could be run again and overshoot its limit.
static CLAIM: Statement = Statement::new(
    "saga.claim",
    "WITH due AS MATERIALIZED (
       SELECT tenant_id AS due_tenant, id AS due_id
         FROM saga
        WHERE state IN ('running', 'parked', 'unwinding') AND next_at <= $1 AND lease_until <= $1
        ORDER BY next_at LIMIT $4
          FOR UPDATE SKIP LOCKED)
     UPDATE saga SET epoch = epoch + 1, lease_owner = $2, lease_until = $3, next_at = $3, woken = 0
       FROM due
      WHERE tenant_id = due_tenant AND id = due_id
     RETURNING tenant_id, id, definition, version, subject_type, subject_id, state, params, traceparent, epoch,
               lease_owner, lease_until, next_at, attempts, panics, woken, silent_since, unwind_cause,
               attention_cause, decided_at, started_at, finished_at",
);

// Only a live lease is renewed: a saga that was parked a moment ago keeps its own schedule. The rows
// are locked in the order of the owner's group commit, which writes the same sagas at the same time.
static RENEW: Statement = Statement::new(
    "saga.renew",
    "WITH held AS MATERIALIZED (
       SELECT saga.tenant_id AS held_tenant, saga.id AS held_id
         FROM saga
         JOIN rows($3: tenant_id text, id text, epoch bigint) AS ours
           ON saga.tenant_id = ours.tenant_id AND saga.id = ours.id AND saga.epoch = ours.epoch
        WHERE saga.lease_until > $1
        ORDER BY saga.tenant_id, saga.id
          FOR UPDATE OF saga)
     UPDATE saga SET lease_until = $2, next_at = $2
       FROM held
      WHERE tenant_id = held_tenant AND id = held_id
     RETURNING tenant_id, id",
);

static LET_GO: Statement = Statement::new(
    "saga.let_go",
    "WITH held AS MATERIALIZED (
       SELECT saga.tenant_id AS held_tenant, saga.id AS held_id
         FROM saga
         JOIN rows($2: tenant_id text, id text, epoch bigint) AS ours
           ON saga.tenant_id = ours.tenant_id AND saga.id = ours.id AND saga.epoch = ours.epoch
        WHERE saga.lease_until > 0
        ORDER BY saga.tenant_id, saga.id
          FOR UPDATE OF saga)
     UPDATE saga SET lease_until = 0, next_at = $1
       FROM held
      WHERE tenant_id = held_tenant AND id = held_id",
);

static FREE_FORMER: Statement = Statement::new(
    "saga.free_former",
    "UPDATE saga SET lease_until = 0, next_at = $1
      WHERE lease_until > 0 AND SUBSTR(lease_owner, 1, LENGTH($2)) = $2",
);

static SET_ASIDE: Statement = Statement::new(
    "saga.set_aside",
    "UPDATE saga SET state = 'needs_attention', attention_cause = $4, lease_until = 0
      WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
);

/// Claims due sagas, the longest due first. Each claim is a new epoch.
pub(crate) async fn claim(database: &Database, lease: &Lease, limit: usize) -> Result<Claimed, DbError> {
    let began = Instant::now();
    database
        .write("saga.claim", |mut tx| async move {
            let claimed = claim_in(&mut tx, lease, limit, began).await?;
            Ok((tx, claimed))
        })
        .await
}

async fn claim_in(tx: &mut Tx, lease: &Lease, limit: usize, began: Instant) -> Result<Claimed, DbError> {
    let now = tx.db_now().await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.fetch_all(&CLAIM, values![now, &lease.owner, now + lease.micros(), limit]).await?;
    let mut sagas = vec![];
    for row in &rows {
        match record::row_of(row) {
            Ok(saga) => sagas.push(saga),
            Err(problem) => set_row_aside(tx, row, &problem).await?,
        }
    }
    let keys: Vec<SagaKey> = sagas.iter().map(|saga| saga.key.clone()).collect();
    let mut logs = record::logs(tx, &keys).await?;
    let records = sagas.into_iter().map(|saga| record::record(saga, &mut logs)).collect();
    Ok(Claimed { records, now, began, count: rows.len() })
}

/// Renews these leases and says which are still ours.
pub(crate) async fn renew(
    database: &Database,
    lease: &Lease,
    held: &[(SagaKey, i64)],
) -> Result<Vec<SagaKey>, DbError> {
    let rows = database
        .write("saga.renew", |mut tx| async move {
            let now = tx.db_now().await?;
            let until = now + lease.micros();
            let rows = tx.fetch_all(&RENEW, values![now, until, held_rows(held)]).await?;
            Ok((tx, rows))
        })
        .await?;
    rows.iter().map(|row| Ok(SagaKey::new(row.tenant()?, row.parsed("id", SagaId::parse)?))).collect()
}

/// Gives leases up before their end, so that another worker goes on at once. A lease lost meanwhile
/// is simply not among the rows.
pub(crate) async fn let_go(database: &Database, held: &[(SagaKey, i64)]) -> Result<u64, DbError> {
    database
        .write("saga.let_go", |mut tx| async move {
            let now = tx.db_now().await?;
            let count = tx.execute(&LET_GO, values![now, held_rows(held)]).await?;
            Ok((tx, count))
        })
        .await
}

/// Gives up the leases of this process's own former life, so that a restart after a crash goes on at once instead of
/// waiting for its own dead leases. It is called before any saga is accepted or claimed.
///
/// An embedded database belongs to one process, so there every lease is a dead one. On a server it is a lease whose
/// owner's name begins with `instance`, and it is the operator's promise that no two processes with that name live at
/// once; without a name every lease runs out by itself.
pub async fn free_former(database: &Database, instance: &str) -> Result<u64, DbError> {
    let owners = match database.engine() {
        Engine::Sqlite => String::new(),
        Engine::Postgres if instance.is_empty() => return Ok(0),
        Engine::Postgres => of_instance(instance, ""),
    };
    database
        .write("saga.free_former", |mut tx| {
            let owners = owners.clone();
            async move {
                let now = tx.db_now().await?;
                let count = tx.execute(&FREE_FORMER, values![now, &owners]).await?;
                Ok((tx, count))
            }
        })
        .await
}

/// The name of a worker in its leases.
pub fn of_instance(instance: &str, worker: &str) -> String {
    if instance.is_empty() { worker.to_owned() } else { format!("{instance}/{worker}") }
}

/// Stops a saga that its owner cannot even load.
pub(crate) async fn set_aside(
    database: &Database,
    key: &SagaKey,
    epoch: i64,
    cause: &Cause,
) -> Result<(), DbError> {
    database
        .write("saga.set_aside", |mut tx| async move {
            let cause = text::of_cause(cause);
            tx.execute_exactly(&SET_ASIDE, values![&key.tenant, &key.id, epoch, &cause], 1).await?;
            Ok((tx, ()))
        })
        .await
}

async fn set_row_aside(tx: &mut Tx, row: &Row, problem: &DbError) -> Result<(), DbError> {
    let (tenant, id, epoch) = (row.text("tenant_id")?, row.text("id")?, row.int("epoch")?);
    tracing::error!(tenant, saga_id = id, %problem, "setting an unreadable saga aside");
    let cause = Cause { kind: CauseKind::Unreadable, step: None, message: problem.to_string() };
    tx.execute_exactly(&SET_ASIDE, values![&tenant, &id, epoch, &text::of_cause(&cause)], 1).await
}

fn held_rows(held: &[(SagaKey, i64)]) -> Rows {
    held.iter().map(|(key, epoch)| values![&key.tenant, &key.id, *epoch]).collect()
}
