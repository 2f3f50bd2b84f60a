//! Where calls come in: submits a command, and waits a moment if a gateway has to be heard first.

use std::time::Duration;

use storage::{Direction, WriteError, Writer};
use types::{OrderId, PaymentId, RefundId, Refusal, Tenant};

use super::batch::PaymentBatch;
use super::command::{Command, Decided, Mend, Reply, Step, StepAnswer};
use super::waiters::{Awaited, Waiters};

#[derive(Clone)]
pub struct Cashier {
    pub writer: Writer<PaymentBatch>,
    pub waiters: Waiters,
    /// How long a call waits for its gateway before it answers "pending".
    pub patience: Duration,
}

impl Cashier {
    pub async fn run_step(&self, step: Step) -> Result<StepAnswer, WriteError> {
        let context = &step.call.context;
        let awaited = Awaited::Step {
            tenant: context.tenant.clone(),
            saga_id: context.saga_id.clone(),
            step: context.step.clone(),
        };
        // An undo never waits: what it gives back goes on by itself.
        let waiter = (context.direction == Direction::Do).then(|| self.waiters.join(awaited));
        let Decided { reply, .. } = self.writer.submit(Command::Step(step)).await?;
        let Reply::Step(answer) = reply else { unreachable!("a step is replied to as a step") };
        match (answer, waiter) {
            (StepAnswer::Pending, Some(waiter)) => {
                Ok(waiter.wait(self.patience).await.unwrap_or(StepAnswer::Pending))
            }
            (answer, _) => Ok(answer),
        }
    }

    /// Authorises or captures for a client.
    pub async fn run_request(
        &self,
        command: Command,
    ) -> Result<Result<(OrderId, PaymentId), Refusal>, WriteError> {
        let Decided { reply, .. } = self.writer.submit(command).await?;
        let Reply::Request(outcome) = reply else { unreachable!("a request is replied to as a request") };
        Ok(outcome)
    }

    /// Mends a refund that failed, and tells which refund mends it.
    pub async fn mend(&self, mend: Mend) -> Result<Result<RefundId, Refusal>, WriteError> {
        let Decided { reply, .. } = self.writer.submit(Command::Mend(mend)).await?;
        let Reply::Mended(outcome) = reply else { unreachable!("a mending is replied to as one") };
        Ok(outcome)
    }

    /// A place among those who wait until this payment rests. The caller looks at the payment after
    /// joining, because it may rest already.
    pub fn join(&self, tenant: &Tenant, payment_id: &PaymentId) -> super::waiters::Waiter {
        self.waiters.join(Awaited::Payment { tenant: tenant.clone(), payment_id: payment_id.clone() })
    }
}
