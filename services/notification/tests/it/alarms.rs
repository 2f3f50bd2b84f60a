//! Dead letters ask for a person, once, and stop asking when somebody has decided. On both engines.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::sync::Arc;

use notification::domain::{Audience, Delivery, Outcome, Outlet, Progress};
use notification::ops::desk::Deed;
use notification::ops::webhooks::Asked;
use notification::ops::{Desk, Dispatch};
use notification::ports::Carrier;
use notification::store::deliveries::{self, Claimed};
use storage::RequestKey;
use types::{Fingerprint, OrderId, RequestId, Subject, Tenant, WebhookId};

use crate::events::World;

/// Refuses everything for good.
struct MailRefuses;
struct HookRefuses;

fn never() -> Outcome {
    Outcome::Never { why: "554 refused by policy".to_owned(), suppress: None }
}

impl Carrier for MailRefuses {
    const OUTLET: Outlet = Outlet::Email;

    async fn carry(&self, _: &Tenant, _: &Delivery) -> Outcome {
        never()
    }
}

impl Carrier for HookRefuses {
    const OUTLET: Outlet = Outlet::Webhook;

    async fn carry(&self, _: &Tenant, _: &Delivery) -> Outcome {
        never()
    }
}

fn delivery(world: &World, outlet: Outlet, recipient: &str, template: &str) -> Delivery {
    Delivery {
        delivery_id: world.ids.mint(),
        event_id: world.ids.mint(),
        outlet,
        recipient: recipient.to_owned(),
        audience: Audience::Staff,
        template: template.to_owned(),
        locale: "en".to_owned(),
        order_id: Some(world.ids.mint::<OrderId>()),
        change_order_id: None,
        stream: String::new(),
        payload: "{}".to_owned(),
        traceparent: None,
        progress: Progress::queued(),
        created_at: world.clock.now(),
    }
}

async fn queue(world: &World, new: &[Delivery]) {
    let new: Vec<Claimed> =
        new.iter().map(|it| Claimed { tenant: Tenant::DEFAULT, delivery: it.clone() }).collect();
    let mut tx = world.database.begin().await.unwrap();
    deliveries::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
}

fn asked(method: &str, id: &str) -> Asked {
    let key = RequestKey {
        tenant: Tenant::DEFAULT,
        subject: Subject::of("", "ada", "shop"),
        method: method.to_owned(),
        request_id: RequestId::parse(id).unwrap(),
    };
    Asked { key, fingerprint: Fingerprint::of(&[id.as_bytes()]) }
}

fn desk(world: &World) -> Desk {
    Desk {
        database: world.database.clone(),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        queued: Arc::default(),
    }
}

#[tokio::test]
async fn a_dead_mail_asks_for_a_person_until_it_is_sent_again_or_given_up() {
    for world in World::each("alarm_mail").await {
        let dead = ["a@shop.example", "b@shop.example"]
            .map(|to| delivery(&world, Outlet::Email, to, "refund.issued"));
        queue(&world, &dead).await;
        let worker = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, MailRefuses);
        let [one, other] = dead.map(|delivery| delivery.delivery_id);
        let raised = |id, number| format!("raised delivery {id} {number}");
        let cleared = |id, number| format!("cleared delivery {id} {number}");

        while worker.turn().await.unwrap() > 0 {}
        let mut alarms = world.alarms().await;
        alarms.sort();
        let mut both = [raised(&one, 1), raised(&other, 1)];
        both.sort();
        assert_eq!(alarms, both);

        let desk = desk(&world);
        desk.perform(&asked("Requeue", "again"), &Deed::Requeue(one.clone())).await.unwrap();
        desk.perform(&asked("Requeue", "again"), &Deed::Requeue(one.clone())).await.unwrap();
        assert_eq!(world.alarms().await, [cleared(&one, 2)]);
        while worker.turn().await.unwrap() > 0 {}
        assert_eq!(world.alarms().await, [raised(&one, 3)]);

        let given_up = Deed::Discard(other.clone(), "by telephone".to_owned());
        desk.perform(&asked("Discard", "enough"), &given_up).await.unwrap();
        assert_eq!(world.alarms().await, [cleared(&other, 2)]);
    }
}

#[tokio::test]
async fn an_endpoint_is_told_of_as_one_however_many_of_its_deliveries_die() {
    for world in World::each("alarm_hook").await {
        let endpoint: WebhookId = world.ids.mint();
        let dead = ["", "#1", "#2"].map(|again| {
            delivery(
                &world,
                Outlet::Webhook,
                &format!("{endpoint}{again}"),
                "countermand.events.v1.OrderPlaced",
            )
        });
        queue(&world, &dead).await;
        let worker = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, HookRefuses);

        while worker.turn().await.unwrap() > 0 {}

        assert_eq!(world.alarms().await, [format!("raised webhook {endpoint} 1")]);
    }
}

#[tokio::test]
async fn a_dead_letter_about_an_alarm_raises_none() {
    for world in World::each("alarm_loop").await {
        let endpoint: WebhookId = world.ids.mint();
        queue(
            &world,
            &[
                delivery(&world, Outlet::Email, "staff@shop.example", "attention.opened"),
                delivery(&world, Outlet::Webhook, endpoint.as_str(), "countermand.events.v1.AttentionOpened"),
            ],
        )
        .await;
        let mail = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, MailRefuses);
        let hook = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, HookRefuses);

        assert_eq!((mail.turn().await.unwrap(), hook.turn().await.unwrap()), (1, 1));

        assert_eq!(world.alarms().await, [""; 0]);
    }
}
