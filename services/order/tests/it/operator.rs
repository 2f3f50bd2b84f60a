//! What the operator on call sees and may do.

use std::time::Duration;

use order::domain::change::ChangeState;
use order::domain::findings::{Finding, Findings};
use order::domain::listing::Page;
use order::ops::Wait;
use order::ops::use_cases::{AbortBeforePivot, RaiseFindings, RetryStep};
use storage::{Statement, values};
use types::Reason;

use crate::fakes::Act;
use crate::samples::{caller, cancel_all, request_id};
use crate::world::{World, worlds};

#[tokio::test]
async fn a_step_refused_after_the_decision_asks_for_attention_until_it_is_done() {
    for world in worlds("stuck").await {
        let order = world.placed("order").await;
        world.fakes.script.play("release_goods", [Act::Refuse(Reason::ProtocolViolation)]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Committed).await.unwrap();
        let item = open_item(&world).await;
        assert_eq!((item.subject_type.as_str(), item.cause.reason), ("saga", Reason::ProtocolViolation));
        assert!(item.allowed_actions.contains(&"RetryStep".to_owned()));
        assert_eq!(world.order(&order.order_id).await.attention_open, 1);

        world.fakes.script.play("release_goods", [Act::Apply]);
        let saga_id = view.change.saga_id.clone();
        world
            .orders
            .ask(&caller(), request_id("retry"), RetryStep { saga_id, note: "again".to_owned() })
            .await
            .unwrap();

        let ended = world.change_in(&view, ChangeState::Completed).await;
        assert_eq!(ended.change.attention_open, 0);
        assert_eq!(world.order(&order.order_id).await.attention_open, 0);
        assert!(items(&world).await.is_empty());
    }
}

#[tokio::test]
async fn an_operator_may_abort_before_the_decision() {
    for world in worlds("abort").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(1)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Accepted).await.unwrap();

        let saga_id = view.change.saga_id.clone();
        world
            .orders
            .ask(
                &caller(),
                request_id("abort"),
                AbortBeforePivot { saga_id: saga_id.clone(), note: "stop".to_owned() },
            )
            .await
            .unwrap();

        let rejected = world.change_in(&view, ChangeState::Rejected).await;
        assert_eq!(rejected.change.cause.unwrap().reason, Reason::AbortedByOperator);
        let saga = world.orders.saga(&caller(), saga_id).await.unwrap();
        assert_eq!(saga.row.state, saga::State::Unwound);
        let page = Page { after: None, size: 1 };
        let listed =
            world.orders.sagas(&caller(), &[saga::State::Unwound, saga::State::Completed], &page).await;
        assert!(listed.unwrap().next.is_some());
    }
}

/// Books that contradict the frozen amounts: the change's commit cannot be written.
static SPOIL: Statement = Statement::new(
    "test.spoil",
    "UPDATE order_head SET placed_minor = 0 WHERE tenant_id = 'default' AND order_id = $1",
);

#[tokio::test]
async fn a_round_that_cannot_be_written_asks_for_attention() {
    for world in worlds("unwritable").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(1)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Accepted).await.unwrap();
        let mut tx = world.database.begin().await.unwrap();
        tx.execute(&SPOIL, values![&order.order_id]).await.unwrap();
        tx.commit().await.unwrap();

        world.fakes.script.play("stop_partner", [Act::Apply]);
        let saga_id = view.change.saga_id.clone();
        world
            .orders
            .ask(&caller(), request_id("go"), RetryStep { saga_id: saga_id.clone(), note: String::new() })
            .await
            .unwrap();

        let item = open_item(&world).await;
        assert_eq!((item.subject_id.as_str(), item.cause.reason), (saga_id.as_str(), Reason::Internal));
        let saga = world.orders.saga(&caller(), saga_id).await.unwrap();
        assert_eq!(saga.row.state, saga::State::NeedsAttention);
    }
}

async fn open_item(world: &World) -> order::domain::attention::AttentionItem {
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(item) = items(world).await.pop() {
            return item;
        }
        assert!(tokio::time::Instant::now() < limit, "nothing asks for attention");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn items(world: &World) -> Vec<order::domain::attention::AttentionItem> {
    let page = Page { after: None, size: 50 };
    world.orders.attention(&caller(), false, &page).await.unwrap().items
}

#[tokio::test]
async fn what_an_audit_finds_is_raised_once_and_closed_when_it_is_sound() {
    for world in worlds("findings").await {
        let order = world.placed("order").await;
        let subject = format!("I04/{}", order.order_id);
        let finding = |row: &str| Finding {
            subject_id: subject.clone(),
            equation: "I04 the placed amount".to_owned(),
            order_id: Some(order.order_id.clone()),
            rows: 2,
            row: row.to_owned(),
        };
        for (name, row) in [("today", "3900 is not 3901"), ("tomorrow", "3900 is not 3902")] {
            let findings = Findings { found: vec![finding(row)], sound: Vec::new() };
            world.orders.ask(&caller(), request_id(name), RaiseFindings(findings)).await.unwrap();
        }

        let open = items(&world).await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(
            (open[0].subject_type.as_str(), open[0].cause.reason),
            ("books", Reason::BooksDoNotBalance)
        );
        assert_eq!(world.order(&order.order_id).await.attention_open, 1);

        let mended = Findings { found: Vec::new(), sound: vec![subject.clone()] };
        world.orders.ask(&caller(), request_id("mended"), RaiseFindings(mended)).await.unwrap();

        assert!(items(&world).await.is_empty());
        assert_eq!(world.order(&order.order_id).await.attention_open, 0);
    }
}
