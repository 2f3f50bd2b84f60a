//! Watching the queue of events: an event is never given up, so a person is told when events wait too long.

use std::time::Duration;

use kit::Failure;
use tokio_util::sync::CancellationToken;
use types::Tenant;

use crate::ops::calls::orders::Orders;
use crate::ops::command::{Queue, Receiver};
use crate::ops::commit::command::Command;
use crate::ops::decide::queue::OVERDUE;
use crate::store::queue;

/// How often the queue is looked at.
pub const LOOK: Duration = Duration::from_mins(1);

const NOTIFICATION: Receiver =
    Receiver { subject_type: "outbox", subject_id: "order", name: "the notification service" };

impl Orders {
    /// Looks at the queue of events for the notification service until `shutdown`.
    pub async fn watch_queue(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(failure) = self.look_at_queue().await {
                tracing::warn!(%failure, "the queue of events could not be looked at");
            }
        }
    }

    /// Looks once at what waits for the notification service. Only tenants whose events are late, or who have an open item about it, cost a write.
    pub async fn look_at_queue(&self) -> Result<(), Failure> {
        let waiting = self.reading(async |tx| queue::oldest(tx).await).await?;
        self.judge_queues(NOTIFICATION, waiting).await
    }

    /// Opens an item for each tenant whose events wait too long for a receiver, and closes those whose events leave again.
    pub async fn judge_queues(
        &self,
        receiver: Receiver,
        waiting: Vec<(Tenant, Duration)>,
    ) -> Result<(), Failure> {
        let Receiver { subject_type, subject_id, .. } = receiver;
        let alarmed = self.reading(async |tx| queue::alarmed(tx, subject_type, subject_id).await).await?;
        let settled = alarmed.into_iter().filter(|tenant| !waiting.iter().any(|(other, _)| other == tenant));
        let settled: Vec<_> = settled.map(|tenant| (tenant, Duration::ZERO)).collect();
        for (tenant, age) in waiting.into_iter().filter(|(_, age)| *age >= OVERDUE).chain(settled) {
            self.writer.submit(Command::Queue(Queue { tenant, receiver, age })).await?;
        }
        Ok(())
    }
}
