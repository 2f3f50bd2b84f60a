//! WatchChangeOrder: the change as it is, and again with every version, until it is final.

use futures::stream::try_unfold;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::{Request, Status};
use types::ChangeOrderId;

use super::shown;
use crate::api::convert::{change_order_id, not_negative};
use crate::api::waiting::{Messages, something_new};
use crate::domain::change::Steps;
use crate::ops::{Orders, Watch};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::WatchChangeOrderRequest>,
) -> Result<Messages<wire::WatchChangeOrderResponse>, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let change_order_id = change_order_id(&request.change_order_id)?;
    let after = not_negative("after_version", request.after_version)?;
    let view = orders.get_change(&caller, &change_order_id).await?;
    // What happened before the watch begins is seen by the first read, which comes after it.
    let watch = orders.watch(&caller.tenant, &view.change.order_id);
    let follower = Follower {
        orders: orders.clone(),
        caller,
        change_order_id,
        after,
        with_steps: request.with_steps,
        follow: request.follow,
        steps: None,
        ended: false,
        watch,
    };
    Ok(Box::pin(try_unfold(follower, Follower::next)))
}

struct Follower {
    orders: Orders,
    caller: Principal,
    change_order_id: ChangeOrderId,
    /// The last version that was sent.
    after: i64,
    with_steps: bool,
    /// Whether a final state is not the end.
    follow: bool,
    /// The steps as they were sent; they move between versions.
    steps: Option<Steps>,
    ended: bool,
    watch: Watch,
}

impl Follower {
    async fn next(mut self) -> Result<Option<(wire::WatchChangeOrderResponse, Self)>, Status> {
        while !self.ended {
            let view = self.orders.get_change(&self.caller, &self.change_order_id).await?;
            self.ended = view.change.state.is_final() && !self.follow;
            let stepped = self.with_steps && self.steps.as_ref().is_some_and(|steps| *steps != view.steps);
            if view.change.version > self.after || stepped {
                self.after = view.change.version;
                self.steps = Some(view.steps.clone());
                return Ok(Some((wire::WatchChangeOrderResponse { change_order: Some(shown(&view)) }, self)));
            }
            self.steps = Some(view.steps);
            if !self.ended {
                something_new(&mut self.watch).await;
            }
        }
        Ok(None)
    }
}
