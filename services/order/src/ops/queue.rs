//! Events that cannot leave: they are never given up, so somebody must hear of it when they wait too long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use types::{Reason, Refusal, Tenant};

use super::attention::Raised;
use super::batch::Command;
use super::books::Books;
use super::orders::Orders;
use crate::store::queue;

/// How often the queue is looked at, and the age that asks for attention.
const LOOK: Duration = Duration::from_mins(1);
const OVERDUE: Duration = Duration::from_mins(15);

const SUBJECT_TYPE: &str = "outbox";
const SUBJECT_ID: &str = "order";

/// How long a tenant's oldest event has been waiting.
pub struct Queue {
    pub(super) tenant: Tenant,
    age: Duration,
}

impl Queue {
    pub(super) fn subject(&self) -> (Tenant, String, String) {
        (self.tenant.clone(), SUBJECT_TYPE.to_owned(), SUBJECT_ID.to_owned())
    }

    /// Opens an item when events are overdue, and closes it when they leave again.
    pub(super) fn judge(&self, books: &mut Books) {
        if self.age < OVERDUE {
            return books.close(&self.tenant, SUBJECT_TYPE, SUBJECT_ID);
        }
        let minutes = self.age.as_secs() / 60;
        let message =
            format!("events have been waiting for {minutes} minutes to reach the notification service");
        books.raise(Raised {
            tenant: self.tenant.clone(),
            order_id: None,
            change_order_id: None,
            subject_type: SUBJECT_TYPE.to_owned(),
            subject_id: SUBJECT_ID.to_owned(),
            cause: Refusal::new(Reason::NoAnswerInTime, message),
            allowed_actions: vec!["ListAttentionItems".to_owned()],
        });
    }
}

impl Orders {
    /// Looks at the queue of events until `shutdown`.
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

    /// One look. A tenant whose events leave in time costs nothing unless an item about them is open.
    pub async fn look_at_queue(&self) -> Result<(), kit::Failure> {
        let (waiting, alarmed) = self
            .reading(async |tx| {
                let waiting = queue::oldest(tx).await?;
                Ok((waiting, queue::alarmed(tx, SUBJECT_TYPE, SUBJECT_ID).await?))
            })
            .await?;
        let settled = alarmed.into_iter().filter(|tenant| !waiting.iter().any(|(other, _)| other == tenant));
        let settled: Vec<_> = settled.map(|tenant| (tenant, Duration::ZERO)).collect();
        for (tenant, age) in waiting.into_iter().filter(|(_, age)| *age >= OVERDUE).chain(settled) {
            let judged = self.writer.submit(Command::Queue(Queue { tenant, age })).await;
            judged?;
        }
        Ok(())
    }
}
