use storage::{Database, Envelope, Inbox, Intake, Overlay};
use types::{Clock, EventId, Ids, Tenant};

use crate::world::shops;

pub fn event(ids: &Ids, aggregate: &str, seq: i64) -> Envelope {
    Envelope {
        source: "shop".to_owned(),
        tenant: Tenant::default(),
        event_id: ids.mint::<EventId>(),
        aggregate_type: "order".to_owned(),
        aggregate_id: aggregate.to_owned(),
        aggregate_seq: seq,
        kind: "test.Happened".to_owned(),
        payload: vec![1, 2, 3],
        traceparent: None,
        occurred_at: Clock::System.now(),
    }
}

async fn deliver(database: &Database, envelopes: &[Envelope]) -> Vec<Intake> {
    let mut tx = database.begin().await.expect("the database answers");
    let mut inbox = Inbox::load(&mut tx, envelopes).await.expect("the inbox loads");
    let mut intakes = Vec::new();
    for envelope in envelopes {
        inbox.mark();
        let intake = inbox.admit(envelope);
        if intake == Intake::New {
            inbox.accept(envelope);
        }
        intakes.push(intake);
    }
    inbox.flush(&mut tx).await.expect("the inbox is written");
    tx.commit().await.expect("it commits");
    intakes
}

#[tokio::test]
async fn an_event_takes_effect_once_and_in_its_place() {
    use Intake::{Duplicate, Later, New};
    let ids = Ids::random(Clock::System);
    for database in shops("inbox").await {
        let a: Vec<Envelope> = (1..=5).map(|seq| event(&ids, "a", seq)).collect();
        let b = event(&ids, "b", 1);

        let gap = deliver(&database, &[a[1].clone()]).await;
        let batch = [a[0].clone(), a[0].clone(), b.clone(), a[1].clone(), a[3].clone()];
        let mixed = deliver(&database, &batch).await;
        let again = deliver(&database, &batch).await;
        let rest = deliver(&database, &[a[2].clone(), a[3].clone(), a[4].clone()]).await;
        let impostor = deliver(&database, &[event(&ids, "a", 2)]).await;

        assert_eq!(gap, [Later]);
        assert_eq!(mixed, [New, Duplicate, New, New, Later]);
        assert_eq!(again, [Duplicate, Duplicate, Duplicate, Duplicate, Later]);
        assert_eq!(rest, [New, New, New]);
        assert_eq!(impostor, [Duplicate]);
    }
}

#[tokio::test]
async fn a_rolled_back_event_is_new_again() {
    let ids = Ids::random(Clock::System);
    for database in shops("inbox_rollback").await {
        let first = event(&ids, "a", 1);
        let mut tx = database.begin().await.unwrap();
        let mut inbox = Inbox::load(&mut tx, std::slice::from_ref(&first)).await.unwrap();
        inbox.mark();
        inbox.accept(&first);
        inbox.rollback();
        inbox.flush(&mut tx).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(deliver(&database, &[first]).await, [Intake::New]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_deliveries_take_effect_once() {
    let ids = Ids::random(Clock::System);
    for database in shops("inbox_race").await {
        let events: Vec<Envelope> = (0..20)
            .flat_map(|a| (1..=5).map(move |seq| (a, seq)))
            .map(|(a, seq)| event(&ids, &format!("a{a}"), seq))
            .collect();
        let deliveries = (0..6).map(|_| {
            let (database, events) = (database.clone(), events.clone());
            tokio::spawn(async move { deliver(&database, &events).await })
        });

        let mut new = 0;
        for delivery in deliveries.collect::<Vec<_>>() {
            new += delivery.await.unwrap().iter().filter(|intake| **intake == Intake::New).count();
        }

        assert_eq!(new, events.len());
    }
}
