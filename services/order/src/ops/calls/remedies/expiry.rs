//! The clock that warns of unpaid orders and then ends them. It keeps no state: what is due follows from the orders' rows and the
//! policies, and what is asked for twice is done once.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::Failure;
use tokio_util::sync::CancellationToken;
use types::OrderId;

use crate::domain::lifecycle::{Due, due};
use crate::domain::order::Order;
use crate::ops::calls::orders::Orders;
use crate::ops::use_cases::{ExpireUnpaid, WarnOfExpiry};
use crate::store::{orders, unpaid};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many orders it looks at in one read.
const ROUND: i64 = 100;

impl Orders {
    /// Warns of the end of unpaid orders and then ends them, until `shutdown`.
    pub async fn expire_unpaid(self, shutdown: CancellationToken) {
        loop {
            if let Err(failure) = self.look_at_unpaid(&shutdown).await {
                tracing::warn!(%failure, "unpaid orders could not be looked at; it is tried again");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Looks at every unpaid order once, in rounds.
    async fn look_at_unpaid(&self, shutdown: &CancellationToken) -> Result<(), Failure> {
        let mut after: Option<OrderId> = None;
        while !shutdown.is_cancelled() {
            let found = self
                .reading(async |tx| {
                    let keys: BTreeSet<_> =
                        unpaid::find(tx, after.as_ref(), ROUND).await?.into_iter().collect();
                    if keys.is_empty() { Ok(Vec::new()) } else { orders::load(tx, &keys).await }
                })
                .await?;
            let Some(last) = found.iter().map(|order| &order.order_id).max().cloned() else { break };
            for order in &found {
                self.end_if_unpaid(order).await?;
            }
            after = Some(last);
        }
        Ok(())
    }

    async fn end_if_unpaid(&self, order: &Order) -> Result<(), Failure> {
        let policies = self.shelf(&order.tenant).await?;
        let due = due(order, policies.of(order), self.now());
        if due == Due::Nothing {
            return Ok(());
        }
        let (order_id, request_id) = (&order.order_id, request_id(order));
        // Nobody's order ends without a warning, however late the clock looks.
        let warning = WarnOfExpiry { order_id: order_id.clone() };
        self.ask_by_clock(&order.tenant, &request_id, warning).await?;
        if due == Due::Expiry {
            let expiry = ExpireUnpaid { order_id: order_id.clone() };
            // While a change holds the order this fails; the order is still due at the next look.
            if let Err(failure) = self.ask_by_clock(&order.tenant, &request_id, expiry).await {
                tracing::info!(%order_id, %failure, "an order could not be ended yet");
            }
        }
        Ok(())
    }
}

/// An order that was restored again has a new time limit, so it gets a new request id.
fn request_id(order: &Order) -> String {
    let since = order.awaits_payment.map_or(0, |awaited| awaited.since.unix_micros());
    format!("{}-{since}", order.order_id)
}
