use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt as _};
use kit::answer::refusal;
use kit::coalesce::{BATCH_MAX, Coalescer, IN_FLIGHT_MAX, QUEUE_MAX};
use tokio::sync::{Semaphore, mpsc};
use tonic::{Code, Status};
use types::Reason;

/// A peer that reports each batch it gets and answers when it is let.
struct Peer {
    coalescer: Coalescer<u64, u64>,
    batches: mpsc::UnboundedReceiver<Vec<u64>>,
    permission: Arc<Semaphore>,
}

fn peer() -> Peer {
    let (seen, batches) = mpsc::unbounded_channel();
    let permission = Arc::new(Semaphore::new(0));
    let allowed = Arc::clone(&permission);
    let coalescer = Coalescer::start(move |requests: Vec<u64>| {
        let (seen, allowed) = (seen.clone(), Arc::clone(&allowed));
        async move {
            seen.send(requests.clone()).unwrap();
            allowed.acquire().await.unwrap().forget();
            Ok(requests.into_iter().map(|request| request * 10).collect())
        }
    });
    Peer { coalescer, batches, permission }
}

type Call = BoxFuture<'static, Result<u64, Status>>;

impl Peer {
    /// Makes a call and polls it once, so that it stands in the queue when this returns.
    async fn call(&self, request: u64) -> Call {
        let coalescer = self.coalescer.clone();
        let mut call = async move { coalescer.call(request).await }.boxed();
        assert!(futures::poll!(&mut call).is_pending());
        call
    }

    /// Fills every place in flight with a batch of one.
    async fn occupy(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for request in 0..IN_FLIGHT_MAX as u64 {
            calls.push(self.call(request).await);
            assert_eq!(self.batches.recv().await.unwrap(), [request], "an idle port waits for nobody");
        }
        calls
    }
}

#[tokio::test]
async fn calls_that_wait_travel_together_and_each_gets_its_own_result() {
    let mut peer = peer();
    let mut calls = peer.occupy().await;
    for request in 100..200 {
        calls.push(peer.call(request).await);
    }

    peer.permission.add_permits(calls.len());

    assert_eq!(peer.batches.recv().await.unwrap().len(), BATCH_MAX);
    assert_eq!(peer.batches.recv().await.unwrap().len(), 100 - BATCH_MAX);
    let expected = (0..IN_FLIGHT_MAX as u64).chain(100..200);
    for (call, request) in calls.into_iter().zip(expected) {
        assert_eq!(call.await.unwrap(), request * 10);
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let mut peer = peer();
    let _busy = peer.occupy().await;
    let mut waiting = Vec::new();
    for request in 0..QUEUE_MAX as u64 {
        waiting.push(peer.call(request).await);
    }

    let status = peer.coalescer.call(1).await.unwrap_err();

    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(refusal(&status).unwrap().reason, Reason::Overloaded);
}

#[tokio::test]
async fn a_caller_that_gave_up_in_the_queue_is_not_sent() {
    let mut peer = peer();
    let _busy = peer.occupy().await;
    let gone = peer.call(7).await;
    let stays = peer.call(8).await;

    drop(gone);
    peer.permission.add_permits(IN_FLIGHT_MAX + 1);

    assert_eq!(peer.batches.recv().await.unwrap(), [8]);
    assert_eq!(stays.await.unwrap(), 80);
}

#[tokio::test]
async fn a_failed_batch_is_every_callers_failure() {
    let coalescer: Coalescer<u64, u64> = Coalescer::start(async |_| Err(Status::aborted("not now")));

    assert_eq!(coalescer.call(1).await.unwrap_err().code(), Code::Aborted);
}

#[tokio::test]
async fn a_batch_with_too_few_results_gives_nobody_anothers_result() {
    let coalescer: Coalescer<u64, u64> = Coalescer::start(async |_| Ok(Vec::new()));

    assert_eq!(coalescer.call(1).await.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn a_batch_that_panics_leaves_the_outcome_unknown_and_the_port_alive() {
    let first = Mutex::new(true);
    let coalescer: Coalescer<u64, u64> = Coalescer::start(move |requests: Vec<u64>| {
        let panics = std::mem::replace(&mut *first.lock().unwrap(), false);
        async move {
            assert!(!panics, "once");
            Ok(requests)
        }
    });

    let status = coalescer.call(1).await.unwrap_err();

    assert_eq!(refusal(&status).unwrap().reason, Reason::OutcomeUnknown);
    assert_eq!(coalescer.call(2).await.unwrap(), 2);
}
