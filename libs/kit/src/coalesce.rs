//! [`Coalescer`]: many callers, few calls.
//!
//! A call costs about ten times what one more item in a call costs, and a busy saga runner makes
//! hundreds at once. Items that queue while earlier batches are in flight travel together; nobody
//! waits for company, so an idle port adds no delay and there is no timer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tonic::Status;
use types::Reason;

use crate::failure::Failure;

/// Items of one batch call.
pub const BATCH_MAX: usize = 64;
/// Batch calls of one port at a time.
pub const IN_FLIGHT_MAX: usize = 4;
/// Items that wait; one more is refused at once, because a longer queue only outlives its callers.
pub const QUEUE_MAX: usize = 4_096;
const RETRY_AFTER: Duration = Duration::from_millis(200);

struct Item<Req, Res> {
    request: Req,
    reply: oneshot::Sender<Result<Res, Status>>,
}

/// Cheap to clone; the task behind it ends with the last clone.
pub struct Coalescer<Req, Res> {
    queue: mpsc::Sender<Item<Req, Res>>,
}

impl<Req, Res> Clone for Coalescer<Req, Res> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<Req, Res> Coalescer<Req, Res>
where
    Req: Send + 'static,
    Res: Send + 'static,
{
    /// `send` makes one batch call and answers one result for each request, in order.
    pub fn start<Send, Sending>(send: Send) -> Self
    where
        Send: Fn(Vec<Req>) -> Sending + std::marker::Send + Sync + 'static,
        Sending: Future<Output = Result<Vec<Res>, Status>> + std::marker::Send + 'static,
    {
        let (queue, items) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(batches(items, Arc::new(send)));
        Self { queue }
    }

    /// Queues one request and waits for its own result. A caller that gives up before the item was
    /// taken is not sent; afterwards the batch goes on without it.
    pub async fn call(&self, request: Req) -> Result<Res, Status> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Item { request, reply }).map_err(|_| {
            Failure::unavailable(Reason::Overloaded, "too many calls wait for this peer", RETRY_AFTER)
        })?;
        answer.await.unwrap_or_else(|_| {
            let message = "the batch call ended without an answer";
            Err(Failure::unavailable(Reason::OutcomeUnknown, message, RETRY_AFTER).into())
        })
    }
}

async fn batches<Req, Res, Send, Sending>(mut items: mpsc::Receiver<Item<Req, Res>>, send: Arc<Send>)
where
    Req: std::marker::Send + 'static,
    Res: std::marker::Send + 'static,
    Send: Fn(Vec<Req>) -> Sending + std::marker::Send + Sync + 'static,
    Sending: Future<Output = Result<Vec<Res>, Status>> + std::marker::Send + 'static,
{
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    loop {
        // The place comes first: while there is none, the queue fills the next batch.
        let place = Arc::clone(&in_flight).acquire_owned().await.expect("the semaphore is never closed");
        let mut batch = Vec::new();
        if items.recv_many(&mut batch, BATCH_MAX).await == 0 {
            return;
        }
        batch.retain(|item| !item.reply.is_closed());
        if batch.is_empty() {
            continue;
        }
        let send = Arc::clone(&send);
        tokio::spawn(async move {
            let (requests, replies): (Vec<Req>, Vec<_>) =
                batch.into_iter().map(|item| (item.request, item.reply)).unzip();
            spread(send(requests).await, replies);
            drop(place);
        });
    }
}

/// A caller that went away leaves its reply channel closed; its result is dropped on purpose.
fn spread<Res>(outcome: Result<Vec<Res>, Status>, replies: Vec<oneshot::Sender<Result<Res, Status>>>) {
    match outcome {
        Ok(results) if results.len() == replies.len() => {
            for (reply, result) in replies.into_iter().zip(results) {
                drop(reply.send(Ok(result)));
            }
        }
        Ok(results) => {
            let context = format!("a batch of {} had {} results", replies.len(), results.len());
            let status = Status::from(Failure::internal(context));
            for reply in replies {
                drop(reply.send(Err(status.clone())));
            }
        }
        Err(status) => {
            for reply in replies {
                drop(reply.send(Err(status.clone())));
            }
        }
    }
}
