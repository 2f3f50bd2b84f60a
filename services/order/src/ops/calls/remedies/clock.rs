//! The clock that ends proposals which nobody answers. It keeps nothing: what is due stands in the rows, so whoever runs
//! next goes on, and asking twice for the same ends it once.

use std::time::Duration;

use kit::Failure;
use storage::RequestKey;
use tokio_util::sync::CancellationToken;
use types::{ChangeOrderId, Fingerprint, Reach, RequestId, Subject, Tenant};

use crate::domain::order::Actor;
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Asked, RemedyWish, Wish};
use crate::store::changes;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many it ends in one go.
const ROUND: i64 = 100;

impl Orders {
    /// Ends proposals whose time is up, until `shutdown`.
    pub async fn expire_proposals(self, shutdown: CancellationToken) {
        loop {
            match self.expire_due().await {
                Ok(ended) if ended == ROUND => continue,
                Ok(_) => {}
                Err(failure) => {
                    tracing::warn!(%failure, "proposals could not be ended; it is tried again");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// How many were due.
    async fn expire_due(&self) -> Result<i64, Failure> {
        let now = self.now();
        let due = self.reading(async |tx| changes::find_expired(tx, now, ROUND).await).await?;
        for (tenant, change_order_id) in &due {
            self.ask(
                expiring(tenant, change_order_id),
                Wish::Remedy(RemedyWish::Expire(change_order_id.clone())),
            )
            .await?;
        }
        Ok(i64::try_from(due.len()).expect("a round is short"))
    }
}

fn expiring(tenant: &Tenant, change_order_id: &ChangeOrderId) -> Asked {
    let request_id = RequestId::parse(change_order_id.as_str()).expect("an id of ours is a request id");
    Asked {
        tenant: tenant.clone(),
        fingerprint: Fingerprint::of(&[change_order_id.as_str().as_bytes()]),
        actor: Actor::system(),
        reach: Reach::TENANT,
        key: RequestKey {
            tenant: tenant.clone(),
            subject: Subject::internal("clock"),
            method: "ExpireChangeOrder".to_owned(),
            request_id,
        },
        traceparent: None,
    }
}
