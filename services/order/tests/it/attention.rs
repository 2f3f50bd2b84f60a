//! Attention: each cause opens an item with its actions, and each of them closes it.

use order::domain::attention::{ACKNOWLEDGE, AttentionItem, CAUSES, Cause};
use order::domain::listing::Page;
use order::domain::order::Order;
use order::ops::use_cases::AcknowledgeAttention;
use proto::events::v1::{AttentionCleared, AttentionRaised};
use types::Reason;

use crate::samples::{caller, request_id};
use crate::world::{World, worlds};

/// One service tells of all, so that one sequence of events brings them.
const SOURCE: &str = "inventory";

/// An item of this cause about an order, as another service tells of it.
async fn opened(world: &World, order: &Order, seq: i64, cause: &Cause) -> AttentionItem {
    let subject_id = format!("subject-{seq}");
    let event = AttentionRaised {
        subject_type: cause.subject_type.to_owned(),
        subject_id: subject_id.clone(),
        order_id: order.order_id.to_string(),
        cause: Some(proto::common::v1::Refusal {
            reason: cause.reason.unwrap_or(Reason::StateConflict).as_str().to_owned(),
            message: "somebody has to look".to_owned(),
            ..proto::common::v1::Refusal::default()
        }),
        ..AttentionRaised::default()
    };
    world.orders.deliver(vec![world.event(SOURCE, &order.order_id, seq, "AttentionRaised", &event)]).await;
    let items = listed(world, false).await;
    items.into_iter().find(|item| item.subject_id == subject_id).expect("it was just opened")
}

async fn cleared(world: &World, order: &Order, seq: i64, item: &AttentionItem) {
    let event = AttentionCleared {
        subject_type: item.subject_type.clone(),
        subject_id: item.subject_id.clone(),
        order_id: order.order_id.to_string(),
        ..AttentionCleared::default()
    };
    world.orders.deliver(vec![world.event(SOURCE, &order.order_id, seq, "AttentionCleared", &event)]).await;
}

async fn listed(world: &World, include_closed: bool) -> Vec<AttentionItem> {
    let page = Page { after: None, size: 200 };
    world.orders.attention(&caller(), include_closed, &page).await.unwrap().items
}

#[tokio::test]
async fn every_cause_is_closed_by_each_of_its_actions() {
    for world in worlds("causes").await {
        let order = world.placed("order").await;
        let mut seq = 0;
        for cause in CAUSES {
            for action in cause.actions {
                seq += 1;
                let item = opened(&world, &order, seq, cause).await;
                assert_eq!(item.allowed_actions, cause.actions, "{cause:?}");
                assert_eq!(world.order(&order.order_id).await.attention_open, 1, "{cause:?}");

                let id = format!("acknowledge {seq}");
                let acknowledged = world
                    .orders
                    .ask(
                        &caller(),
                        request_id(&id),
                        AcknowledgeAttention {
                            attention_id: item.attention_id.clone(),
                            note: "I have looked".to_owned(),
                        },
                    )
                    .await;
                if *action == ACKNOWLEDGE {
                    let closed = acknowledged.unwrap();
                    assert_eq!(
                        (closed.closed_by.as_str(), closed.closing_note.as_str()),
                        ("ann", "I have looked")
                    );
                } else if !cause.actions.contains(&ACKNOWLEDGE) {
                    acknowledged.unwrap_err();
                    assert!(!cause.closes_when.is_empty(), "{cause:?} never closes");
                    seq += 1;
                    cleared(&world, &order, seq, &item).await;
                }
                assert!(listed(&world, false).await.is_empty(), "{cause:?} {action}");
                assert_eq!(world.order(&order.order_id).await.attention_open, 0, "{cause:?} {action}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_stays_with_who_did_it_and_why() {
    for world in worlds("acknowledged").await {
        let order = world.placed("order").await;
        let cause = Cause::of("fulfilment", Reason::ShippedAfterCancel);
        let item = opened(&world, &order, 1, cause).await;
        let acknowledge = async |id: &str, note: &str| {
            let id = request_id(id);
            world
                .orders
                .ask(
                    &caller(),
                    id,
                    AcknowledgeAttention { attention_id: item.attention_id.clone(), note: note.to_owned() },
                )
                .await
        };

        let closed = acknowledge("first", "counted the shelf").await.unwrap();
        let again = acknowledge("first", "counted the shelf").await.unwrap();
        let refused = acknowledge("second", "me too").await.unwrap_err();

        assert_eq!(again, closed);
        assert!(refused.to_string().contains("was closed at"), "{refused}");
        assert_eq!(listed(&world, true).await, [closed]);
        let timeline = world.orders.timeline(&caller(), &order.order_id, 0, 200).await.unwrap();
        let told = timeline.iter().find(|entry| entry.entry.event == "attention.acknowledged").unwrap();
        assert_eq!((told.entry.actor.user.as_str(), told.entry.note.as_str()), ("ann", "counted the shelf"));
    }
}

#[test]
fn the_page_for_operators_has_every_cause() {
    let page = include_str!("../../../../docs/operating.md");

    for cause in CAUSES {
        let reason = cause.reason.map_or("any", Reason::as_str);
        let closes_when = if cause.closes_when.is_empty() { "–" } else { cause.closes_when };
        let actions: Vec<_> = cause.actions.iter().map(|action| format!("`{action}`")).collect();
        let row = format!("| {} | {reason} | {closes_when} | {} |", cause.subject_type, actions.join(", "));
        assert!(page.contains(&row), "docs/operating.md lacks {row}");
    }
}
