//! Who is mailed for an event: recipients, preferences, suppressions, and the daily digest. On both engines.

use std::sync::Arc;
use std::time::Duration;

use notification::domain::{
    Audience, Delivery, Locale, Outlet, Preference, Recipient, Scope, SuppressionCause,
};
use notification::ops::{Digest, Noted};
use notification::store::deliveries::{self, DeliveryFilter};
use notification::store::suppressions::{self, Suppression};
use notification::store::{addresses, owed};
use storage::Delivery::Accepted;
use types::{Money, OrderId, Tenant};

use crate::events::World;

fn recipient(world: &World, scope: Scope, audience: Audience, address: &str) -> Recipient {
    Recipient {
        scope,
        audience,
        address: address.to_owned(),
        name: String::new(),
        locale: None,
        is_active: true,
        changed_at: world.clock.now(),
    }
}

async fn book(world: &World, recipients: &[Recipient]) {
    let mut tx = world.database.begin().await.expect("a test needs its database");
    for recipient in recipients {
        addresses::put_recipient(&mut tx, &Tenant::DEFAULT, recipient)
            .await
            .expect("a test needs its database");
    }
    tx.commit().await.expect("a test needs its database");
}

async fn prefer(world: &World, address: &str, template: &str, locale: Option<Locale>, email: bool) {
    let preference = Preference {
        audience: Audience::Buyer,
        address: address.to_owned(),
        template: template.to_owned(),
        locale,
        email,
        changed_at: world.clock.now(),
    };
    let mut tx = world.database.begin().await.expect("a test needs its database");
    addresses::put_preference(&mut tx, &Tenant::DEFAULT, &preference)
        .await
        .expect("a test needs its database");
    tx.commit().await.expect("a test needs its database");
}

async fn suppress(world: &World, address: &str) {
    let suppression = Suppression {
        outlet: Outlet::Email,
        recipient: address.to_owned(),
        cause: SuppressionCause::Unsubscribed,
        detail: "asked by telephone".to_owned(),
        is_active: true,
        changed_at: world.clock.now(),
    };
    let key = (Tenant::DEFAULT, Outlet::Email, address.to_owned());
    let mut tx = world.database.begin().await.expect("a test needs its database");
    suppressions::put(&mut tx, &[(key, suppression)].into()).await.expect("a test needs its database");
    tx.commit().await.expect("a test needs its database");
}

async fn listed(world: &World) -> Vec<Delivery> {
    let mut tx = world.database.read().await.expect("a test needs its database");
    let rows = deliveries::list(&mut tx, &Tenant::DEFAULT, &DeliveryFilter::default(), "", 500)
        .await
        .expect("a test needs its database");
    tx.rollback().await;
    rows
}

/// "audience address template locale state", sorted.
async fn told(world: &World) -> Vec<String> {
    let mut rows: Vec<String> = listed(world)
        .await
        .iter()
        .map(|it| {
            let (audience, state) = (it.audience.as_str(), it.progress.state.as_str());
            format!("{audience} {} {} {} {state}", it.recipient, it.template, it.locale)
        })
        .collect();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn an_event_is_mailed_to_those_who_stand_behind_its_order_once_each() {
    for world in World::each("addressing").await {
        let (order, other): (OrderId, OrderId) = (world.ids.mint(), world.ids.mint());
        let of = |scope, audience, address: &str| recipient(&world, scope, audience, address);
        book(
            &world,
            &[
                of(Scope::Order(order.to_string()), Audience::Buyer, "ann@home.example"),
                of(Scope::Order(other.to_string()), Audience::Buyer, "bob@home.example"),
                of(Scope::Organisation("acme".to_owned()), Audience::Supplier, "desk@acme.example"),
                of(Scope::Organisation("other".to_owned()), Audience::Supplier, "desk@other.example"),
                of(Scope::Everything, Audience::Supplier, "desk@acme.example"),
                of(Scope::Order(order.to_string()), Audience::Client, "client@home.example"),
                of(Scope::Everything, Audience::Staff, "staff@shop.example"),
            ],
        )
        .await;
        let mut placed = world.placed(&order, 1);
        placed.noted = Noted { parties: vec![(Audience::Supplier, "acme".to_owned())], ..Noted::default() };

        assert_eq!(world.deliver(&[&placed]).await, [Accepted]);
        world.deliver(&[&placed]).await;

        assert_eq!(
            told(&world).await,
            [
                "buyer ann@home.example order.confirmed en queued",
                "client client@home.example order.confirmed en queued",
                "supplier desk@acme.example order.confirmed en queued",
            ]
        );
        assert!(listed(&world).await[0].payload.contains("GBP 12.34"));
    }
}

#[tokio::test]
async fn u36_what_is_turned_off_or_suppressed_is_not_mailed_and_the_log_says_why() {
    for world in World::each("suppressed").await {
        let order: OrderId = world.ids.mint();
        let of = |address: &str| recipient(&world, Scope::Everything, Audience::Buyer, address);
        let all = ["on@x.example", "off@x.example", "gone@x.example", "deutsch@x.example"];
        book(&world, &all.map(of)).await;
        prefer(&world, "", "", Some(Locale::En), true).await;
        prefer(&world, "off@x.example", "order.confirmed", None, false).await;
        prefer(&world, "deutsch@x.example", "", Some(Locale::De), true).await;
        suppress(&world, "gone@x.example").await;

        world.deliver(&[&world.placed(&order, 1)]).await;

        assert_eq!(
            told(&world).await,
            [
                "buyer deutsch@x.example order.confirmed de queued",
                "buyer gone@x.example order.confirmed en suppressed",
                "buyer off@x.example order.confirmed en suppressed",
                "buyer on@x.example order.confirmed en queued",
            ]
        );
        let why = |address: &str, rows: &[Delivery]| {
            let row = rows.iter().find(|row| row.recipient == address).unwrap();
            row.progress.last_error.clone().unwrap()
        };
        let rows = listed(&world).await;
        assert_eq!(why("gone@x.example", &rows), "unsubscribed: asked by telephone");
        assert_eq!(why("off@x.example", &rows), "preference: mail is off");
    }
}

fn digest(world: &World) -> Digest {
    Digest {
        database: world.database.clone(),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        hour: 6,
        queued: Arc::default(),
    }
}

#[tokio::test]
async fn what_is_owed_is_told_once_a_day_and_no_more_when_it_is_paid() {
    for world in World::each("digest").await {
        let order: OrderId = world.ids.mint();
        book(&world, &[recipient(&world, Scope::Everything, Audience::Staff, "staff@shop.example")]).await;
        let with = |seq, minor| {
            let mut event = world.placed(&order, seq);
            let owed = Some((order.clone(), Money::parse("GBP", minor).unwrap()));
            event.noted = Noted { owed, ..Noted::default() };
            event
        };

        assert_eq!(digest(&world).turn().await, Ok(0), "nothing is owed");
        world.deliver(&[&with(1, 500), &with(2, 700)]).await;
        assert_eq!(digest(&world).turn().await, Ok(1));
        assert_eq!(digest(&world).turn().await, Ok(0), "the day is made");
        // The next morning is too early by an hour, then it is made; then the money is paid.
        world.clock.advance(Duration::from_hours(6));
        assert_eq!(digest(&world).turn().await, Ok(0));
        world.clock.advance(Duration::from_hours(4));
        assert_eq!(digest(&world).turn().await, Ok(1));
        world.deliver(&[&with(3, 0)]).await;
        world.clock.advance(Duration::from_hours(24));
        assert_eq!(digest(&world).turn().await, Ok(0));

        let digests: Vec<Delivery> =
            listed(&world).await.into_iter().filter(|it| it.template == "owed.digest").collect();
        assert_eq!(digests.len(), 2);
        assert!(digests[0].payload.contains("GBP 7.00"), "{}", digests[0].payload);
        let mut tx = world.database.read().await.unwrap();
        assert_eq!(owed::open(&mut tx, &Tenant::DEFAULT, 5).await.unwrap(), (Vec::new(), 0));
        tx.rollback().await;
    }
}

#[tokio::test]
async fn the_address_book_is_read_page_by_page_and_a_removed_entry_is_mailed_no_more() {
    for world in World::each("address_book").await {
        let of = |address: &str| recipient(&world, Scope::Everything, Audience::Buyer, address);
        let removed = Recipient { is_active: false, ..of("b@x.example") };
        book(&world, &[of("a@x.example"), of("b@x.example"), removed]).await;
        prefer(&world, "", "", Some(Locale::De), true).await;
        prefer(&world, "a@x.example", "", None, false).await;
        suppress(&world, "c@x.example").await;

        let mut tx = world.database.read().await.unwrap();
        let first = addresses::list_recipients(&mut tx, &Tenant::DEFAULT, [""; 4], 1).await.unwrap();
        let after = ["everything", "", "buyer", "a@x.example"];
        let second = addresses::list_recipients(&mut tx, &Tenant::DEFAULT, after, 10).await.unwrap();
        let preferences = addresses::list_preferences(&mut tx, &Tenant::DEFAULT, [""; 3], 10).await.unwrap();
        let suppressed = suppressions::list(&mut tx, &Tenant::DEFAULT, ("", ""), 10).await.unwrap();
        tx.rollback().await;
        world.deliver(&[&world.placed(&world.ids.mint(), 1)]).await;

        assert_eq!(first[0].address, "a@x.example");
        assert_eq!((second.len(), second[0].is_active), (1, false));
        assert_eq!(preferences.len(), 2);
        assert!(suppressed[0].is_active && suppressed[0].recipient == "c@x.example");
        assert_eq!(told(&world).await, ["buyer a@x.example order.confirmed de suppressed"]);
    }
}
