use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use storage::outbox::{append, oldest_unsent_age};
use storage::relay::{BATCH, Courier, Turn};
use storage::{Database, Delivery, Envelope, NewEvent, Relay, testing};
use tokio_util::sync::CancellationToken;
use types::{Clock, EventId, Ids, Tenant};

use crate::world::shops;

fn event(ids: &Ids, aggregate: &str, seq: i64) -> NewEvent {
    NewEvent {
        tenant: Tenant::default(),
        event_id: ids.mint::<EventId>(),
        aggregate_type: "order",
        aggregate_id: aggregate.to_owned(),
        aggregate_seq: seq,
        kind: "test.Happened",
        payload: seq.to_le_bytes().to_vec(),
        traceparent: (seq % 2 == 0).then(|| "00-trace".to_owned()),
        occurred_at: Clock::System.now(),
    }
}

async fn queue(database: &Database, events: &[NewEvent]) {
    database
        .write("queue", |mut tx| async move {
            append(&mut tx, events).await?;
            Ok((tx, ()))
        })
        .await
        .expect("events are appended");
}

/// A receiver that checks the order of each aggregate as an inbox does, and keeps what it accepted.
#[derive(Debug, Default)]
struct Receiver {
    accepted: BTreeMap<String, i64>,
    seen: Vec<Envelope>,
    refuse: Vec<String>,
    silent: bool,
}

impl Receiver {
    fn deliver(&mut self, envelopes: Vec<Envelope>) -> Result<Vec<Delivery>, String> {
        if self.silent {
            return Err("nobody answers".to_owned());
        }
        let mut deliveries = Vec::new();
        for envelope in envelopes {
            let last = self.accepted.entry(envelope.aggregate_id.clone()).or_default();
            deliveries.push(if envelope.aggregate_seq <= *last {
                Delivery::Duplicate
            } else if envelope.aggregate_seq > *last + 1 || self.refuse.contains(&envelope.aggregate_id) {
                Delivery::Later
            } else {
                *last += 1;
                Delivery::Accepted
            });
            self.seen.push(envelope);
        }
        Ok(deliveries)
    }
}

/// One turn of the courier with this receiver.
async fn turn(courier: &mut Courier, receiver: &Mutex<Receiver>) -> Turn {
    courier
        .turn(&|envelopes| {
            let answer = receiver.lock().expect("no test panics with it").deliver(envelopes);
            async move { answer }
        })
        .await
        .expect("the database answers")
}

async fn age(database: &Database) -> Option<Duration> {
    let mut tx = database.read().await.expect("the database answers");
    oldest_unsent_age(&mut tx).await.expect("it is a number")
}

#[tokio::test]
async fn events_arrive_in_order_as_they_were_written() {
    let ids = Ids::random(Clock::System);
    for database in shops("relay_order").await {
        let events: Vec<NewEvent> = (1..=150)
            .flat_map(|seq| ["a", "b", "c"].map(|aggregate| (aggregate, seq)))
            .map(|(aggregate, seq)| event(&ids, aggregate, seq))
            .collect();
        for chunk in events.chunks(90) {
            queue(&database, chunk).await;
        }
        testing::advance_clock(&database, Duration::from_secs(1));
        let receiver = Mutex::new(Receiver::default());
        let mut courier = Courier::new(database.clone(), "shop");
        assert!(age(&database).await.unwrap() >= Duration::from_secs(1));

        let mut turns = Vec::new();
        while let Turn::Delivered(count) = turn(&mut courier, &receiver).await {
            turns.push(count);
        }

        assert_eq!(turns, [BATCH, BATCH, 50]);
        assert_eq!(age(&database).await, None);
        let receiver = receiver.into_inner().unwrap();
        assert_eq!(receiver.seen.len(), events.len(), "each was sent once");
        assert!(receiver.accepted.values().all(|last| *last == 150));
        let sent = receiver.seen.iter().find(|envelope| envelope.event_id == events[3].event_id).unwrap();
        assert_eq!((sent.source.as_str(), sent.kind.as_str()), ("shop", "test.Happened"));
        assert_eq!((&sent.payload, &sent.traceparent), (&events[3].payload, &events[3].traceparent));
        assert_eq!(sent.occurred_at, events[3].occurred_at);
    }
}

#[tokio::test]
async fn an_event_that_must_wait_holds_up_its_own_aggregate_only() {
    let ids = Ids::random(Clock::System);
    for database in shops("relay_later").await {
        let events: Vec<NewEvent> = [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
            .map(|(aggregate, seq)| event(&ids, aggregate, seq))
            .into();
        queue(&database, &events).await;
        let receiver = Mutex::new(Receiver { refuse: vec!["a".to_owned()], ..Receiver::default() });
        let mut courier = Courier::new(database.clone(), "shop");

        let first = turn(&mut courier, &receiver).await;
        let second = turn(&mut courier, &receiver).await;
        queue(&database, &[event(&ids, "a", 3), event(&ids, "b", 3)]).await;
        let third = turn(&mut courier, &receiver).await;
        receiver.lock().unwrap().refuse.clear();
        let mut rounds = 0;
        while receiver.lock().unwrap().accepted["a"] < 3 {
            testing::advance_clock(&database, Duration::from_mins(10));
            turn(&mut courier, &receiver).await;
            rounds += 1;
            assert!(rounds < 10, "all pauses are over by then");
        }
        let last = turn(&mut courier, &receiver).await;

        assert_eq!((first, second, third), (Turn::Delivered(4), Turn::Idle, Turn::Delivered(1)));
        assert_eq!(last, Turn::Idle);
        assert_eq!(
            receiver.into_inner().unwrap().accepted,
            BTreeMap::from([("a".into(), 3), ("b".into(), 3)])
        );
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_gets_everything_again_at_once() {
    let ids = Ids::random(Clock::System);
    for database in shops("relay_silent").await {
        queue(&database, &[event(&ids, "a", 1), event(&ids, "a", 2)]).await;
        let receiver = Mutex::new(Receiver { silent: true, ..Receiver::default() });
        let mut courier = Courier::new(database.clone(), "shop");

        let silent = turn(&mut courier, &receiver).await;
        receiver.lock().unwrap().silent = false;
        let answered = turn(&mut courier, &receiver).await;

        assert!(matches!(silent, Turn::Silent(pause) if pause <= Duration::from_secs(30)), "{silent:?}");
        assert_eq!(answered, Turn::Delivered(2));
    }
}

async fn buggy(_: Vec<Envelope>) -> Result<Vec<Delivery>, String> {
    panic!("the delivery has a bug")
}

#[tokio::test]
async fn a_delivery_that_panics_does_not_end_the_relay() {
    let ids = Ids::random(Clock::System);
    for database in shops("relay_panic").await {
        queue(&database, &[event(&ids, "a", 1)]).await;
        let mut courier = Courier::new(database.clone(), "shop");

        let panicked = courier.turn(&buggy).await;
        let short = courier.turn(&|_| async { Ok(Vec::new()) }).await;
        let answered = turn(&mut courier, &Mutex::default()).await;

        assert!(matches!(panicked, Ok(Turn::Silent(_))), "{panicked:?}");
        assert!(matches!(short, Ok(Turn::Silent(_))), "an answer for each event is missing: {short:?}");
        assert_eq!(answered, Turn::Delivered(1));
    }
}

/// The first courier delivers and then dies before it has noted so.
#[tokio::test]
async fn what_a_crashed_relay_had_claimed_is_sent_again_when_its_claim_has_run_out() {
    let ids = Ids::random(Clock::System);
    for database in shops("relay_crash").await {
        queue(&database, &[event(&ids, "a", 1), event(&ids, "a", 2)]).await;
        let receiver = Mutex::new(Receiver::default());
        let mut crashed = Courier::new(database.clone(), "shop");
        turn(&mut crashed, &receiver).await;
        let mut other = Courier::new(database.clone(), "shop");

        queue(&database, &[event(&ids, "a", 3)]).await;
        let claimed = turn(&mut other, &receiver).await;
        testing::advance_clock(&database, Duration::from_secs(31));
        let run_out = turn(&mut other, &receiver).await;
        other.note_outcomes().await.unwrap();
        crashed.note_outcomes().await.unwrap();
        let rest = turn(&mut other, &receiver).await;

        assert_eq!((claimed, run_out, rest), (Turn::Idle, Turn::Delivered(3), Turn::Idle));
        assert_eq!(receiver.into_inner().unwrap().accepted["a"], 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_relays_on_one_outbox_deliver_all() {
    let ids = Ids::random(Clock::System);
    for database in shops("relays").await {
        let receiver = Arc::new(Mutex::new(Receiver::default()));
        let shutdown = CancellationToken::new();
        let relays: Vec<Relay> = (0..3)
            .map(|_| {
                let receiver = Arc::clone(&receiver);
                let target = move |envelopes| {
                    let answer = receiver.lock().expect("no test panics with it").deliver(envelopes);
                    async move { answer }
                };
                Relay::start(database.clone(), target, "shop", shutdown.clone())
            })
            .collect();

        for seq in 1..=40 {
            let events: Vec<NewEvent> = (0..10).map(|a| event(&ids, &format!("a{a}"), seq)).collect();
            queue(&database, &events).await;
            for relay in &relays {
                relay.wake();
            }
        }
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        while age(&database).await.is_some() {
            assert!(tokio::time::Instant::now() < deadline, "all must arrive in the end");
            // Pauses after a race between relays end at once.
            testing::advance_clock(&database, Duration::from_secs(10));
            relays[0].wake();
            tokio::task::yield_now().await;
        }
        shutdown.cancel();

        assert!(receiver.lock().unwrap().accepted.values().all(|last| *last == 40));
    }
}
