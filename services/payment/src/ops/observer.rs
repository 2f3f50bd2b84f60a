//! Asks gateways for their own book of a payment and brings ours up to it: for an operator, and for
//! every webhook. What a webhook says is never believed; it only says where to look.

use std::time::Duration;

use storage::{Database, DbError, WriteError, Writer};
use types::{OrderId, PaymentId, Tenant};

use super::batch::PaymentBatch;
use super::command::{Command, Decided, Observed, Reply, Report};
use crate::domain::gateway::Task;
use crate::domain::refund::Stage;
use crate::ports::gateway::{Gateways, Unanswered};
use crate::store::account;

#[derive(Clone)]
pub struct Observer {
    pub database: Database,
    pub gateway: Gateways,
    pub writer: Writer<PaymentBatch>,
    /// For one question.
    pub patience: Duration,
}

/// How a look at a gateway's book went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The books agree now; whether they did not before.
    Done { changed: bool },
    /// Something is in flight that must end first.
    Later,
    /// The payment is not there, or no gateway holds it.
    Nothing,
}

#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Observer {
    pub async fn look(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        payment_id: &PaymentId,
    ) -> Result<Look, LookError> {
        let Some((task, saga_ids)) = self.question(tenant, order_id, payment_id).await? else {
            return Ok(Look::Nothing);
        };
        let answer = tokio::time::timeout(self.patience, self.gateway.statement(tenant, &task)).await;
        let statement = answer.map_err(|_| Unanswered {
            gateway: task.gateway.clone(),
            detail: "it did not answer in time".to_owned(),
        })??;
        let observed = Observed {
            tenant: tenant.clone(),
            order_id: order_id.clone(),
            payment_id: payment_id.clone(),
            saga_ids,
            report: Report::Statement(statement),
        };
        let Decided { reply, .. } = self.writer.submit(Command::Observed(observed)).await?;
        let Reply::Observed { changed, later } = reply else {
            unreachable!("an observation is replied to as one")
        };
        Ok(if later { Look::Later } else { Look::Done { changed } })
    }

    /// Tells a person that the gateway could not be asked about a payment.
    pub async fn give_up(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        payment_id: &PaymentId,
        detail: &str,
    ) -> Result<(), WriteError> {
        let observed = Observed {
            tenant: tenant.clone(),
            order_id: order_id.clone(),
            payment_id: payment_id.clone(),
            saga_ids: Vec::new(),
            report: Report::Silence { detail: detail.to_owned() },
        };
        self.writer.submit(Command::Observed(observed)).await.map(drop)
    }

    /// What to ask the gateway, and the sagas that may end by its answer.
    async fn question(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        payment_id: &PaymentId,
    ) -> Result<Option<(Task, Vec<String>)>, DbError> {
        let mut tx = self.database.read().await?;
        let orders = [(tenant.clone(), order_id.clone())].into();
        let accounts = account::read(&mut tx, &orders).await;
        tx.rollback().await;
        let Some((_, account)) = accounts?.pop_first() else { return Ok(None) };
        if account.payments.get(payment_id).is_none_or(|payment| payment.kind.is_internal()) {
            return Ok(None);
        }
        let moving = account
            .refunds
            .values()
            .filter(|refund| matches!(refund.state.stage(), Stage::Reserved | Stage::InFlight));
        let saga_ids = moving.map(|refund| refund.saga_id.clone()).collect();
        Ok(account.payment_task(payment_id).map(|task| (task, saga_ids)))
    }
}
