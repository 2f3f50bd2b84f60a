//! Everything one batch touches, as it was read and as it has become.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Overlay, RequestKeys, StepLedger, Table, Tx};
use types::{OrderId, PaymentId, Tenant};

use super::command::Command;
use super::{adoptions, shares};
use crate::domain::Account;
use crate::domain::gateway::Task;
use crate::domain::shared::{SharedPayment, Siblings};
use crate::ports::gateway::Gateways;
use crate::store::adoption::{self, Adoption, AdoptionKey};
use crate::store::{OrderKey, SharedKey, account, event, read, shared_payment};

pub struct Books {
    /// What they take is written down with each new payment.
    gateways: Gateways,
    pub ledger: StepLedger,
    pub requests: RequestKeys,
    pub accounts: Table<OrderKey, Account>,
    pub shared: Table<SharedKey, SharedPayment>,
    /// What other orders account for of the payments that were looked at.
    pub siblings: BTreeMap<SharedKey, Siblings>,
    /// Who has the payments made elsewhere that commands name.
    pub adoptions: Table<AdoptionKey, Adoption>,
    /// Where the payments that clients name belong; that never changes.
    pub payments: BTreeMap<(Tenant, PaymentId), OrderId>,
}

impl Overlay for Books {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { gateways: _, ledger, requests, accounts, shared, siblings: _, adoptions, payments: _ } =
            self;
        vec![ledger, requests, accounts, shared, adoptions]
    }
}

impl Books {
    /// Locks and reads in the one order that all writers keep: fences, ledger, requests, accounts,
    /// shared payments, adoptions.
    pub async fn load(tx: &mut Tx, commands: &[Command], gateways: &Gateways) -> Result<Self, DbError> {
        let ledger = StepLedger::load(tx, &sagas(commands)).await?;
        let keys: Vec<_> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Authorise(authorise) => Some(authorise.key.clone()),
                Command::Capture(capture) => Some(capture.key.clone()),
                Command::Mend(mend) => Some(mend.key.clone()),
                Command::Step(_) | Command::Answered(_) | Command::Observed(_) => None,
            })
            .collect();
        let requests = RequestKeys::load(tx, &keys).await?;
        let named = commands.iter().filter_map(|command| match command {
            Command::Capture(capture) => Some((&capture.key.tenant, &capture.payment_id)),
            Command::Step(_)
            | Command::Authorise(_)
            | Command::Answered(_)
            | Command::Mend(_)
            | Command::Observed(_) => None,
        });
        let payments = read::orders_of_payments(tx, named).await?;
        let orders: BTreeSet<OrderKey> =
            commands.iter().filter_map(|command| order_of(command, &payments)).collect();
        let accounts = account::load(tx, &orders).await?;
        let shared = shared_payment::lock(tx, &accounts, shares::named(commands)).await?;
        let siblings = shared_payment::siblings(tx, &shares::observed(commands, &accounts)).await?;
        let adoptions = adoption::lock(tx, &adoptions::named(commands, &accounts, gateways)).await?;
        let gateways = gateways.clone();
        Ok(Self { gateways, ledger, requests, accounts, shared, siblings, adoptions, payments })
    }

    pub async fn flush(&mut self, tx: &mut Tx, stamp: &event::Stamp<'_>) -> Result<(), DbError> {
        adoptions::release_abandoned(self);
        adoption::flush(tx, &self.adoptions).await?;
        self.ledger.flush(tx).await?;
        self.requests.flush(tx).await?;
        account::flush(tx, &self.accounts, stamp).await?;
        shared_payment::recount(tx, &self.shared).await
    }

    /// What a command wants asked of the gateway, and whether its order has news to tell.
    pub fn follow_up(&mut self, key: &OrderKey) -> (Vec<(Tenant, Task)>, bool) {
        let gateways = &self.gateways;
        let taken = self.accounts.update(key, |account| {
            let currency = account.currency;
            account.learn_steps(|gateway| gateways.step_minor(gateway, currency));
            account.tell_owed();
            account.clear_attention();
            (std::mem::take(&mut account.unsaved.tasks), !account.unsaved.events.is_empty())
        });
        let (tasks, told) = taken.unwrap_or_default();
        (tasks.into_iter().map(|task| (key.0.clone(), task)).collect(), told)
    }
}

fn sagas(commands: &[Command]) -> Vec<(Tenant, String)> {
    let of = |command: &Command| -> Vec<(Tenant, String)> {
        match command {
            Command::Step(step) => {
                vec![(step.call.context.tenant.clone(), step.call.context.saga_id.clone())]
            }
            Command::Answered(answered) => {
                answered.saga_id.iter().map(|saga_id| (answered.tenant.clone(), saga_id.clone())).collect()
            }
            Command::Observed(observed) => {
                observed.saga_ids.iter().map(|saga_id| (observed.tenant.clone(), saga_id.clone())).collect()
            }
            Command::Authorise(_) | Command::Capture(_) | Command::Mend(_) => Vec::new(),
        }
    };
    commands.iter().flat_map(of).collect()
}

fn order_of(command: &Command, payments: &BTreeMap<(Tenant, PaymentId), OrderId>) -> Option<OrderKey> {
    match command {
        Command::Step(step) => Some((step.call.context.tenant.clone(), step.order_id.clone())),
        Command::Answered(answered) => Some((answered.tenant.clone(), answered.order_id.clone())),
        Command::Authorise(authorise) => Some((authorise.key.tenant.clone(), authorise.order_id.clone())),
        Command::Mend(mend) => Some((mend.key.tenant.clone(), mend.order_id.clone())),
        Command::Observed(observed) => Some((observed.tenant.clone(), observed.order_id.clone())),
        Command::Capture(capture) => {
            let tenant = &capture.key.tenant;
            let order_id = payments.get(&(tenant.clone(), capture.payment_id.clone()))?;
            Some((tenant.clone(), order_id.clone()))
        }
    }
}
