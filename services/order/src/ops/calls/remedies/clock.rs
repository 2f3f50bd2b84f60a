//! The clock that ends proposals which nobody answers. It keeps no state: what is due stands in the rows, so any replica can go on,
//! and a proposal that is ended twice ends once.

use std::time::Duration;

use kit::Failure;
use tokio_util::sync::CancellationToken;

use crate::ops::calls::orders::Orders;
use crate::ops::use_cases::ExpireProposal;
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
            let expire = ExpireProposal { change_order_id: change_order_id.clone() };
            self.ask_by_clock(tenant, change_order_id.as_str(), expire).await?;
        }
        Ok(i64::try_from(due.len()).expect("a round is short"))
    }
}
