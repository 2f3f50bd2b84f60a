//! A payment gateway for development and tests: a program with a book of its own, which survives
//! whatever happens to us. It misbehaves by the payment's token, as the wire's documentation of
//! `Payment` says, and never at random.

mod behaviour;
mod store;

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError, WriteError, Writer};
use types::{Clock, Tenant};

pub use self::behaviour::Behaviour;
use self::store::{Apply, Book};
pub use self::store::{Effect, MIGRATIONS, Outcome};
use super::gateway::Notice;
use crate::domain::gateway::{Answer, Task};

/// The name its database is migrated under.
pub const NAME: &str = "sandbox-gateway";

/// How long its late effects take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From "pending" to the success of `tok_refund_late`.
    pub late: Duration,
    /// From the success to the failure of `tok_refund_fail_after`.
    pub fail_after: Duration,
}

#[derive(Clone)]
pub struct Sandbox {
    database: Database,
    writer: Writer<Book>,
    clock: Clock,
}

impl Sandbox {
    /// On its own, migrated database.
    pub fn start(database: Database, clock: Clock, delays: Delays) -> Self {
        let book = Arc::new(Book { clock: clock.clone(), delays });
        Self { writer: Writer::start(database.clone(), book), database, clock }
    }

    /// Applies the effect once per key and answers, unless the token says that the answer is lost.
    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        let behaviour = Behaviour::of(&task.token);
        let apply = Apply { tenant: tenant.clone(), task: task.clone(), behaviour };
        match self.writer.submit(apply).await {
            Ok(_) if behaviour.loses_answer(task.effect) => std::future::pending().await,
            Ok(effect) => effect.answer(),
            Err(problem) => lost(&problem),
        }
    }

    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        match self.find(tenant, task.subject.key()).await {
            Ok(effect) => effect.map(|effect| effect.answer()),
            Err(problem) => Some(lost(&WriteError::Failed(problem))),
        }
    }

    async fn find(&self, tenant: &Tenant, key: &str) -> Result<Option<Effect>, DbError> {
        self.mature().await?;
        let mut tx = self.database.read().await?;
        store::find(&mut tx, tenant, key).await
    }

    pub async fn notices(&self) -> Result<Vec<Notice>, DbError> {
        self.mature().await?;
        let mut tx = self.database.read().await?;
        store::notices(&mut tx).await
    }

    pub async fn heard(&self, tenant: &Tenant, key: &str) -> Result<(), DbError> {
        let (tenant, key) = (tenant.clone(), key.to_owned());
        self.database
            .write("sandbox.heard", |mut tx| {
                let (tenant, key) = (tenant.clone(), key.clone());
                async move {
                    store::heard(&mut tx, &tenant, &key).await?;
                    Ok((tx, ()))
                }
            })
            .await
    }

    /// The book, by key, above `after`.
    pub async fn effects(&self, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<Effect>, DbError> {
        let mut tx = self.database.read().await?;
        store::page(&mut tx, tenant, after, limit).await
    }

    /// Lets the late effects happen whose time has come. Looked at first, so that an idle gateway
    /// writes nothing.
    async fn mature(&self) -> Result<(), DbError> {
        let now = self.clock.now().unix_micros();
        let mut tx = self.database.read().await?;
        let due = store::anything_matures(&mut tx, now).await?;
        tx.rollback().await;
        if !due {
            return Ok(());
        }
        self.database
            .write("sandbox.mature", |mut tx| async move {
                store::mature(&mut tx, now).await?;
                Ok((tx, ()))
            })
            .await
    }
}

fn lost(problem: &WriteError) -> Answer {
    tracing::warn!(%problem, "the sandbox gateway did not answer");
    Answer::Unknown { detail: "the gateway is not available".to_owned() }
}
