//! The clock of orders that nobody pays for. It keeps nothing: what is due follows from the orders' rows and the policies,
//! and whatever is asked for twice is done once.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::Failure;
use storage::RequestKey;
use tokio_util::sync::CancellationToken;
use types::{Fingerprint, OrderId, Reach, RequestId, Subject, Tenant};

use crate::domain::lifecycle::{Due, due};
use crate::domain::order::{Actor, Order};
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Asked, RemedyWish, Wish};
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

    /// Every unpaid order once, a round at a time.
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
        // Nobody's order ends without a warning, however late the clock looks.
        let warning = asked(&order.tenant, "WarnOfExpiry", &order.order_id, &since(order));
        self.ask(warning, Wish::Remedy(RemedyWish::WarnOfExpiry(order.order_id.clone()))).await?;
        if due == Due::Expiry {
            let ending = asked(&order.tenant, "ExpireOrder", &order.order_id, &since(order));
            let wish = RemedyWish::ExpireUnpaid(order.order_id.clone());
            // A change may hold the order just now: then it is due at the next look, too.
            if let Err(failure) = self.ask(ending, Wish::Remedy(wish)).await {
                tracing::info!(order_id = %order.order_id, %failure, "an order could not be ended yet");
            }
        }
        Ok(())
    }
}

/// An order that is restored again waits anew.
fn since(order: &Order) -> String {
    order.awaits_payment.map_or(0, |awaited| awaited.since.unix_micros()).to_string()
}

fn asked(tenant: &Tenant, method: &str, order_id: &OrderId, since: &str) -> Asked {
    let request_id = RequestId::parse(&format!("{order_id}-{since}")).expect("ids and numbers are printable");
    Asked {
        tenant: tenant.clone(),
        fingerprint: Fingerprint::of(&[order_id.as_str().as_bytes()]),
        actor: Actor::system(),
        reach: Reach::TENANT,
        key: RequestKey {
            tenant: tenant.clone(),
            subject: Subject::internal("clock"),
            method: method.to_owned(),
            request_id,
        },
        traceparent: None,
    }
}
