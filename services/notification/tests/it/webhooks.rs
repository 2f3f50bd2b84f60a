//! Events posted to others: signed, retried by the ladder, logged, and never to where they must not go.

use std::time::Duration;

use kit::Failure;
use kit::outbound::Outbound;
use notification::domain::Event;
use notification::domain::webhook::{DisabledCause, EndpointState, FAILING_MAX, OVERLAP};
use notification::ports::webhook::Poster;
use types::{Fingerprint, OrderId, Reason, Tenant};

use crate::outside::{Outside, asked, wanted};
use crate::receiver::{Receiver, Reply};

const TYPE: &str = "countermand.events.v1.OrderPlaced";
/// The published ladder.
const LADDER: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

#[tokio::test]
async fn an_event_is_posted_signed_and_logged() {
    for outside in Outside::each("posted").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;

        outside.tell().await;
        assert_eq!(outside.turn().await, 1);

        let heard = outside.receiver.heard();
        let headers = &heard[0].headers;
        assert!(headers["webhook-id"].starts_with("evt_"));
        assert_eq!(headers["webhook-timestamp"], "1795300632");
        assert!(headers["webhook-signature"].starts_with("v1,"));
        assert_eq!(headers["content-type"], "application/cloudevents+json; charset=utf-8");
        let event: serde_json::Value = serde_json::from_str(&heard[0].body).unwrap();
        assert_eq!((&event["specversion"], &event["type"]), (&"1.0".into(), &TYPE.into()));
        assert_eq!((&event["sequence"], &event["source"]), (&"1".into(), &"/countermand/order".into()));
        let log = outside.log(&endpoint).await;
        let (delivery, attempts) = &log[0];
        assert_eq!(delivery.progress.state.as_str(), "sent");
        assert_eq!((attempts.len(), attempts[0].status, attempts[0].error.as_str()), (1, 200, ""));
    }
}

#[tokio::test]
async fn whom_we_write_to_is_posted_to_nobody() {
    for outside in Outside::each("contact").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        let order: OrderId = outside.world.ids.mint();
        let mut contact = outside.world.placed(&order, 1);
        contact.envelope.aggregate_type = "contact".to_owned();
        contact.envelope.kind = "countermand.events.v1.ContactNamed".to_owned();
        contact.event = Ok(Event::ContactNamed { order_id: order.clone() });
        let placed = outside.world.placed(&order, 1);

        outside.world.deliver(&[&contact, &placed]).await;
        while outside.turn().await > 0 {}

        let log = outside.log(&endpoint).await;
        assert_eq!(log.len(), 1, "the order is told, its contact is not");
        assert!(!outside.receiver.heard()[0].body.contains("ContactNamed"));
    }
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_old_one_for_a_while() {
    for outside in Outside::each("rotated").await {
        let before = outside.add(&outside.receiver.url(), &[]).await;
        let rotate = asked("RotateSecret", "rotate");

        let after = outside.webhooks.rotate(&rotate, before.webhook_id.clone(), OVERLAP).await.unwrap();
        outside.tell().await;
        outside.turn().await;
        outside.wait(OVERLAP);
        outside.tell().await;
        outside.turn().await;

        assert_ne!(after.secret, before.secret);
        let again = outside.webhooks.rotate(&rotate, before.webhook_id, OVERLAP).await.unwrap();
        assert_eq!(again.secret, after.secret, "the same request rotates once");
        let signatures =
            outside.receiver.heard().into_iter().map(|heard| heard.headers["webhook-signature"].clone());
        let counts: Vec<usize> = signatures.map(|signatures| signatures.split(' ').count()).collect();
        assert_eq!(counts, [2, 1]);
    }
}

#[tokio::test]
async fn only_wanted_types_are_posted_and_nothing_of_other_tenants() {
    for outside in Outside::each("types").await {
        let other =
            outside.add(&outside.receiver.url(), &["countermand.events.v1.ChangeOrderCommitted"]).await;
        let this = outside.add(&format!("{}/placed", outside.receiver.url()), &[TYPE]).await;

        outside.tell().await;
        let order: OrderId = outside.world.ids.mint();
        let mut foreign = outside.world.placed(&order, 1);
        foreign.envelope.tenant = Tenant::parse("another").unwrap();
        outside.world.deliver(&[&foreign]).await;
        outside.turn().await;

        assert_eq!(outside.receiver.heard().len(), 1);
        assert_eq!(outside.log(&other).await, []);
        assert_eq!(outside.states(&this).await, ["sent"]);
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    for outside in Outside::each("redirect").await {
        let elsewhere = Receiver::start().await;
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.receiver.play([Reply::With(302, format!("location: {}", elsewhere.url()))]);

        outside.tell().await;
        outside.turn().await;

        assert_eq!(elsewhere.heard(), []);
        assert_eq!(outside.states(&endpoint).await, ["failed"]);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_more_until_it_is_changed() {
    for outside in Outside::each("gone").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.receiver.play([Reply::Status(410)]);

        outside.tell().await;
        outside.turn().await;
        outside.tell().await;

        assert_eq!(outside.now(&endpoint).await.state, EndpointState::Disabled(DisabledCause::Gone));
        assert_eq!(outside.states(&endpoint).await, ["dead"]);
        let changed = wanted(&outside.receiver.url(), &[TYPE]);
        let ask = asked("UpsertEndpoint", "changed");
        let after = outside.webhooks.change(&ask, endpoint.webhook_id.clone(), changed).await.unwrap();
        assert_eq!(after.state, EndpointState::Active);
        outside.tell().await;
        outside.turn().await;
        assert_eq!(outside.states(&endpoint).await, ["dead", "sent"]);
    }
}

#[tokio::test]
async fn the_receivers_wish_for_patience_is_honoured() {
    for outside in Outside::each("patience").await {
        for status in [429, 503] {
            let heard = outside.receiver.heard().len();
            if heard == 0 {
                outside.add(&outside.receiver.url(), &[]).await;
            }
            outside.receiver.play([Reply::With(status, "retry-after: 3600".to_owned())]);
            outside.tell().await;
            outside.turn().await;

            outside.wait(Duration::from_secs(3_590));
            assert_eq!(outside.turn().await, 0);
            outside.wait(Duration::from_secs(20));
            assert_eq!(outside.turn().await, 1);

            assert_eq!(outside.receiver.heard().len(), heard + 2);
        }
    }
}

#[tokio::test]
async fn failures_climb_the_published_ladder_under_one_id_and_end_dead() {
    for outside in Outside::each("ladder").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.receiver.play(vec![Reply::Status(500); 10]);
        outside.tell().await;
        assert_eq!(outside.turn().await, 1);

        for pause in LADDER.map(Duration::from_secs) {
            outside.wait(pause.saturating_sub(Duration::from_secs(1)));
            assert_eq!(outside.turn().await, 0, "too early: {pause:?}");
            // The jitter is a tenth at most.
            outside.wait(pause / 10 + Duration::from_secs(2));
            assert_eq!(outside.turn().await, 1, "too late: {pause:?}");
        }

        let heard = outside.receiver.heard();
        assert_eq!(heard.len(), 10);
        assert!(heard.iter().all(|one| one.headers["webhook-id"] == heard[0].headers["webhook-id"]));
        assert!(heard.iter().all(|one| one.body == heard[0].body));
        let log = outside.log(&endpoint).await;
        assert_eq!((log[0].0.progress.state.as_str(), log[0].1.len()), ("dead", 10));
        assert_eq!(log[0].1[9].error, "status 500: said so");
        assert_eq!(outside.now(&endpoint).await.state, EndpointState::Active);

        // By hand it begins anew, under its id.
        outside.webhooks.redeliver(&asked("Redeliver", "again"), log[0].0.delivery_id.clone()).await.unwrap();
        assert_eq!(outside.turn().await, 1);
        assert_eq!(outside.states(&endpoint).await, ["sent"]);
    }
}

#[tokio::test]
async fn failing_for_days_disables_the_endpoint() {
    for outside in Outside::each("failing").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.receiver.play(vec![Reply::Status(500); 2]);
        outside.tell().await;
        outside.turn().await;
        outside.wait(FAILING_MAX);

        outside.turn().await;

        assert_eq!(outside.now(&endpoint).await.state, EndpointState::Disabled(DisabledCause::Failing));
        outside.wait(FAILING_MAX);
        outside.turn().await;
        assert_eq!(outside.receiver.heard().len(), 2, "nothing is posted to a disabled endpoint");
        assert_eq!(outside.states(&endpoint).await, ["dead"]);
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_asked_again() {
    for outside in Outside::each("hang").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.receiver.play([Reply::Hang]);
        outside.tell().await;
        outside.turn().await;
        assert_eq!(outside.states(&endpoint).await, ["failed"]);

        outside.wait(Duration::from_secs(6));
        outside.turn().await;

        let log = outside.log(&endpoint).await;
        assert_eq!(log[0].1.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [0, 200]);
        assert!(log[0].1[0].error.starts_with("no answer within"), "{log:?}");
    }
}

#[tokio::test]
async fn what_was_delivered_or_died_can_be_sent_again_under_its_id() {
    for outside in Outside::each("redeliver").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.tell().await;
        outside.turn().await;
        let first = outside.log(&endpoint).await[0].0.delivery_id.clone();

        for request in ["once", "once", "twice"] {
            outside.webhooks.redeliver(&asked("Redeliver", request), first.clone()).await.unwrap();
            outside.turn().await;
        }

        assert_eq!(outside.states(&endpoint).await, ["sent"; 3]);
        let heard = outside.receiver.heard();
        assert_eq!(heard.len(), 3);
        assert!(heard.iter().all(|one| one.headers["webhook-id"] == heard[0].headers["webhook-id"]));
    }
}

#[tokio::test]
async fn a_disabled_endpoint_gets_nothing_even_by_hand() {
    for outside in Outside::each("disabled").await {
        let endpoint = outside.add(&outside.receiver.url(), &[]).await;
        outside.tell().await;
        outside.turn().await;
        outside
            .webhooks
            .disable(&asked("DisableEndpoint", "stop"), endpoint.webhook_id.clone())
            .await
            .unwrap();

        outside.tell().await;
        let delivery_id = outside.log(&endpoint).await[0].0.delivery_id.clone();
        let refused = outside.webhooks.redeliver(&asked("Redeliver", "again"), delivery_id).await;

        assert_eq!(refused.map_err(|failure: Failure| failure.reason()).unwrap_err(), Reason::StateConflict);
        assert_eq!(outside.states(&endpoint).await, ["sent"]);
    }
}

#[tokio::test]
async fn a_name_that_leads_back_to_us_is_never_called() {
    let every_port = Outbound { ports: (1..=u16::MAX).collect(), ..Outbound::default() };
    for outside in Outside::each_with("inside", every_port.guard().unwrap()).await {
        let url = format!("https://localhost:{}/hook", outside.receiver.address.port());
        let endpoint = outside.add(&url, &[]).await;

        outside.tell().await;
        outside.turn().await;

        let log = outside.log(&endpoint).await;
        assert_eq!(log[0].1[0].error, "localhost has no address that may be called");
        assert_eq!(outside.receiver.heard(), []);
    }
}

#[test]
fn addresses_of_our_own_are_refused_where_they_are_given() {
    let strict = Poster::new(Outbound::default().guard().unwrap(), Duration::from_secs(1)).unwrap();

    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@example.com/",
        "file:///etc/passwd",
        "nonsense",
    ] {
        assert!(strict.check(url).is_err(), "{url}");
    }
    assert!(strict.check("https://example.com/hook?key=1").is_ok());
}

#[tokio::test]
async fn the_same_request_adds_one_endpoint() {
    for outside in Outside::each("once").await {
        let one = outside.add(&outside.receiver.url(), &[]).await;

        let again = outside.add(&outside.receiver.url(), &[]).await;

        assert_eq!(one, again);
        assert_eq!(outside.webhooks.endpoints(&Tenant::DEFAULT, "", 10).await.unwrap(), [one]);
        let mut other = asked("UpsertEndpoint", &outside.receiver.url());
        other.fingerprint = Fingerprint::of(&[b"another"]);
        let refused = outside.webhooks.add(&other, wanted(&outside.receiver.url(), &[])).await;
        assert_eq!(refused.unwrap_err().reason(), Reason::IdempotencyKeyReused);
    }
}
