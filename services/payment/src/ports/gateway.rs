//! What a gateway must be able to do. An adapter is a variant here.
//!
//! Its contract: a key that was applied is never applied again, however often and by whomever it is
//! sent; what became of a key can be asked; and what changes after an answer (a pending refund's end,
//! a late failure) is told by [`Gateways::notices`] or by a webhook, and found by asking in any case.
//! No adapter says that something was done because a call did not fail: "no answer" is an answer of
//! its own. Where a gateway falls short of the contract, its [`Capabilities`] say so.

use std::collections::BTreeMap;
use std::sync::Arc;

use storage::DbError;
use types::{Currency, Reason, RefundId, Refusal, Tenant, Timestamp};

use super::sandbox::{self, Sandbox};
use super::simulator::Simulator;
use super::stripe::Stripe;
use super::webhook::{self, WebhookRefusal};
use crate::domain::gateway::{Answer, Capabilities, GatewayEvent, Reading, Statement, Task};
use crate::domain::payment;

/// The gateways by the names that tenders and payments give them.
#[derive(Clone)]
pub struct Gateways {
    named: Arc<BTreeMap<String, Gateway>>,
    webhook_secrets: Arc<BTreeMap<String, Secrets>>,
    /// Whose money each name moves, where that is not the name.
    accounts: Arc<BTreeMap<String, String>>,
    /// Answers for payments brought in from elsewhere whose gateway is none of the named ones.
    stand_in: Option<Gateway>,
}

/// The live secrets of each tenant's webhook endpoint at one gateway.
pub type Secrets = BTreeMap<Tenant, Vec<String>>;

#[derive(Clone)]
pub enum Gateway {
    /// The built-in one, in this process.
    Sandbox(Sandbox),
    /// The same over HTTP, in a process of its own.
    Simulator(Simulator),
    Stripe(Stripe),
}

/// A change that a gateway reports by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The name of the gateway that told it.
    pub gateway: String,
    pub tenant: Tenant,
    pub refund_id: RefundId,
    pub answer: Answer,
}

/// The gateway could not be asked; nothing is known, and the question may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gateway {gateway:?} did not answer: {detail}")]
pub struct Unanswered {
    pub gateway: String,
    pub detail: String,
}

impl Gateways {
    pub fn new(named: BTreeMap<String, Gateway>, stand_in: Option<Gateway>) -> Self {
        Self { named: Arc::new(named), webhook_secrets: Arc::default(), accounts: Arc::default(), stand_in }
    }

    #[must_use]
    pub fn with_accounts(self, accounts: BTreeMap<String, String>) -> Self {
        Self { accounts: Arc::new(accounts), ..self }
    }

    #[must_use]
    pub fn with_webhook_secrets(self, secrets: BTreeMap<String, Secrets>) -> Self {
        Self { webhook_secrets: Arc::new(secrets), ..self }
    }

    /// Proves and reads what came in on a tenant's endpoint of a gateway. The tenant is the path's,
    /// and proven by this: only that endpoint's secrets are tried.
    pub fn webhook(
        &self,
        gateway: &str,
        tenant: &Tenant,
        header: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<GatewayEvent, WebhookRefusal> {
        let secrets = self.webhook_secrets.get(gateway).and_then(|secrets| secrets.get(tenant));
        webhook::verify(header, body, secrets.map_or(&[], Vec::as_slice), now)?;
        webhook::parse(gateway, body)
    }

    /// Refuses a new tender of a gateway that is not configured: what is accepted is asked for, and
    /// money must not wait for a name that nobody answers to.
    pub fn check(&self, name: &str) -> Result<(), Refusal> {
        if payment::Kind::named(name) != payment::Kind::Gateway || self.named.contains_key(name) {
            return Ok(());
        }
        let refusal = Refusal::new(Reason::FieldInvalid, "no gateway of this name is configured");
        Err(refusal.field("gateway").detail("gateway", name))
    }

    /// Names of the gateways that keep their books elsewhere than in the sandbox of this process.
    pub fn beside_the_sandbox(&self) -> Vec<String> {
        let elsewhere = self.named.iter().filter(|(_, gateway)| !matches!(gateway, Gateway::Sandbox(_)));
        elsewhere.map(|(name, _)| name.clone()).collect()
    }

    /// Refuses a payment made elsewhere that nobody can be asked about.
    pub fn check_read(&self, name: &str) -> Result<(), Refusal> {
        if self.get(name).is_some() {
            return Ok(());
        }
        let message = "no gateway of this name is configured, so nobody shows that there is such a payment";
        Err(Refusal::new(Reason::PaymentNotVerified, message).field("gateway").detail("gateway", name))
    }

    /// The account that a name stands for: two names of one account name the same payments.
    pub fn account<'a>(&'a self, name: &'a str) -> &'a str {
        match self.accounts.get(name) {
            Some(account) => account,
            // Whatever name it is asked under, it has one book.
            None if self.stand_in.is_some() => sandbox::ACCOUNT,
            None => name,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Gateway> {
        self.named.get(name).or(self.stand_in.as_ref())
    }

    /// What the gateway of this name is able to do; none if there is no such gateway.
    pub fn capabilities(&self, name: &str) -> Option<Capabilities> {
        self.get(name).map(Gateway::capabilities)
    }

    /// What a gateway gives back is a multiple of this; 1 where there is no such gateway, and nobody rounds.
    pub fn step_minor(&self, name: &str, currency: Currency) -> i64 {
        self.capabilities(name).map_or(1, |capabilities| capabilities.step_minor(currency))
    }

    /// Asks for the effect. May take for ever: the caller has a limit.
    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        match self.get(&task.gateway) {
            Some(gateway) => gateway.call(tenant, task).await,
            None => nobody(task),
        }
    }

    /// What became of a key; none if the gateway never got it.
    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        match self.get(&task.gateway) {
            Some(gateway) => gateway.query(tenant, task).await,
            None => Some(nobody(task)),
        }
    }

    /// What the gateway's book says of the payment that a task is about.
    pub async fn statement(&self, tenant: &Tenant, task: &Task) -> Result<Statement, Unanswered> {
        let Some(gateway) = self.get(&task.gateway) else {
            let detail = "no gateway of this name is configured".to_owned();
            return Err(Unanswered { gateway: task.gateway.clone(), detail });
        };
        gateway.statement(tenant, task).await
    }

    /// What the gateway has of a payment that another system made there. May take for ever: the caller has a limit.
    pub async fn read(&self, tenant: &Tenant, name: &str, reference: &str) -> Reading {
        match self.get(name) {
            Some(gateway) => gateway.read(tenant, reference).await,
            None => Reading::Refuted { detail: format!("no gateway named {name:?} is configured") },
        }
    }

    /// Changes that were not heard yet, the oldest first, at most a page of them a gateway.
    pub async fn notices(&self) -> Result<Vec<Notice>, DbError> {
        let mut notices = Vec::new();
        for (name, gateway) in self.named.iter() {
            notices.extend(gateway.notices(name).await?);
        }
        Ok(notices)
    }

    /// The notice is recorded with us and need not be repeated.
    pub async fn heard(&self, notice: &Notice) -> Result<(), DbError> {
        match self.named.get(&notice.gateway) {
            Some(gateway) => gateway.heard(notice).await,
            None => Ok(()),
        }
    }
}

impl Gateway {
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Sandbox(sandbox) => sandbox.capabilities(),
            Self::Simulator(_) => Simulator::CAPABILITIES,
            Self::Stripe(_) => Stripe::CAPABILITIES,
        }
    }

    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        match self {
            Self::Sandbox(sandbox) => sandbox.call(tenant, task).await,
            Self::Simulator(simulator) => simulator.call(tenant, task).await,
            Self::Stripe(stripe) => stripe.call(tenant, task).await,
        }
    }

    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        match self {
            Self::Sandbox(sandbox) => sandbox.query(tenant, task).await,
            Self::Simulator(simulator) => simulator.query(tenant, task).await,
            Self::Stripe(stripe) => stripe.query(task).await,
        }
    }

    pub async fn statement(&self, tenant: &Tenant, task: &Task) -> Result<Statement, Unanswered> {
        match self {
            Self::Sandbox(sandbox) => sandbox.statement(tenant, task).await,
            Self::Simulator(simulator) => simulator.statement(tenant, task).await,
            Self::Stripe(stripe) => stripe.statement(task).await,
        }
    }

    pub async fn read(&self, tenant: &Tenant, reference: &str) -> Reading {
        match self {
            Self::Sandbox(sandbox) => sandbox.read_elsewhere(tenant, reference).await,
            Self::Simulator(simulator) => simulator.read_elsewhere(tenant, reference).await,
            Self::Stripe(stripe) => stripe.read_elsewhere(reference).await,
        }
    }

    /// Only a gateway in this process is asked for its news; the others send webhooks.
    async fn notices(&self, name: &str) -> Result<Vec<Notice>, DbError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.notices(name).await,
            Self::Simulator(_) | Self::Stripe(_) => Ok(Vec::new()),
        }
    }

    async fn heard(&self, notice: &Notice) -> Result<(), DbError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.heard(&notice.tenant, notice.refund_id.as_str()).await,
            Self::Simulator(_) | Self::Stripe(_) => Ok(()),
        }
    }
}

/// A payment was brought in from a system that is not connected: no call can be made, and saying so
/// makes a person give the money back.
fn nobody(task: &Task) -> Answer {
    let detail = format!("no gateway named {:?} is configured; give the money back by hand", task.gateway);
    Answer::Declined { detail }
}

/// One sandbox for every name: what tests and development start with.
impl From<Sandbox> for Gateways {
    fn from(sandbox: Sandbox) -> Self {
        let gateway = Gateway::Sandbox(sandbox);
        let named = [("sandbox".to_owned(), gateway.clone())].into();
        Self::new(named, Some(gateway))
    }
}
