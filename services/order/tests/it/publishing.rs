//! Events on a real NATS server: each once and in order, whoever is killed and whenever.

use std::time::Duration;

use futures::future::join_all;
use order::config::Nats;
use order::domain::history::Told;
use order::feed::broker::Broker;
use order::feed::{Publisher, Turn, look_at_publication};
use order::ops::{EventFilter, Found, Start, Wait};
use order::store::audit::BOOKS;
use storage::{Cell, Statement, testing, values};
use tokio_util::sync::CancellationToken;

use crate::nats_server::{NatsServer, Stored};
use crate::samples::{caller, cancel_all};
use crate::world::{World, worlds};

/// What a crash between the broker's acknowledgement and the cursor's commit leaves: the cursor where it was.
static FORGET: Statement = Statement::new("test.forget_publication", "DELETE FROM publication");

#[tokio::test]
async fn every_event_stands_in_the_stream_once_with_its_attributes() {
    let Some(server) = NatsServer::start().await else { return };
    for (world, stream) in each("attributes").await {
        let order = world.placed("order").await;
        world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        let mut publisher = Publisher::new(world.orders.clone(), Broker::new(&config).unwrap().unwrap());

        until_idle(&world, &mut publisher).await;

        let (log, stored) = (log(&world).await, server.stored(&stream).await);
        assert_same(&stored, &log);
        for (message, told) in stored.iter().zip(&log) {
            let kind = told.kind.rsplit('.').next().unwrap();
            assert_eq!(message.subject, format!("events.{stream}.default.{kind}"));
            assert_eq!(message.payload, told.payload);
            assert_eq!(message.header("Nats-Msg-Id"), told.event_id.as_str());
            for (name, value) in [
                ("ce-specversion", "1.0"),
                ("ce-source", "/countermand/order"),
                ("ce-type", told.kind.as_str()),
                ("ce-subject", told.order_id.as_str()),
                ("ce-time", told.occurred_at.to_string().as_str()),
                ("ce-datacontenttype", "application/protobuf"),
                ("ce-sequence", told.sequence.to_string().as_str()),
                ("ce-traceparent", told.traceparent.as_deref().unwrap_or_default()),
                ("ce-tenant", "default"),
            ] {
                assert_eq!(message.header(name), value, "{name}");
            }
        }
        assert_eq!(publisher.turn().await.unwrap(), Turn::Idle);
    }
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    let Some(mut server) = NatsServer::start().await else { return };
    for (world, stream) in each("restart").await {
        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        let stop = CancellationToken::new();
        let publisher = Publisher::new(world.orders.clone(), Broker::new(&config).unwrap().unwrap());
        let publishing = tokio::spawn(publisher.run(stop.clone()));

        for round in 0..3 {
            let placing = join_all((0..8).map(async |number| {
                let order = world.placed(&format!("order-{round}-{number}")).await;
                world
                    .submit(&format!("cancel-{round}-{number}"), cancel_all(&order.order_id), Wait::Completed)
                    .await
            }));
            let killing = async {
                at_least(&server, &stream, 20 * (round + 1)).await;
                server.kill();
            };
            let (placed, ()) = tokio::join!(placing, killing);
            assert!(placed.into_iter().all(|view| view.is_ok()));
            server.launch().await;
        }

        let log = log(&world).await;
        at_least(&server, &stream, log.len()).await;
        stop.cancel();
        publishing.await.unwrap();
        assert_same(&server.stored(&stream).await, &log);
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_crash_is_not_published_again() {
    let Some(server) = NatsServer::start().await else { return };
    for (world, stream) in each("crash").await {
        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        let broker = Broker::new(&config).unwrap().unwrap();
        server.forgetful_stream(&config).await;
        world.placed("first").await;
        until_idle(&world, &mut Publisher::new(world.orders.clone(), broker.clone())).await;

        // The process dies before it has noted what was acknowledged, and comes back when the server remembers no ids.
        forget(&world).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.placed("second").await;
        until_idle(&world, &mut Publisher::new(world.orders.clone(), broker)).await;

        assert_same(&server.stored(&stream).await, &log(&world).await);
    }
}

#[tokio::test]
async fn replicas_that_publish_side_by_side_keep_the_order_and_double_nothing() {
    let Some(server) = NatsServer::start().await else { return };
    for (world, stream) in each("replicas").await {
        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        server.forgetful_stream(&config).await;
        let broker = Broker::new(&config).unwrap().unwrap();
        join_all((0..20).map(async |number| world.placed(&format!("order-{number}")).await)).await;

        let racing = (0..4).map(|_| {
            let mut publisher = Publisher::new(world.orders.clone(), broker.clone());
            let world = &world;
            async move { until_idle(world, &mut publisher).await }
        });
        join_all(racing).await;

        assert_same(&server.stored(&stream).await, &log(&world).await);
    }
}

#[tokio::test]
async fn a_stream_that_ends_with_somebody_elses_event_is_continued_from_our_own_cursor() {
    let Some(server) = NatsServer::start().await else { return };
    for (world, stream) in each("foreign").await {
        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        server.forgetful_stream(&config).await;
        let mut headers = async_nats::HeaderMap::new();
        for (name, value) in [("ce-tenant", "default"), ("ce-position", "1"), ("ce-id", "evt_other")] {
            headers.insert(name, value);
        }
        let context = server.jetstream().await;
        let subject = format!("{}.default.OrderPlaced", config.subject);
        context.publish_with_headers(subject, headers, "".into()).await.unwrap().await.unwrap();
        world.placed("order").await;

        until_idle(&world, &mut Publisher::new(world.orders.clone(), Broker::new(&config).unwrap().unwrap()))
            .await;

        assert_same(&server.stored(&stream).await[1..], &log(&world).await);
    }
}

#[tokio::test]
async fn events_that_wait_too_long_for_the_broker_ask_for_a_person_until_they_are_published() {
    let Some(server) = NatsServer::start().await else { return };
    for (world, stream) in each("lag").await {
        let nowhere = Nats { url: "nats://127.0.0.1:9".to_owned(), ..server.config() };
        let mut lost = Publisher::new(world.orders.clone(), Broker::new(&nowhere).unwrap().unwrap());
        world.placed("order").await;
        numbered(&world).await;

        assert!(lost.turn().await.is_err());
        look_at_publication(&world.orders, Some(&stream)).await.unwrap();
        assert_eq!(open_items(&world).await, 0, "a broker may be away for some minutes");
        testing::advance_clock(&world.database, Duration::from_mins(16));
        look_at_publication(&world.orders, Some(&stream)).await.unwrap();
        assert_eq!(open_items(&world).await, 1);

        let config = Nats { stream: stream.clone(), subject: format!("events.{stream}"), ..server.config() };
        until_idle(&world, &mut Publisher::new(world.orders.clone(), Broker::new(&config).unwrap().unwrap()))
            .await;
        look_at_publication(&world.orders, Some(&stream)).await.unwrap();
        assert_eq!(open_items(&world).await, 0);
    }
}

#[test]
fn a_broker_is_used_only_when_it_is_named_and_its_names_are_words() {
    assert!(Broker::new(&Nats::default()).unwrap().is_none());
    let named = Nats { url: "nats://127.0.0.1".to_owned(), ..Nats::default() };
    assert!(Broker::new(&named).unwrap().is_some());
    for wrong in [
        Nats { stream: "two words".to_owned(), ..named.clone() },
        Nats { stream: String::new(), ..named.clone() },
        Nats { subject: "events.*".to_owned(), ..named.clone() },
        Nats { subject: "events.".to_owned(), ..named },
    ] {
        assert!(Broker::new(&wrong).is_err(), "{wrong:?}");
    }
}

/// A world of each engine, with the name of a stream of its own.
async fn each(name: &str) -> Vec<(World, String)> {
    worlds(name).await.into_iter().zip(0..).map(|(world, number)| (world, format!("S{number}"))).collect()
}

/// Publishes everything. A publisher only sees tenants whose events have a position, which the relay gives them in its own time.
async fn until_idle(world: &World, publisher: &mut Publisher) {
    numbered(world).await;
    while publisher.turn().await.unwrap() != Turn::Idle {}
}

/// Waits until the stream holds this many messages.
async fn at_least(server: &NatsServer, stream: &str, count: usize) {
    let limit = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let stored = server.count(stream).await;
        if stored >= count {
            return;
        }
        assert!(tokio::time::Instant::now() < limit, "{stored} of {count} messages came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All events, in their order; asking for them numbers them.
async fn log(world: &World) -> Vec<Told> {
    let mut reader =
        world.orders.read_events(&caller(), EventFilter::default(), Start::After(0)).await.unwrap();
    let mut events = Vec::new();
    loop {
        match reader.next().await.unwrap() {
            Found::Events(found) => events.extend(found),
            Found::NothingHere => {}
            Found::End => return events,
        }
    }
}

async fn numbered(world: &World) {
    assert!(!log(world).await.is_empty());
}

fn assert_same(stored: &[Stored], log: &[Told]) {
    let stored: Vec<&str> = stored.iter().map(|message| message.header("ce-id")).collect();
    let told: Vec<&str> = log.iter().map(|told| told.event_id.as_str()).collect();
    assert!(!told.is_empty());
    assert_eq!(stored, told);
}

async fn forget(world: &World) {
    let mut tx = world.database.begin().await.unwrap();
    tx.execute(&FORGET, values![]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Open attention items about the publisher.
async fn open_items(world: &World) -> usize {
    let book = BOOKS.iter().find(|book| book.name == "attention").unwrap();
    let rows = testing::rows_of(&world.database, book, &caller().tenant).await;
    let open = |row: &&Vec<Cell>| {
        row.contains(&Cell::Text("publisher".to_owned())) && row.last() == Some(&Cell::Null)
    };
    rows.iter().filter(open).count()
}
