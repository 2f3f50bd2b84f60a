//! What is told of an order: its timeline, its events, and what participants tell us.

use std::collections::BTreeMap;
use std::time::Duration;

use order::domain::order::OrderState;
use order::ops::Wait;
use order::store::audit::BOOKS;
use proto::events::v1::{AttentionRaised, GoodsProgressed, LineProgress};
use storage::{Cell, Delivery, testing};

use crate::fakes::Act;
use crate::samples::{caller, cancel_all, cancel_units};
use crate::world::{World, worlds};

#[tokio::test]
async fn every_step_of_a_saga_stands_in_the_timeline_once() {
    for world in worlds("timeline").await {
        let order = world.placed("order").await;
        world.fakes.script.play("reserve_refund", [Act::LoseAnswer, Act::LoseAnswer, Act::Apply]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let timeline = world.orders.timeline(&caller(), &order.order_id, 0, 200).await.unwrap();
        let steps = rows(&world, "saga_step").await;

        let at = |step: &str| {
            let row = steps.iter().find(|row| row.contains(&Cell::Text(step.to_owned())));
            row.and_then(|row| row.last()).unwrap().clone()
        };
        assert_eq!((at("stop_partner"), at("release_goods")), (at("commit_change"), at("settle_refund")));
        let sequences: Vec<i64> = timeline.iter().map(|recorded| recorded.sequence).collect();
        assert_eq!(sequences, (1..=i64::try_from(timeline.len()).unwrap()).collect::<Vec<_>>());
        let told = timeline.iter().filter(|recorded| recorded.entry.step.is_some()).count();
        assert_eq!(told, steps.len());
        let events: Vec<&str> = timeline
            .iter()
            .filter(|recorded| recorded.entry.change_order_id.as_ref() == Some(&view.change.change_order_id))
            .map(|recorded| recorded.entry.event.as_str())
            .collect();
        let position = |event: &str| events.iter().position(|told| *told == event).unwrap();
        assert!(position("change_order.accepted") < position("step.hold_goods.applied"));
        assert!(position("step.reserve_refund.applied") < position("change_order.committed"));
        assert!(position("step.settle_refund.applied") < position("change_order.completed"));
    }
}

#[tokio::test]
async fn events_leave_in_the_order_of_what_happened() {
    for world in worlds("events").await {
        let order = world.placed("order").await;
        world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let wanted = [
            "OrderPlaced",
            "OrderProgressed",
            "ChangeOrderAccepted",
            "ChangeOrderCommitted",
            "OrderProgressed",
            "ChangeOrderCompleted",
        ];
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        while world.fakes.kinds_heard().len() < wanted.len() && tokio::time::Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        assert_eq!(world.fakes.kinds_heard(), wanted);
        let heard = world.fakes.heard.lock().unwrap();
        let sequences: Vec<i64> = heard.iter().map(|event| event.aggregate_sequence).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    }
}

#[tokio::test]
async fn a_shipment_waits_for_the_change_that_holds_its_units() {
    for world in worlds("ship_later").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(1)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);
        world.submit("cancel", cancel_units(&order.order_id, 1, 2), Wait::Accepted).await.unwrap();
        let shipped = |line: usize, units: i64, seq: i64| {
            let progress = LineProgress {
                line_id: order.lines[line].line_id.to_string(),
                allocated: units,
                submitted: units,
                shipped: units,
                ..LineProgress::default()
            };
            let body = GoodsProgressed {
                order_id: order.order_id.to_string(),
                lines: vec![progress],
                ..GoodsProgressed::default()
            };
            world.event("inventory", &order.order_id, seq, "GoodsProgressed", &body)
        };

        let deliveries =
            world.orders.deliver(vec![shipped(1, 2, 1), shipped(0, 2, 2), shipped(1, 2, 4)]).await;

        assert_eq!(deliveries, [Delivery::Accepted, Delivery::Later, Delivery::Later]);
        let order = world.order(&order.order_id).await;
        assert_eq!(order.state(), OrderState::PartiallyShipped);
        assert_eq!(order.lines[1].quantities.fulfilled, 2);
    }
}

#[tokio::test]
async fn attention_of_other_services_stands_in_the_one_list_once() {
    for world in worlds("attention").await {
        let order = world.placed("order").await;
        let body = AttentionRaised {
            subject_type: "refund".to_owned(),
            subject_id: "rfd_1".to_owned(),
            order_id: order.order_id.to_string(),
            cause: Some(proto::common::v1::Refusal {
                reason: "REFUND_DECLINED".to_owned(),
                message: "the card is closed".to_owned(),
                ..proto::common::v1::Refusal::default()
            }),
            ..AttentionRaised::default()
        };
        let events = [1, 2].map(|seq| world.event("payment", &order.order_id, seq, "AttentionRaised", &body));

        world.orders.deliver(events.to_vec()).await;

        let page = order::domain::listing::Page { after: None, size: 50 };
        let items = world.orders.attention(&caller(), false, &page).await.unwrap().items;
        assert_eq!(items.len(), 1);
        assert!(!items[0].allowed_actions.is_empty());
        assert_eq!(world.order(&order.order_id).await.attention_open, 1);
    }
}

#[tokio::test]
async fn attention_about_no_order_of_ours_is_listed_once_too() {
    for world in worlds("stray").await {
        let stray = world.ids.mint();
        let body = AttentionRaised {
            subject_type: "warehouse".to_owned(),
            subject_id: "main".to_owned(),
            ..AttentionRaised::default()
        };

        for seq in [1, 2] {
            let event = world.event("inventory", &stray, seq, "AttentionRaised", &body);
            assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
        }

        let page = order::domain::listing::Page { after: None, size: 50 };
        assert_eq!(world.orders.attention(&caller(), false, &page).await.unwrap().items.len(), 1);
    }
}

#[tokio::test]
async fn events_that_cannot_leave_ask_for_attention_until_they_do() {
    for world in worlds("overdue").await {
        world.fakes.hear(false);
        world.placed("order").await;
        testing::advance_clock(&world.database, Duration::from_mins(16));
        let page = order::domain::listing::Page { after: None, size: 50 };

        world.orders.look_at_queue().await.unwrap();
        let items = world.orders.attention(&caller(), false, &page).await.unwrap().items;
        assert_eq!((items.len(), items[0].subject_type.as_str()), (1, "outbox"));

        world.fakes.hear(true);
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            world.orders.look_at_queue().await.unwrap();
            if world.orders.attention(&caller(), false, &page).await.unwrap().items.is_empty() {
                break;
            }
            assert!(tokio::time::Instant::now() < limit, "the events did not leave");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn the_books_are_exported_whole() {
    for world in worlds("export").await {
        let order = world.placed("order").await;
        world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let mut counts = BTreeMap::new();
        for book in &BOOKS {
            let rows = rows(&world, book.name).await;
            assert!(rows.iter().all(|row| row.len() == book.columns.len()));
            counts.insert(book.name, rows.len());
        }

        assert_eq!((counts["order_head"], counts["order_line"], counts["change_order_line"]), (1, 2, 2));
        assert_eq!((counts["saga"], counts["request_key"]), (2, 2));
    }
}

async fn rows(world: &World, book: &str) -> Vec<Vec<Cell>> {
    let book = BOOKS.iter().find(|known| known.name == book).unwrap();
    testing::rows_of(&world.database, book, &caller().tenant).await
}
