//! A payment gateway for development and tests: a program with a book of its own, which survives
//! whatever happens to us. It misbehaves by the payment's token, as the wire's documentation of
//! `Payment` says, and never at random.
//!
//! It has two faces on the same rules: called in this process, which is the default, and the
//! simulator's over HTTP ([`face`]), which can also be told to misbehave.

mod behaviour;
mod dashboard;
mod elsewhere;
pub mod face;
mod store;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError, WriteError, Writer};
use types::{Clock, PaymentId, RefundId, Tenant};

pub use self::behaviour::Behaviour;
pub use self::elsewhere::ChargeRefused;
pub use self::store::charge::Charge;
pub use self::store::dashboard::{Disputed, End};
pub use self::store::happening::Happening;
use self::store::{Apply, Book};
pub use self::store::{Effect, MIGRATIONS, Outcome};
use super::gateway::{Notice, Unanswered};
use crate::domain::gateway::{
    self, Amounts, Answer, Capabilities, FoundRefund, PartialCapture, Statement, Task,
};

/// The account that it keeps, under whatever name it is called.
pub const ACCOUNT: &str = "sandbox";

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
    capabilities: Capabilities,
}

impl Sandbox {
    /// It takes any refund that is asked for, so that a failure of our own cap shows in its book.
    pub const CAPABILITIES: Capabilities = Capabilities {
        key_window: None,
        caches_errors: true,
        queries_by_reference: true,
        enforces_refund_cap: false,
        partial_capture: PartialCapture::KeepsTheRest,
        voids: true,
        lowers: true,
        webhooks: false,
        amounts: Amounts::Any,
    };

    /// On its own, migrated database.
    pub fn start(database: Database, clock: Clock, delays: Delays) -> Self {
        let book = Arc::new(Book { clock: clock.clone(), delays });
        let writer = Writer::start(database.clone(), book);
        Self { database, writer, clock, capabilities: Self::CAPABILITIES }
    }

    /// The same, claiming to be able to do less: what we do then can be seen without such a gateway.
    #[must_use]
    pub fn declaring(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Applies the effect once per key and answers, unless the token says that the answer is lost.
    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        match self.apply(tenant, task).await {
            Ok(effect) if !effect.is_asked_by(task) => other_body(),
            Ok(_) if Behaviour::of(&task.token).loses_answer(task.effect) => std::future::pending().await,
            Ok(effect) => effect.answer(),
            Err(problem) => lost(&problem),
        }
    }

    /// What the book holds under the task's key, after it was written if it was new.
    async fn apply(&self, tenant: &Tenant, task: &Task) -> Result<Effect, WriteError> {
        let behaviour = Behaviour::of(&task.token);
        self.writer.submit(Apply { tenant: tenant.clone(), task: task.clone(), behaviour }).await
    }

    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        match self.find(tenant, task.subject.key()).await {
            Ok(Some(effect)) if !effect.is_asked_by(task) => Some(other_body()),
            Ok(effect) => effect.map(|effect| effect.answer()),
            Err(problem) => Some(lost(&WriteError::Failed(problem))),
        }
    }

    async fn find(&self, tenant: &Tenant, key: &str) -> Result<Option<Effect>, DbError> {
        self.mature().await?;
        let mut tx = self.database.read().await?;
        store::find(&mut tx, tenant, key).await
    }

    /// What its book says of the payment that a task is about.
    pub async fn statement(&self, tenant: &Tenant, task: &Task) -> Result<Statement, Unanswered> {
        self.read_statement(tenant, &task.payment_id).await.map_err(|problem| {
            tracing::warn!(%problem, "the sandbox gateway did not answer");
            Unanswered { gateway: task.gateway.clone(), detail: "the gateway is not available".to_owned() }
        })
    }

    async fn read_statement(&self, tenant: &Tenant, payment_id: &PaymentId) -> Result<Statement, DbError> {
        self.mature().await?;
        let mut tx = self.database.read().await?;
        let effects = store::of_payment(&mut tx, tenant, payment_id).await?;
        let mut refunds = store::dashboard::refunds(&mut tx, tenant, payment_id).await?;
        let disputes = store::dashboard::disputes(&mut tx, tenant, payment_id).await?;
        let captured = effects
            .iter()
            .filter(|effect| effect.kind == gateway::Effect::Capture && effect.outcome == Outcome::Applied);
        let captured_minor = captured.map(|effect| effect.amount_minor).sum();
        let ours = effects.iter().filter(|effect| effect.kind == gateway::Effect::Refund);
        refunds.extend(ours.map(|effect| FoundRefund {
            gateway_reference: effect.gateway_reference.clone(),
            refund_id: RefundId::parse(&effect.key).ok(),
            amount_minor: effect.amount_minor,
            answer: effect.answer(),
        }));
        Ok(Statement { captured_minor, refunds, disputes })
    }

    /// Changes not heard yet; `gateway` is the name it goes by.
    pub async fn notices(&self, gateway: &str) -> Result<Vec<Notice>, DbError> {
        self.mature().await?;
        let mut tx = self.database.read().await?;
        store::notices(&mut tx, gateway).await
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

fn other_body() -> Answer {
    Answer::Unknown { detail: "the key was used for something else".to_owned() }
}

fn lost(problem: &WriteError) -> Answer {
    tracing::warn!(%problem, "the sandbox gateway did not answer");
    Answer::Unknown { detail: "the gateway is not available".to_owned() }
}
