//! The sandbox's book: one row a key, for ever.

use std::collections::{BTreeMap, BTreeSet};

use storage::{Batch, DbError, Migration, Record, Rows, Statement, Tx, record, values};
use types::{Clock, PaymentId, RefundId, Tenant};

use self::effect::effect;
pub use self::effect::{Effect, Outcome};
use super::{Behaviour, Delays};
use crate::domain::gateway::{self, Task};
use crate::ports::gateway::Notice;

pub mod charge;
pub mod dashboard;
mod effect;
pub mod happening;

pub const MIGRATIONS: &[Migration] = &[
    Migration::shared(10, "gateway", include_str!("../../../../migrations/sandbox/0010_gateway.sql")).and(
        include_str!("../../../../migrations/sandbox/0010_gateway.sqlite.sql"),
        include_str!("../../../../migrations/sandbox/0010_gateway.postgres.sql"),
    ),
    Migration::shared(20, "dashboard", include_str!("../../../../migrations/sandbox/0020_dashboard.sql")),
    Migration::shared(30, "charge", include_str!("../../../../migrations/sandbox/0030_charge.sql")),
];

static LOAD: Statement = Statement::new(
    "sandbox.load_effects",
    "SELECT e.tenant_id, e.key, e.kind, e.order_id, e.payment_id, e.gateway_reference, e.currency, e.amount_minor,
            e.outcome, e.detail, e.changes_at, e.at
       FROM gateway_effect AS e
       JOIN rows($1: tenant_id text, key text) AS r ON e.tenant_id = r.tenant_id AND e.key = r.key",
);

static INSERT: Statement = Statement::new(
    "sandbox.insert_effects",
    "INSERT INTO gateway_effect rows($1: tenant_id text, key text, kind text, order_id text, payment_id text,
       gateway_reference text, currency text, amount_minor bigint, outcome text, detail text,
       changes_at bigint, notice = 0, at text)",
);

static MATURES: Statement = Statement::new(
    "sandbox.anything_matures",
    "SELECT CAST(COUNT(*) AS BIGINT) AS due FROM gateway_effect WHERE changes_at <> 0 AND changes_at <= $1",
);

static MATURE: Statement = Statement::new(
    "sandbox.mature",
    "UPDATE gateway_effect SET outcome = CASE outcome WHEN 'pending' THEN 'applied' ELSE 'failed_after' END,
            detail = CASE outcome WHEN 'pending' THEN '' ELSE 'the bank sent the money back' END,
            changes_at = 0, notice = 1
      WHERE changes_at <> 0 AND changes_at <= $1",
);

static NOTICES: Statement = Statement::new(
    "sandbox.notices",
    "SELECT tenant_id, key, kind, order_id, payment_id, gateway_reference, currency, amount_minor, outcome, detail,
            changes_at, at
       FROM gateway_effect WHERE notice = 1 ORDER BY tenant_id, key LIMIT 64",
);

static HEARD: Statement =
    Statement::new("sandbox.heard", "UPDATE gateway_effect SET notice = 0 WHERE tenant_id = $1 AND key = $2");

static PAGE: Statement = Statement::new(
    "sandbox.page",
    "SELECT tenant_id, key, kind, order_id, payment_id, gateway_reference, currency, amount_minor, outcome, detail,
            changes_at, at
       FROM gateway_effect WHERE tenant_id = $1 AND key > $2 ORDER BY key LIMIT $3",
);

static OF_PAYMENT: Statement = Statement::new(
    "sandbox.effects_of_payment",
    "SELECT tenant_id, key, kind, order_id, payment_id, gateway_reference, currency, amount_minor, outcome, detail,
            changes_at, at
       FROM gateway_effect WHERE tenant_id = $1 AND payment_id = $2 ORDER BY key",
);

/// Writes effects, many in one commit.
pub struct Book {
    pub clock: Clock,
    pub delays: Delays,
}

#[derive(Debug, Clone)]
pub struct Apply {
    pub tenant: Tenant,
    pub task: Task,
    pub behaviour: Behaviour,
}

impl Batch for Book {
    type Command = Apply;
    type Reply = Effect;

    fn key(apply: &Apply) -> String {
        format!("{}/{}", apply.tenant, apply.task.subject.key())
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Apply]) -> Result<Vec<Effect>, DbError> {
        let keys: BTreeSet<(&Tenant, &str)> =
            commands.iter().map(|apply| (&apply.tenant, apply.task.subject.key())).collect();
        let rows: Rows = keys.into_iter().map(|(tenant, key)| values![tenant, key]).collect();
        let mut known = BTreeMap::new();
        for row in tx.fetch_all(&LOAD, values![rows]).await? {
            known.insert((row.tenant()?, row.text("key")?), effect(&row)?);
        }
        let mut new = Vec::new();
        let mut made: Vec<(&Apply, Effect)> = Vec::new();
        let mut replies = Vec::with_capacity(commands.len());
        for apply in commands {
            let key = (apply.tenant.clone(), apply.task.subject.key().to_owned());
            let effect = if let Some(effect) = known.get(&key) {
                effect.clone()
            } else {
                let left = left(tx, apply, &made).await?;
                let effect = self.apply(apply, left, &mut new);
                made.push((apply, effect.clone()));
                effect
            };
            replies.push(effect);
        }
        if !new.is_empty() {
            let expected = new.len() as u64;
            tx.execute_exactly(&INSERT, values![new], expected).await?;
        }
        Ok(replies)
    }
}

impl Book {
    fn apply(&self, apply: &Apply, left: Option<i64>, new: &mut Vec<Record>) -> Effect {
        let task = &apply.task;
        let now = self.clock.now();
        let (outcome, detail) = match left {
            Some(left) if left < task.amount_minor => {
                (Outcome::Declined, "no more can be given back than was captured")
            }
            Some(_) | None => apply.behaviour.outcome(task.effect),
        };
        let changes_at = match (apply.behaviour, task.effect) {
            (Behaviour::DelayRefund, gateway::Effect::Refund) => now.plus(self.delays.late).unix_micros(),
            (Behaviour::FailRefundAfter, gateway::Effect::Refund) => {
                now.plus(self.delays.fail_after).unix_micros()
            }
            _ => 0,
        };
        let effect = Effect {
            key: task.subject.key().to_owned(),
            kind: task.effect,
            order_id: task.order_id.clone(),
            payment_id: task.payment_id.clone(),
            gateway_reference: reference(task.subject.key()),
            currency: task.currency,
            amount_minor: task.amount_minor,
            outcome,
            detail: detail.to_owned(),
            changes_at,
            at: now,
        };
        new.push(record! {
            tenant_id: &apply.tenant,
            key: &effect.key,
            kind: effect.kind.as_str(),
            order_id: &effect.order_id,
            payment_id: &effect.payment_id,
            gateway_reference: &effect.gateway_reference,
            currency: effect.currency.code(),
            amount_minor: effect.amount_minor,
            outcome: effect.outcome.as_str(),
            detail: &effect.detail,
            changes_at: effect.changes_at,
            at: effect.at,
        });
        effect
    }
}

/// What may still be given back of the task's payment, where the gateway looks at that; `new` is of this commit.
async fn left(tx: &mut Tx, apply: &Apply, new: &[(&Apply, Effect)]) -> Result<Option<i64>, DbError> {
    let task = &apply.task;
    if (apply.behaviour, task.effect) != (Behaviour::CapRefunds, gateway::Effect::Refund) {
        return Ok(None);
    }
    let its = new.iter().filter(|(other, effect)| {
        other.tenant == apply.tenant
            && effect.payment_id == task.payment_id
            && effect.kind == gateway::Effect::Refund
            && effect.outcome == Outcome::Applied
    });
    let just_given: i64 = its.map(|(_, effect)| effect.amount_minor).sum();
    Ok(Some(dashboard::left(tx, &apply.tenant, &task.payment_id).await? - just_given))
}

/// The sandbox's own name for what was made with a key.
pub fn reference(key: &str) -> String {
    format!("sandbox-{key}")
}

/// The payment of ours that a name of the sandbox's stands for.
pub fn payment_of(reference: &str) -> Option<PaymentId> {
    reference.strip_prefix("sandbox-").and_then(|key| PaymentId::parse(key).ok())
}

pub async fn find(tx: &mut Tx, tenant: &Tenant, key: &str) -> Result<Option<Effect>, DbError> {
    let rows: Rows = [values![tenant, key]].into_iter().collect();
    tx.fetch_optional(&LOAD, values![rows]).await?.as_ref().map(effect).transpose()
}

pub async fn anything_matures(tx: &mut Tx, now: i64) -> Result<bool, DbError> {
    Ok(tx.fetch_one(&MATURES, values![now]).await?.int("due")? > 0)
}

/// Any number of rows: another process on the same book may have been faster.
pub async fn mature(tx: &mut Tx, now: i64) -> Result<u64, DbError> {
    tx.execute(&MATURE, values![now]).await
}

pub async fn notices(tx: &mut Tx, gateway: &str) -> Result<Vec<Notice>, DbError> {
    let rows = tx.fetch_all(&NOTICES, values![]).await?;
    rows.iter()
        .map(|row| {
            let refund_id = row.parsed("key", RefundId::parse)?;
            let answer = effect(row)?.answer();
            Ok(Notice { gateway: gateway.to_owned(), tenant: row.tenant()?, refund_id, answer })
        })
        .collect()
}

pub async fn heard(tx: &mut Tx, tenant: &Tenant, key: &str) -> Result<(), DbError> {
    tx.execute_exactly(&HEARD, values![tenant, key], 1).await
}

/// All that was asked for one payment, by key.
pub async fn of_payment(
    tx: &mut Tx,
    tenant: &Tenant,
    payment_id: &PaymentId,
) -> Result<Vec<Effect>, DbError> {
    tx.fetch_all(&OF_PAYMENT, values![tenant, payment_id]).await?.iter().map(effect).collect()
}

pub async fn page(tx: &mut Tx, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<Effect>, DbError> {
    tx.fetch_all(&PAGE, values![tenant, after, limit]).await?.iter().map(effect).collect()
}
