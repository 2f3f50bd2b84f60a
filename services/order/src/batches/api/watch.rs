//! WatchBatch: the batch as it is, and again whenever its counts have moved, until nothing moves by itself.

use futures::stream::try_unfold;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::{Request, Status};
use types::BatchId;

use super::shown::batch;
use super::{batch_id, operator};
use crate::api::waiting::Messages;
use crate::batches::ask::{BatchWatch, Batches};
use crate::batches::domain::{BatchState, BatchView};

pub async fn answer(
    batches: &Batches,
    request: Request<wire::WatchBatchRequest>,
) -> Result<Messages<wire::WatchBatchResponse>, Failure> {
    let caller = operator(&request)?;
    let batch_id = batch_id(&request.get_ref().batch_id)?;
    // The watch begins before the first read, so that nothing falls between them.
    let watch = batches.watch_batches();
    batches.batch(&caller, &batch_id).await?;
    let follower = Follower { batches: batches.clone(), caller, batch_id, sent: None, watch };
    Ok(Box::pin(try_unfold(follower, Follower::next)))
}

struct Follower {
    batches: Batches,
    caller: Principal,
    batch_id: BatchId,
    sent: Option<BatchView>,
    watch: BatchWatch,
}

impl Follower {
    async fn next(mut self) -> Result<Option<(wire::WatchBatchResponse, Self)>, Status> {
        loop {
            if self.sent.as_ref().is_some_and(|sent| is_at_rest(sent.batch.state)) {
                return Ok(None);
            }
            let view = self.batches.batch(&self.caller, &self.batch_id).await?;
            if self.sent.as_ref() != Some(&view) {
                let shown = batch(&view);
                self.sent = Some(view);
                return Ok(Some((wire::WatchBatchResponse { batch: Some(shown) }, self)));
            }
            self.watch.something_new().await;
        }
    }
}

/// Whether somebody has to do something before it moves again.
fn is_at_rest(state: BatchState) -> bool {
    match state {
        BatchState::Estimating | BatchState::Running => false,
        BatchState::Estimated | BatchState::Paused | BatchState::Completed => true,
    }
}
