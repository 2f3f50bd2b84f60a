//! Placing an order, and cancelling it before it stands.

use order::domain::change::ChangeState;
use order::domain::order::{OrderState, Placement};
use order::ops::Wait;
use types::Reason;

use crate::fakes::Act;
use crate::samples::{cancel_all, cancel_units, new_order};
use crate::world::worlds;

#[tokio::test]
async fn an_order_stands_when_stock_and_payment_are_arranged() {
    for world in worlds("place").await {
        let order = world.placed("order").await;

        assert_eq!(order.state(), OrderState::Confirmed);
        let sagas = world.fakes.script.asked();
        let steps: Vec<&str> = sagas.iter().map(|asked| asked.step.as_str()).collect();
        assert_eq!(steps, ["reserve_stock", "authorise_payments", "capture_payments"]);
    }
}

#[tokio::test]
async fn missing_stock_fails_the_placement_with_its_cause() {
    for world in worlds("no_stock").await {
        world.fakes.script.play("reserve_stock", [Act::Refuse(Reason::InsufficientStock)]);

        let created = world.create("order", new_order("order"), Wait::Committed);

        let order = created.await.unwrap();
        let Placement::Failed(cause) = &order.placement else { panic!("{order:?}") };
        assert_eq!(cause.reason, Reason::InsufficientStock);
    }
}

#[tokio::test]
async fn a_declined_payment_gives_the_stock_back() {
    for world in worlds("no_money").await {
        world.fakes.script.play("authorise_payments", [Act::Refuse(Reason::PaymentDeclined)]);

        let created = world.create("order", new_order("order"), Wait::Committed);

        assert_eq!(created.await.unwrap().state(), OrderState::PlacementFailed);
        let steps: Vec<String> = world.fakes.script.asked().into_iter().map(|asked| asked.step).collect();
        assert_eq!(steps, ["reserve_stock", "authorise_payments", "undo reserve_stock"]);
    }
}

#[tokio::test]
async fn an_order_cancelled_while_placing_was_never_placed() {
    for world in worlds("cancel_placing").await {
        world.fakes.script.play("authorise_payments", [Act::Pending]);
        let created = world.create("order", new_order("order"), Wait::Accepted);
        let order = created.await.unwrap();

        let part =
            world.submit("part", cancel_units(&order.order_id, 1, 1), Wait::Accepted).await.unwrap_err();
        let view = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(part.reason(), Reason::ChangeInProgress);
        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let order = world.order(&order.order_id).await;
        let Placement::Failed(cause) = &order.placement else { panic!("{order:?}") };
        assert_eq!(cause.reason, Reason::CancelledWhilePlacing);
        assert_eq!((order.units().cancelled, order.units().ordered), (5, 5));
        assert_eq!(order.change_in_progress, None);
    }
}
