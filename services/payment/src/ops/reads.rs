//! Reads. Each sees one snapshot and locks nothing.

use std::collections::BTreeMap;

use kit::Failure;
use storage::{Database, DbError};
use types::{OrderId, PaymentId, RefundId, Tenant};

pub use crate::store::gateway_event::{Received, State as EventState};
pub use crate::store::read::{Filter, Found};

use crate::domain::Account;
use crate::domain::shared::SharedPayment;
use crate::store::{OrderKey, account, gateway_event, read, shared_payment};

/// What the books say; cheap to clone.
#[derive(Clone)]
pub struct Reads {
    database: Database,
}

/// A payment that orders share, and the accounts of those that have a part of it, each with its own payment.
pub struct Shares {
    pub shared: SharedPayment,
    pub parts: Vec<(Account, PaymentId)>,
}

impl Reads {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Which order a payment belongs to never changes, so that it may be read before a commit.
    pub async fn order_of_payment(
        &self,
        tenant: &Tenant,
        payment_id: &PaymentId,
    ) -> Result<OrderId, Failure> {
        let named = [(tenant, payment_id)];
        let found =
            self.database.reading(async |tx| read::orders_of_payments(tx, named.into_iter()).await).await?;
        let found = found.into_values().next();
        found.ok_or_else(|| Failure::not_found("payment", payment_id.as_str()))
    }

    /// An order's account as it is now.
    pub async fn account(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Account, Failure> {
        let found = self.accounts([(tenant.clone(), order_id.clone())]).await?.into_values().next();
        found.ok_or_else(|| Failure::not_found("account", order_id.as_str()))
    }

    /// The accounts of these orders, of one moment.
    pub async fn accounts(
        &self,
        orders: impl IntoIterator<Item = OrderKey>,
    ) -> Result<BTreeMap<OrderKey, Account>, DbError> {
        let orders = orders.into_iter().collect();
        self.database.reading(async |tx| account::read(tx, &orders).await).await
    }

    pub async fn refund(&self, tenant: &Tenant, refund_id: &RefundId) -> Result<Found, Failure> {
        let found = self.database.reading(async |tx| read::find_refund(tx, tenant, refund_id).await).await?;
        found.ok_or_else(|| Failure::not_found("refund", refund_id.as_str()))
    }

    /// Refunds behind a refund id, the oldest first.
    pub async fn refunds(
        &self,
        tenant: &Tenant,
        filter: &Filter,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Found>, DbError> {
        self.database.reading(async |tx| read::list_refunds(tx, tenant, filter, after, limit).await).await
    }

    /// What gateways told by webhook, behind a gateway and an event of it; `state` may be empty.
    pub async fn gateway_events(
        &self,
        tenant: &Tenant,
        state: &str,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<Received>, DbError> {
        self.database.reading(async |tx| gateway_event::list(tx, tenant, state, after, limit).await).await
    }

    pub async fn shares(&self, tenant: &Tenant, shared_payment_id: &PaymentId) -> Result<Shares, Failure> {
        let found = self
            .database
            .reading(async |tx| {
                let Some(shared) = shared_payment::find(tx, tenant, shared_payment_id).await? else {
                    return Ok(None);
                };
                let named = shared_payment::parts(tx, tenant, shared_payment_id).await?;
                let orders = named.iter().map(|(order_id, _)| (tenant.clone(), order_id.clone())).collect();
                let mut accounts = account::read(tx, &orders).await?;
                let part = |(order_id, payment_id): (OrderId, PaymentId)| {
                    let account = accounts.remove(&(tenant.clone(), order_id))?;
                    account.payments.contains_key(&payment_id).then_some((account, payment_id))
                };
                let parts = named.into_iter().filter_map(part).collect();
                Ok(Some(Shares { shared, parts }))
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("shared payment", shared_payment_id.as_str()))
    }
}
