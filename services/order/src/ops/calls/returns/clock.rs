//! The clock that ends returns whose goods did not come in time. It keeps no state: what is due stands in the rows, so any replica
//! can go on, and a return that is ended twice ends once.

use std::time::Duration;

use kit::Failure;
use tokio_util::sync::CancellationToken;

use crate::ops::calls::orders::Orders;
use crate::ops::use_cases::ExpireReturn;
use crate::store::returns;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many it ends in one go.
const ROUND: i64 = 100;

impl Orders {
    /// Ends returns whose time is up, until `shutdown`.
    pub async fn expire_returns(self, shutdown: CancellationToken) {
        loop {
            if let Err(failure) = self.expire_due_returns().await {
                tracing::warn!(%failure, "returns could not be ended; it is tried again");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn expire_due_returns(&self) -> Result<(), Failure> {
        let now = self.now();
        let due = self.reading(async |tx| returns::find_expired(tx, now, ROUND).await).await?;
        for (tenant, return_id) in due {
            let expire = ExpireReturn { return_id: return_id.clone() };
            // While a change holds the order this fails; the return is still due at the next look.
            if let Err(failure) = self.ask_by_clock(&tenant, return_id.as_str(), expire).await {
                tracing::info!(%return_id, %failure, "a return could not be ended yet");
            }
        }
        Ok(())
    }
}
