//! Cancelling whatever can be, when the inventory finds less than the order knew of.

use order::domain::change::{ChangeRequest, ChangeState};
use order::domain::order::OrderState;
use order::ops::Wait;
use types::{OrderId, Reason};

use crate::fakes::Act;
use crate::samples::{all_eligible, cancel_all};
use crate::world::{World, worlds};

#[tokio::test]
async fn what_is_left_is_cancelled_at_its_own_price() {
    for world in worlds("eligible").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::LeaveOut(2)]);

        let view = world.submit("cancel", all_eligible(&order.order_id), Wait::Completed).await.unwrap();

        // Of 3 × 10.00 and 2 × 2.50 two teapots stay, and the shipping stays with them.
        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let quantities: Vec<_> = view.change.lines.iter().map(|line| line.quantity).collect();
        assert_eq!((quantities, view.change.amounts.amount), (vec![1, 2], 1_500));
        let skipped = &view.change.terms.skipped;
        assert_eq!((skipped.len(), skipped[0].reason.as_str()), (1, "QUANTITY_EXCEEDS_AVAILABLE"));
        let after = world.order(&order.order_id).await;
        assert_eq!((after.lines[0].quantities.open, after.total_minor()), (2, 2_400));
        assert_eq!(after.units().cancel_pending, 0);
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps[..2], ["hold_goods", "reserve_refund"]);
    }
}

#[tokio::test]
async fn a_line_of_which_nothing_is_left_is_not_part_of_the_change() {
    for world in worlds("eligible_line").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::LeaveOut(3)]);

        let view = world.submit("cancel", all_eligible(&order.order_id), Wait::Completed).await.unwrap();

        let numbers: Vec<_> = view.change.lines.iter().map(|line| line.line_number).collect();
        assert_eq!((numbers, view.change.amounts.amount), (vec![2], 500));
        let again = world.submit("rest", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
        assert_eq!(again.change.amounts.amount, 3_400, "the rest and the shipping sum to what was paid");
        assert_eq!(world.order(&order.order_id).await.state(), OrderState::Cancelled);
    }
}

#[tokio::test]
async fn what_was_shrunk_is_put_back_whole_when_the_money_refuses() {
    for world in worlds("eligible_refused").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::LeaveOut(2)]);
        world.fakes.script.play("reserve_refund", [Act::Refuse(Reason::ExceedsRefundable)]);

        let view = world.submit("cancel", all_eligible(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Rejected, "{view:?}");
        assert_eq!(view.change.cause.unwrap().reason, Reason::ExceedsRefundable);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.units(), after.totals()), (order.units(), order.totals()));
    }
}

/// A quote promised an amount, so it is all of it or nothing: the hold is asked for everything.
#[tokio::test]
async fn a_quoted_change_is_not_shrunk() {
    for world in worlds("eligible_quoted").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::Refuse(Reason::QuantityExceedsAvailable)]);
        let quoted = quote(&world, &order.order_id).await;

        let view = world
            .submit_quoted("cancel", all_eligible(&order.order_id), Some(quoted), Wait::Completed)
            .await
            .unwrap();

        assert_eq!(view.change.state, ChangeState::Rejected);
        assert_eq!(view.change.cause.unwrap().reason, Reason::QuantityExceedsAvailable);
    }
}

async fn quote(world: &World, order_id: &OrderId) -> String {
    let request: ChangeRequest = all_eligible(order_id);
    let order = world.order(order_id).await;
    let shelf = world.orders.shelf(&order.tenant).await.unwrap();
    let actor = order::ops::actor(&crate::samples::caller());
    let now = world.orders.now();
    let policy = shelf.of(&order);
    let previewed =
        order::domain::lifecycle::preview(&order, &request, policy, &shelf.catalogue, &actor, now).unwrap();
    order::domain::quote::issue(
        world.orders.quote_key(),
        &order,
        &request,
        &previewed.priced,
        None,
        (&crate::samples::caller().subject(), now),
    )
    .quote_id
}
