//! A key that the gateway does not know: what it is able to do decides whether it is sent again.

use std::time::Duration;

use payment::domain::gateway::Capabilities;
use payment::domain::refund::State;
use payment::ports::sandbox::Sandbox;
use storage::testing;
use types::OrderId;

use crate::service::{Service, on_each_engine};

/// A refund that was committed by a process that ended before it called the gateway.
async fn never_sent(service: &mut Service, capabilities: Capabilities) -> OrderId {
    service.sandbox = service.sandbox.clone().declaring(capabilities);
    let order = service.paid_elsewhere("INV-1", 100).await;
    let saga = service.saga();
    service.reserve(&saga, &order, 0).await;
    service.impatient();
    service.settle(&saga, &order).await;
    assert_eq!(service.take_tasks().len(), 1);
    order
}

/// Time passes, and the worker looks once.
async fn after(service: &Service, passed: Duration) {
    service.clock.advance(passed);
    testing::advance_clock(&service.database, Duration::from_secs(2));
    service.worker().look().await;
}

async fn stands(service: &Service, order: &OrderId) -> (State, usize) {
    let account = service.account(order).await;
    let refund = account.refunds.values().next().unwrap();
    (refund.state, service.effects().await.len())
}

fn forgets() -> Capabilities {
    Capabilities { key_window: Some(Duration::from_hours(24)), ..Sandbox::CAPABILITIES }
}

#[tokio::test]
async fn f43_a_key_that_may_be_forgotten_is_never_sent_again() {
    for mut service in on_each_engine("f43_old").await {
        let order = never_sent(&mut service, forgets()).await;

        for passed in [Duration::from_hours(25), Duration::from_mins(1), Duration::from_mins(1)] {
            after(&service, passed).await;
            assert_eq!(stands(&service, &order).await, (State::Unknown, 0));
        }

        assert_eq!(service.count_events("AttentionRaised").await, 1, "a person is told, once");
    }
}

#[tokio::test]
async fn f43_a_key_within_half_its_window_is_sent() {
    for mut service in on_each_engine("f43_new").await {
        let order = never_sent(&mut service, forgets()).await;

        after(&service, Duration::from_hours(11)).await;

        assert_eq!(stands(&service, &order).await, (State::Succeeded, 1));
    }
}

#[tokio::test]
async fn f42_without_cached_errors_a_key_is_sent_again_after_two_misses_apart() {
    for mut service in on_each_engine("f42").await {
        let capabilities = Capabilities { caches_errors: false, ..forgets() };
        let order = never_sent(&mut service, capabilities).await;
        let worker = service.worker();
        let look = async |passed| {
            service.clock.advance(passed);
            testing::advance_clock(&service.database, Duration::from_secs(2));
            worker.look().await;
        };

        for passed in [Duration::from_mins(9), Duration::from_secs(59), Duration::from_secs(1)] {
            assert_eq!(stands(&service, &order).await.1, 0, "it was not sent yet");
            look(passed).await;
        }

        assert_eq!(stands(&service, &order).await, (State::Succeeded, 1));
    }
}
