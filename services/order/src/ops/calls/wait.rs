//! Waiting until an order or a change has come as far as the caller asked for, so that no client has to poll. When the time is up, the
//! answer is its current state.

use std::time::Duration;

use kit::{Deadline, Failure};
use tokio::time::{Instant, timeout_at};
use types::{OrderId, Tenant};

use crate::domain::change::{ChangeState, ChangeView};
use crate::domain::order::{Order, Placement};
use crate::ops::calls::orders::Orders;
use crate::ops::commit::hints::{Hint, Watch};
use crate::ops::plans;

/// A commit of another replica gives no hint here, and a hint may be lost: read again after this time.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How far the work must have come before the call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The request is accepted and durable.
    Accepted,
    /// The decision is committed, or refused.
    Committed,
    /// Nothing more will move by itself.
    Completed,
}

impl Wait {
    fn is_over(self, state: ChangeState) -> bool {
        match self {
            Self::Accepted => true,
            Self::Committed => state.is_decided(),
            Self::Completed => state.is_final(),
        }
    }
}

impl Orders {
    /// A watch on the order, unless the caller does not wait.
    pub fn watch_for(&self, wait: Wait, tenant: &Tenant, order_id: &OrderId) -> Option<Watch> {
        match wait {
            Wait::Accepted => None,
            Wait::Committed | Wait::Completed => Some(self.watch(tenant, order_id)),
        }
    }

    pub async fn wait_for_change(
        &self,
        mut view: ChangeView,
        watch: Option<Watch>,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let Some(mut watch) = watch else { return Ok(view) };
        while !wait.is_over(view.change.state) {
            let Some(hint) = next(&mut watch, deadline).await else { break };
            match hint.seen {
                // A change that is not in the picture has not moved in this process.
                Some(seen) => {
                    let mine =
                        |other: &&ChangeView| other.change.change_order_id == view.change.change_order_id;
                    view = seen.changes.iter().find(mine).cloned().unwrap_or(view);
                }
                None => view = self.change(&view.change.tenant, &view.change.change_order_id).await?,
            }
        }
        Ok(view)
    }

    pub async fn wait_for_order(
        &self,
        mut order: Order,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<Order, Failure> {
        let Some(mut watch) = self.watch_for(wait, &order.tenant, &order.order_id) else { return Ok(order) };
        // It may have moved before the watch began.
        order = self.order(&order.tenant, &order.order_id).await?;
        while !self.order_is_there(&order, wait).await? {
            let Some(hint) = next(&mut watch, deadline).await else { break };
            order = match &hint.seen {
                Some(seen) => seen.order.clone(),
                None => self.order(&order.tenant, &order.order_id).await?,
            };
        }
        Ok(order)
    }

    async fn order_is_there(&self, order: &Order, wait: Wait) -> Result<bool, Failure> {
        match (wait, &order.placement) {
            (Wait::Committed | Wait::Completed, Placement::Placing) => Ok(false),
            (Wait::Completed, Placement::Open) => {
                let saga = self.saga_of_subject(&order.tenant, plans::PLACE, order.order_id.as_str()).await?;
                Ok(saga.is_none_or(|image| image.row.state.is_terminal()))
            }
            (Wait::Accepted, _) | (Wait::Committed, Placement::Open) | (_, Placement::Failed(_)) => Ok(true),
        }
    }
}

/// The next hint, or an empty one when it is time to read again. None when the caller's time is up.
async fn next(watch: &mut Watch, deadline: Deadline) -> Option<Hint> {
    let now = Instant::now();
    if now >= deadline.answer_by() {
        return None;
    }
    let until = deadline.answer_by().min(now + READ_AGAIN);
    Some(timeout_at(until, watch.changed()).await.unwrap_or_default())
}
