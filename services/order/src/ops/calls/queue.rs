//! Events that cannot leave, for the notification service or for the broker: they are never given up, so somebody must hear
//! of it when they wait too long.

use std::time::Duration;

use kit::Failure;
use tokio_util::sync::CancellationToken;
use types::Tenant;

use crate::ops::calls::orders::Orders;
use crate::ops::command::{Command, Queue, Receiver};
use crate::ops::decide::queue::OVERDUE;
use crate::store::{publications, queue};

/// How often the queue is looked at.
const LOOK: Duration = Duration::from_mins(1);

impl Orders {
    /// Looks at the queues of events until `shutdown`: of those for the notification service, and of those for the broker's
    /// stream if there is one.
    pub async fn watch_queue(self, stream: Option<String>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            for looked in [self.look_at_queue().await, self.look_at_publication(stream.as_deref()).await] {
                if let Err(failure) = looked {
                    tracing::warn!(%failure, "a queue of events could not be looked at");
                }
            }
        }
    }

    /// One look at what waits for the notification service. A tenant whose events leave in time costs nothing unless an item about them is open.
    pub async fn look_at_queue(&self) -> Result<(), Failure> {
        let waiting = self.reading(async |tx| queue::oldest(tx).await).await?;
        self.judge_queues(Receiver::Notification, waiting).await
    }

    /// One look at what waits for a broker's stream; without one nothing does.
    pub async fn look_at_publication(&self, stream: Option<&str>) -> Result<(), Failure> {
        let waiting = match stream {
            Some(stream) => self.reading(async |tx| publications::oldest(tx, stream).await).await?,
            None => Vec::new(),
        };
        self.judge_queues(Receiver::Broker, waiting).await
    }

    async fn judge_queues(
        &self,
        receiver: Receiver,
        waiting: Vec<(Tenant, Duration)>,
    ) -> Result<(), Failure> {
        let (subject_type, subject_id) = receiver.subject();
        let alarmed = self.reading(async |tx| queue::alarmed(tx, subject_type, subject_id).await).await?;
        let settled = alarmed.into_iter().filter(|tenant| !waiting.iter().any(|(other, _)| other == tenant));
        let settled: Vec<_> = settled.map(|tenant| (tenant, Duration::ZERO)).collect();
        for (tenant, age) in waiting.into_iter().filter(|(_, age)| *age >= OVERDUE).chain(settled) {
            self.writer.submit(Command::Queue(Queue { tenant, receiver, age })).await?;
        }
        Ok(())
    }
}
