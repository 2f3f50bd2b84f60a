//! What leaves the house: claimed once, tried again, given up, suppressed. On both engines.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notification::domain::{Audience, Delivery, DeliveryState, Outcome, Outlet, Progress, SuppressionCause};
use notification::ops::Dispatch;
use notification::ports::Carrier;
use notification::store::deliveries::{self, Claimed, DeliveryFilter};
use storage::testing;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use types::Tenant;

use crate::events::World;

const A_CLAIM: Duration = Duration::from_secs(121);
const A_DAY: Duration = Duration::from_hours(30);

/// The other side: what it was asked to take, in order, and what it answers, the last answer for ever.
#[derive(Clone)]
struct Fake {
    seen: Arc<Mutex<Vec<Delivery>>>,
    answers: Arc<Mutex<Vec<Outcome>>>,
}

impl Fake {
    fn answering(answers: &[Outcome]) -> Self {
        let mut answers = answers.to_vec();
        answers.reverse();
        Self { seen: Arc::default(), answers: Arc::new(Mutex::new(answers)) }
    }

    fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .expect("a test needs its database")
            .iter()
            .map(|delivery| delivery.template.clone())
            .collect()
    }
}

impl Carrier for Fake {
    const OUTLET: Outlet = Outlet::Email;

    async fn carry(&self, _tenant: &Tenant, delivery: &Delivery) -> Outcome {
        self.seen.lock().expect("a test needs its database").push(delivery.clone());
        let mut answers = self.answers.lock().expect("a test needs its database");
        if answers.len() > 1 { answers.pop().expect("a test needs its database") } else { answers[0].clone() }
    }
}

fn taken() -> Outcome {
    Outcome::Taken { provider_id: Some("250 OK".to_owned()) }
}

fn later() -> Outcome {
    Outcome::Later { why: "451 come back".to_owned(), pause: None }
}

/// Takes what the first recipient is sent and never answers; all others are answered at once.
struct Hangs;

impl Carrier for Hangs {
    const OUTLET: Outlet = Outlet::Email;

    async fn carry(&self, _tenant: &Tenant, delivery: &Delivery) -> Outcome {
        if delivery.recipient == "slow@example.org" {
            std::future::pending::<()>().await;
        }
        taken()
    }
}

fn dispatch(world: &World, fake: &Fake) -> Dispatch<Fake> {
    Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, fake.clone())
}

fn delivery(world: &World, recipient: &str, template: &str, stream: &str) -> Delivery {
    Delivery {
        delivery_id: world.ids.mint(),
        event_id: world.ids.mint(),
        outlet: Outlet::Email,
        recipient: recipient.to_owned(),
        audience: Audience::Buyer,
        template: template.to_owned(),
        locale: "en".to_owned(),
        order_id: None,
        change_order_id: None,
        stream: stream.to_owned(),
        payload: "{}".to_owned(),
        traceparent: None,
        progress: Progress::queued(),
        created_at: world.clock.now(),
    }
}

async fn queue(world: &World, new: &[Delivery]) -> u64 {
    let new: Vec<Claimed> =
        new.iter().map(|delivery| Claimed { tenant: Tenant::DEFAULT, delivery: delivery.clone() }).collect();
    let mut tx = world.database.begin().await.expect("a test needs its database");
    let count = deliveries::insert(&mut tx, &new).await.expect("a test needs its database");
    tx.commit().await.expect("a test needs its database");
    count
}

/// "template state tries" of every delivery, oldest first.
async fn states(world: &World) -> Vec<String> {
    listed(world)
        .await
        .iter()
        .map(|row| format!("{} {} {}", row.template, row.progress.state.as_str(), row.progress.tries))
        .collect()
}

async fn listed(world: &World) -> Vec<Delivery> {
    let mut tx = world.database.read().await.expect("a test needs its database");
    let rows = deliveries::list(&mut tx, &Tenant::DEFAULT, &DeliveryFilter::default(), "", 500)
        .await
        .expect("a test needs its database");
    tx.rollback().await;
    rows
}

#[tokio::test]
async fn an_event_is_delivered_once_per_channel_and_recipient() {
    for world in World::each("delivery_once").await {
        let fake = Fake::answering(&[taken()]);
        let first = delivery(&world, "a@shop.example", "one", "");
        let mut again = delivery(&world, "a@shop.example", "again", "");
        again.event_id = first.event_id.clone();

        assert_eq!(queue(&world, std::slice::from_ref(&first)).await, 1);
        assert_eq!(queue(&world, &[again]).await, 0);
        let worker = dispatch(&world, &fake);
        assert_eq!(worker.turn().await, Ok(1));
        assert_eq!(worker.turn().await, Ok(0));

        assert_eq!(fake.seen(), ["one"]);
        assert_eq!(states(&world).await, ["one sent 1"]);
        assert_eq!(listed(&world).await[0].progress.provider_id.as_deref(), Some("250 OK"));
    }
}

#[tokio::test]
async fn two_workers_never_try_the_same_delivery() {
    for world in World::each("delivery_race").await {
        let all: Vec<Delivery> =
            (0..100).map(|n| delivery(&world, &format!("{n}@shop.example"), "one", "")).collect();
        queue(&world, &all).await;
        let fake = Fake::answering(&[taken()]);
        let (one, other) = (dispatch(&world, &fake), dispatch(&world, &fake));

        for _ in 0..8 {
            let (a, b) = futures::join!(one.turn(), other.turn());
            a.unwrap();
            b.unwrap();
        }

        assert_eq!(fake.seen().len(), 100);
    }
}

#[tokio::test]
async fn a_failed_try_waits_and_the_last_one_makes_it_dead() {
    for world in World::each("delivery_dead").await {
        queue(&world, &[delivery(&world, "a@shop.example", "one", "")]).await;
        let fake = Fake::answering(&[later()]);
        let worker = dispatch(&world, &fake);

        assert_eq!(worker.turn().await, Ok(1));
        assert_eq!(worker.turn().await, Ok(0), "it is not due yet");
        assert_eq!(states(&world).await, ["one failed 1"]);
        for _ in 0..7 {
            testing::advance_clock(&world.database, A_DAY);
            assert_eq!(worker.turn().await, Ok(1));
        }

        assert_eq!(states(&world).await, ["one dead 8"]);
        testing::advance_clock(&world.database, A_DAY);
        assert_eq!(worker.turn().await, Ok(0));
        assert!(listed(&world).await[0].progress.last_error.as_ref().unwrap().contains("last try"));
    }
}

#[tokio::test]
async fn a_stream_goes_out_in_order_and_others_do_not_wait_for_it() {
    for world in World::each("delivery_stream").await {
        let new = [
            delivery(&world, "a@shop.example", "first", "a"),
            delivery(&world, "a@shop.example", "second", "a"),
            delivery(&world, "b@shop.example", "other", "b"),
        ];
        queue(&world, &new).await;
        let fake = Fake::answering(&[later(), taken()]);
        let worker = dispatch(&world, &fake);

        while worker.turn().await.unwrap() > 0 {}
        assert_eq!(states(&world).await, ["first failed 1", "second queued 0", "other sent 1"]);
        testing::advance_clock(&world.database, A_DAY);
        while worker.turn().await.unwrap() > 0 {}

        assert_eq!(fake.seen(), ["first", "other", "first", "second"]);
    }
}

#[tokio::test]
async fn a_try_that_may_have_arrived_is_repeated_once_and_never_again() {
    for world in World::each("delivery_doubt").await {
        queue(&world, &[delivery(&world, "a@shop.example", "one", "")]).await;
        let fake = Fake::answering(&[Outcome::Unknown { why: "the connection broke".to_owned() }]);
        let worker = dispatch(&world, &fake);

        for _ in 0..4 {
            worker.turn().await.unwrap();
            testing::advance_clock(&world.database, A_DAY);
        }

        assert_eq!(fake.seen().len(), 2, "one message and at most one duplicate");
        assert_eq!(states(&world).await, ["one dead 2"]);
    }
}

#[tokio::test]
async fn a_crash_between_the_try_and_its_note_repeats_it_once_and_never_again() {
    for world in World::each("delivery_crash").await {
        queue(&world, &[delivery(&world, "a@shop.example", "one", "")]).await;
        let fake = Fake::answering(&[taken()]);

        for _ in 0..4 {
            // A worker that dies while it is sending: its claim stays behind.
            let mut tx = world.database.begin().await.unwrap();
            let claim = deliveries::Claim { outlet: Outlet::Email, token: "died", limit: 16 };
            let claimed = deliveries::claim(&mut tx, claim).await.unwrap();
            tx.commit().await.unwrap();
            for Claimed { tenant, delivery } in claimed.iter().filter(|c| !c.delivery.is_in_doubt_for_good())
            {
                fake.carry(tenant, delivery).await;
            }
            testing::advance_clock(&world.database, A_CLAIM);
        }
        dispatch(&world, &fake).turn().await.unwrap();

        assert_eq!(fake.seen().len(), 2, "one message and at most one duplicate");
        assert!(states(&world).await[0].starts_with("one dead"), "{:?}", states(&world).await);
    }
}

#[tokio::test]
async fn a_recipient_that_refused_for_good_is_told_nothing_more() {
    for world in World::each("delivery_bounce").await {
        let new = [
            delivery(&world, "gone@shop.example", "first", "s"),
            delivery(&world, "gone@shop.example", "second", "s"),
            delivery(&world, "here@shop.example", "third", ""),
        ];
        queue(&world, &new).await;
        let bounce = Outcome::Never {
            why: "550 no such user".to_owned(),
            suppress: Some(SuppressionCause::HardBounce),
        };
        let fake = Fake::answering(&[bounce, taken()]);
        let worker = dispatch(&world, &fake);

        while worker.turn().await.unwrap() > 0 {}

        assert_eq!(fake.seen(), ["first", "third"]);
        assert_eq!(states(&world).await, ["first dead 1", "second suppressed 1", "third sent 1"]);
        let second = &listed(&world).await[1];
        assert_eq!(second.progress.state, DeliveryState::Suppressed);
        assert!(second.progress.last_error.as_ref().unwrap().starts_with("hard_bounce: 550"));
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    for world in World::each("hanging").await {
        queue(&world, &[delivery(&world, "slow@example.org", "slow", "a")]).await;
        let worker = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, Hangs);
        let (queued, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
        let running = tokio::spawn(worker.run(Arc::clone(&queued), shutdown));
        while states(&world).await != ["slow sending 1"] {
            tokio::task::yield_now().await;
        }

        queue(&world, &[delivery(&world, "quick@example.org", "quick", "b")]).await;
        queued.notify_one();

        let arrived = async {
            while states(&world).await != ["slow sending 1", "quick sent 1"] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), arrived)
            .await
            .expect("the quick one waits for the slow one");
        running.abort();
    }
}

/// Takes a mail at its first, second or third try, by its number.
#[derive(Clone, Default)]
struct Moody {
    tries: Arc<AtomicUsize>,
    taken: Arc<Mutex<Vec<(String, String)>>>,
}

impl Carrier for Moody {
    const OUTLET: Outlet = Outlet::Email;

    async fn carry(&self, _tenant: &Tenant, delivery: &Delivery) -> Outcome {
        self.tries.fetch_add(1, Ordering::SeqCst);
        let number = delivery.template.bytes().last().map_or(0, |digit| i64::from(digit - b'0'));
        if delivery.progress.tries <= number % 3 {
            return later();
        }
        let mut all = self.taken.lock().expect("nothing panics with it");
        all.push((delivery.stream.clone(), delivery.template.clone()));
        taken()
    }
}

#[tokio::test]
async fn what_a_person_is_told_of_an_order_stays_in_order_however_often_it_is_tried_again() {
    for world in World::each("delivery_order").await {
        let mut new = Vec::new();
        for number in 0..6 {
            for stream in ["a", "b", "c"] {
                let to = format!("{stream}@shop.example");
                new.push(delivery(&world, &to, &format!("{stream}{number}"), stream));
            }
        }
        queue(&world, &new).await;
        let moody = Moody::default();
        let workers: Vec<_> = (0..3)
            .map(|_| Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, moody.clone()))
            .collect();

        for _ in 0..60 {
            for turn in futures::future::join_all(workers.iter().map(Dispatch::turn)).await {
                turn.unwrap();
            }
            testing::advance_clock(&world.database, A_DAY);
        }

        let taken = moody.taken.lock().unwrap();
        assert!(moody.tries.load(Ordering::SeqCst) > new.len(), "some were tried again");
        for stream in ["a", "b", "c"] {
            let told: Vec<&str> =
                taken.iter().filter(|(of, _)| of == stream).map(|(_, template)| template.as_str()).collect();
            assert_eq!(told, [0, 1, 2, 3, 4, 5].map(|number| format!("{stream}{number}")), "{taken:?}");
        }
    }
}
