//! A cancellation from its acceptance to its end.

use order::domain::change::{ChangeState, Settlement};
use order::domain::order::OrderState;
use order::ops::Wait;
use order::ops::use_cases::WithdrawChange;
use proto::events::v1::{LeftOwed, OwedChanged, RefundEnded, StepSettled};
use proto::payment::v1::OwedPosition;
use storage::Delivery;
use types::Reason;

use crate::fakes::Act;
use crate::samples::{caller, cancel_all, cancel_units, request_id};
use crate::world::worlds;

#[tokio::test]
async fn a_whole_cancellation_returns_everything() {
    for world in worlds("cancel_all").await {
        let order = world.placed("order").await;

        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(view.change.amounts.amount, 3_900);
        assert_eq!(view.change.refunds[0].state, "succeeded");
        let order = world.order(&order.order_id).await;
        assert_eq!((order.state(), order.total_minor()), (OrderState::Cancelled, 0));
        assert_eq!(order.change_in_progress, None);
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["hold_goods", "reserve_refund", "release_goods", "settle_refund"]);
    }
}

#[tokio::test]
async fn cancelling_in_parts_returns_exactly_what_was_paid() {
    for world in worlds("cancel_parts").await {
        let order = world.placed("order").await;
        let mut returned = 0;

        for (name, line, quantity) in [("one", 1, 1), ("two", 2, 2), ("three", 1, 2)] {
            let request = cancel_units(&order.order_id, line, quantity);
            let view = world.submit(name, request, Wait::Completed).await.unwrap();
            assert_eq!(view.change.state, ChangeState::Completed);
            returned += view.change.amounts.amount;
        }

        assert_eq!(returned, 3_900);
        assert_eq!(world.order(&order.order_id).await.state(), OrderState::Cancelled);
    }
}

#[tokio::test]
async fn refused_goods_reject_the_change_and_put_everything_back() {
    for world in worlds("hold_refused").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::Refuse(Reason::ShippedFirst)]);

        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Rejected);
        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::ShippedFirst);
        let after = world.order(&order.order_id).await;
        assert_eq!(after.units(), order.units());
        assert_eq!((after.total_minor(), after.change_in_progress), (3_900, None));
        assert_eq!(world.fakes.script.steps(view.change.saga_id.as_str()), ["hold_goods"]);
    }
}

#[tokio::test]
async fn a_refused_refund_gives_the_goods_free_again() {
    for world in worlds("refund_refused").await {
        let order = world.placed("order").await;
        world.fakes.script.play("reserve_refund", [Act::Refuse(Reason::ExceedsRefundable)]);

        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Rejected);
        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::ExceedsRefundable);
        assert_eq!(world.order(&order.order_id).await.units(), order.units());
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["hold_goods", "reserve_refund", "undo hold_goods"]);
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    for world in worlds("lost").await {
        let order = world.placed("order").await;
        let lost = || vec![Act::LoseAnswer; 5].into_iter().chain([Act::Apply]);
        for step in ["hold_goods", "reserve_refund", "settle_refund"] {
            world.fakes.script.play(step, lost());
        }

        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
    }
}

#[tokio::test]
async fn a_partners_word_is_waited_for_and_then_the_change_goes_on() {
    for world in worlds("partner").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(2)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Accepted).await.unwrap();
        while !world.fakes.script.steps(view.change.saga_id.as_str()).contains(&"stop_partner".to_owned()) {
            tokio::task::yield_now().await;
        }
        let waiting = world.orders.get_change(&caller(), &view.change.change_order_id).await.unwrap();
        assert_eq!(waiting.change.state, ChangeState::Executing);

        world.fakes.script.play("stop_partner", [Act::Apply]);
        let body = StepSettled { saga_id: view.change.saga_id.to_string(), step: "stop_partner".to_owned() };
        let event = world.event("inventory", &order.order_id, 1, "StepSettled", &body);
        assert_eq!(world.orders.deliver(vec![event.clone()]).await, [Delivery::Accepted]);
        assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Duplicate]);

        world.change_in(&view, ChangeState::Completed).await;
    }
}

#[tokio::test]
async fn a_change_withdrawn_before_its_decision_is_put_back() {
    for world in worlds("withdraw").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(2)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Accepted).await.unwrap();

        let withdrawn = world
            .orders
            .ask(
                &caller(),
                request_id("withdraw"),
                WithdrawChange {
                    change_order_id: view.change.change_order_id.clone(),
                    note: "no".to_owned(),
                },
            )
            .await
            .unwrap();

        assert_eq!(withdrawn.change.state, ChangeState::Unwinding);
        let rejected = world.change_in(&view, ChangeState::Rejected).await;
        assert_eq!(rejected.change.cause.unwrap().reason, Reason::Withdrawn);
        assert_eq!(world.order(&order.order_id).await.units(), order.units());
    }
}

#[tokio::test]
async fn a_decided_change_cannot_be_withdrawn() {
    for world in worlds("withdraw_late").await {
        let order = world.placed("order").await;
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let change_order_id = view.change.change_order_id;
        let refused = world
            .orders
            .ask(&caller(), request_id("withdraw"), WithdrawChange { change_order_id, note: String::new() })
            .await
            .unwrap_err();

        assert_eq!(refused.reason(), Reason::AlreadyDecided);
    }
}

#[tokio::test]
async fn a_declined_refund_ends_with_what_is_owed() {
    for world in worlds("declined").await {
        let order = world.placed("order").await;
        world.fakes.script.play("settle_refund", [Act::Decline]);

        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::CompletedWithExceptions);
        assert_eq!(view.change.refund_owed_minor, 100);
        assert!(view.change.exceptions.iter().all(|refusal| refusal.reason == Reason::RefundDeclined));
        assert_eq!(world.order(&order.order_id).await.owed().minor, 100);
    }
}

#[tokio::test]
async fn a_refund_reversed_after_the_end_is_owed_again() {
    for world in worlds("reversed").await {
        let order = world.placed("order").await;
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
        assert_eq!(view.change.settlement, Settlement::Auto);

        let body = RefundEnded {
            order_id: order.order_id.to_string(),
            change_order_id: view.change.change_order_id.to_string(),
            refund_id: view.change.refunds[0].refund_id.to_string(),
            state: "reversed".to_owned(),
            amount_minor: 100,
            detail: "the account is closed".to_owned(),
            retry_of: String::new(),
        };
        let event = world.event("payment", &order.order_id, 1, "RefundEnded", &body);
        assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);

        let told = |sequence, owed_minor, mended| OwedChanged {
            order_id: order.order_id.to_string(),
            positions: vec![OwedPosition { sequence, worth_version: 2, owed_minor }],
            left: vec![LeftOwed {
                change_order_id: view.change.change_order_id.to_string(),
                owed_minor,
                mended,
            }],
        };
        let event = world.event("payment", &order.order_id, 2, "OwedChanged", &told(1, 100, false));
        assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);

        let after = world.change_in(&view, ChangeState::CompletedWithExceptions).await;
        assert_eq!(
            (after.change.refund_owed_minor, after.change.refunds[0].state.as_str()),
            (100, "reversed")
        );
        assert_eq!(world.order(&order.order_id).await.owed().minor, 100);

        // Paid in the end, by whatever way: the last exception is settled.
        let event = world.event("payment", &order.order_id, 3, "OwedChanged", &told(2, 0, true));
        assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
        let mended = world.change_in(&view, ChangeState::Completed).await;
        assert_eq!((mended.change.refund_owed_minor, mended.change.exceptions.len()), (0, 0));
        assert_eq!(world.order(&order.order_id).await.owed().minor, 0);
    }
}
