//! WatchTimeline: what is stored behind a sequence number, then what is added, for as long as the
//! caller listens. Sequences are gap-free, so a caller resumes by the last one it saw.

use std::collections::VecDeque;

use futures::stream::try_unfold;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::{Request, Status};
use types::OrderId;

use crate::api::convert::{not_negative, order_id};
use crate::api::waiting::{Messages, something_new};
use crate::domain::history::Recorded;
use crate::domain::readers::Reader;
use crate::ops::{Orders, Watch};
use crate::wire::timeline_entry;

/// Entries that are read at once.
const READ_AT_ONCE: i64 = 200;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::WatchTimelineRequest>,
) -> Result<Messages<wire::WatchTimelineResponse>, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let order_id = order_id("order_id", &request.order_id)?;
    let after = not_negative("after_sequence", request.after_sequence)?;
    // The watch begins before the first read, so that nothing falls between them.
    let watch = orders.watch(&caller.tenant, &order_id);
    let reader = orders.reader(&caller, &order_id).await?;
    let follower =
        Follower { orders: orders.clone(), caller, reader, order_id, after, ready: VecDeque::new(), watch };
    Ok(Box::pin(try_unfold(follower, Follower::next)))
}

struct Follower {
    orders: Orders,
    caller: Principal,
    /// What the caller is to the order.
    reader: Reader,
    order_id: OrderId,
    /// The last entry that was sent.
    after: i64,
    ready: VecDeque<Recorded>,
    watch: Watch,
}

impl Follower {
    async fn next(mut self) -> Result<Option<(wire::WatchTimelineResponse, Self)>, Status> {
        loop {
            if let Some(recorded) = self.ready.pop_front() {
                self.after = recorded.sequence;
                if !self.reader.reads(recorded.entry.visibility) {
                    continue;
                }
                let entry = Some(timeline_entry(&recorded));
                return Ok(Some((wire::WatchTimelineResponse { entry }, self)));
            }
            let entries =
                self.orders.timeline(&self.caller, &self.order_id, self.after, READ_AT_ONCE).await?;
            if entries.is_empty() {
                something_new(&mut self.watch).await;
            }
            self.ready = entries.into();
        }
    }
}
