//! Returns and short shipments, from their acceptance to their end, on both engines.

use std::time::Duration;

use kit::Deadline;
use order::domain::change::{ChangeState, ChangeType, ChangeView, LineKey};
use order::domain::lifecycle::{Accepted, Counted, Opening, ShortShipRequest};
use order::domain::listing::Page;
use order::domain::order::{Order, OrderState};
use order::domain::returns::{Return, ReturnState};
use order::ops::Wait;
use order::ops::use_cases::{
    AcceptReturn, CloseReturn, OpenReturn, ReceiveReturn, RejectReturn, ShortShip, UseCase,
};
use proto::events::v1::{GoodsProgressed, LineProgress};
use storage::Delivery;
use types::{Fingerprint, Quantity, Reason};

use crate::fakes::Act;
use crate::samples::{caller, request_id};
use crate::world::{World, worlds};

/// Three teapots at 10.00 and two cups at 2.50, all shipped.
async fn shipped(world: &World) -> Order {
    let order = world.placed("order").await;
    let lines = order.lines.iter().map(|line| LineProgress {
        line_id: line.line_id.to_string(),
        allocated: line.quantities.ordered,
        submitted: line.quantities.ordered,
        shipped: line.quantities.ordered,
        delivered: line.quantities.ordered,
        ..LineProgress::default()
    });
    let body = GoodsProgressed {
        order_id: order.order_id.to_string(),
        lines: lines.collect(),
        tracking_number: "1Z999".to_owned(),
    };
    let event = world.event("inventory", &order.order_id, 1, "GoodsProgressed", &body);
    assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
    world.order(&order.order_id).await
}

fn units(line: i64, units: i64) -> Counted {
    vec![(LineKey::Number(line), Quantity::parse(units).unwrap())]
}

async fn opened(world: &World, order: &Order, line: i64, count: i64, valid: Duration) -> Return {
    let opening = Opening {
        order_id: order.order_id.clone(),
        lines: units(line, count),
        reason_code: "DAMAGED".to_owned(),
        note: String::new(),
        expires_at: world.orders.now().plus(valid),
        content: Fingerprint::of(&[b"open"]),
    };
    world.orders.ask(&caller(), request_id("open"), OpenReturn(opening)).await.unwrap()
}

async fn moved(world: &World, name: &str, step: impl UseCase<Answer = Return>) -> Result<Return, Reason> {
    world.orders.ask(&caller(), request_id(name), step).await.map_err(|failure| failure.reason())
}

async fn accepted(world: &World, of: &Return, name: &str, restock: i64, write_off: i64) -> ChangeView {
    let accept = AcceptReturn {
        return_id: of.return_id.clone(),
        lines: vec![Accepted { line: LineKey::Number(1), restock, write_off, warehouse_id: None }],
        note: String::new(),
        content: Fingerprint::of(&[name.as_bytes()]),
    };
    let until = (Wait::Completed, Deadline::after(Duration::from_secs(20)));
    world.orders.ask_for_change(&caller(), request_id(name), accept, until).await.unwrap()
}

fn receive(of: &Return, name: &str, count: i64) -> ReceiveReturn {
    ReceiveReturn {
        return_id: of.return_id.clone(),
        lines: units(1, count),
        note: String::new(),
        content: Fingerprint::of(&[name.as_bytes()]),
    }
}

#[tokio::test]
async fn accepted_units_are_claimed_decided_taken_back_and_paid_back() {
    for world in worlds("return").await {
        let order = shipped(&world).await;
        let back = opened(&world, &order, 1, 3, Duration::from_hours(1)).await;
        moved(&world, "receive", receive(&back, "receive", 3)).await.unwrap();

        let view = accepted(&world, &back, "accept", 1, 1).await;

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!((view.change.change_type, view.change.amounts.amount), (ChangeType::Return, 2_000));
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["claim_returned", "reserve_refund", "take_back", "settle_refund"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.units().returned, after.total_minor()), (2, 1_900));
        assert_eq!((after.state(), after.change_in_progress), (OrderState::Delivered, None));
        let rejected = moved(
            &world,
            "reject",
            RejectReturn {
                return_id: back.return_id.clone(),
                lines: units(1, 1),
                note: String::new(),
                content: Fingerprint::of(&[b"reject"]),
            },
        );
        let rejected = rejected.await.unwrap();
        assert_eq!(rejected.state, ReturnState::Completed);
        let line = &rejected.lines[0];
        assert_eq!((line.expected, line.received, line.accepted, line.rejected), (3, 3, 2, 1));
        let (order, changes) = world.orders.order_with_changes(&caller(), &order.order_id).await.unwrap();
        assert_eq!(order::domain::verify::verify(&order, &changes), []);
    }
}

#[tokio::test]
async fn a_warehouse_that_says_no_leaves_everything_as_it_was() {
    for world in worlds("return_refused").await {
        let order = shipped(&world).await;
        let back = opened(&world, &order, 1, 1, Duration::from_hours(1)).await;
        moved(&world, "receive", receive(&back, "receive", 1)).await.unwrap();
        world.fakes.script.play("reserve_refund", [Act::Refuse(Reason::ExceedsRefundable), Act::Apply]);

        let view = accepted(&world, &back, "accept", 1, 0).await;

        assert_eq!(view.change.state, ChangeState::Rejected);
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["claim_returned", "reserve_refund", "undo claim_returned"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.units(), after.totals()), (order.units(), order.totals()));
        let found = world.orders.get_return(&caller(), &back.return_id).await.unwrap();
        assert_eq!((found.state, found.undecided()), (ReturnState::Open, 1));
        assert_eq!(accepted(&world, &back, "again", 1, 0).await.change.state, ChangeState::Completed);
    }
}

#[tokio::test]
async fn a_return_of_which_nothing_came_is_closed_or_ends_by_the_clock() {
    for world in worlds("return_ends").await {
        let order = shipped(&world).await;
        let back = opened(&world, &order, 1, 1, Duration::ZERO).await;
        let clock = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(world.orders.clone().expire_returns(clock.clone()));

        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        let ended = loop {
            let found = world.orders.get_return(&caller(), &back.return_id).await.unwrap();
            if found.state != ReturnState::Open {
                break found;
            }
            assert!(tokio::time::Instant::now() < limit, "it never ended: {found:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        clock.cancel();
        running.await.unwrap();

        assert_eq!(ended.state, ReturnState::Expired);
        assert_eq!(moved(&world, "late", receive(&back, "late", 1)).await, Err(Reason::StateConflict));
        let page = Page { after: None, size: 10 };
        let states = [ReturnState::Expired];
        let listed =
            world.orders.list_returns(&caller(), Some(&order.order_id), &states, &page).await.unwrap();
        assert_eq!(listed.items, [ended]);
    }
}

#[tokio::test]
async fn a_request_about_a_return_counts_once() {
    for world in worlds("return_repeat").await {
        let order = shipped(&world).await;
        let back = opened(&world, &order, 1, 3, Duration::from_hours(1)).await;

        let first = moved(&world, "receive", receive(&back, "receive", 2)).await.unwrap();
        let again = moved(&world, "receive", receive(&back, "receive", 2)).await.unwrap();

        assert_eq!((first.lines[0].received, &again), (2, &first));
        let too_many = moved(&world, "more", receive(&back, "more", 2)).await;
        assert_eq!(too_many, Err(Reason::QuantityExceedsAvailable));
        let closing = moved(
            &world,
            "close",
            CloseReturn {
                return_id: back.return_id.clone(),
                note: String::new(),
                content: Fingerprint::of(&[b"close"]),
            },
        )
        .await;
        assert_eq!(closing, Err(Reason::StateConflict));
    }
}

#[tokio::test]
async fn units_that_cannot_be_shipped_are_written_down_and_paid_back() {
    for world in worlds("short_ship").await {
        let order = world.placed("order").await;
        let request = ShortShipRequest {
            order_id: order.order_id.clone(),
            lines: units(1, 2),
            reason_code: "OUT_OF_STOCK".to_owned(),
            note: "none on the shelf".to_owned(),
            content: Fingerprint::of(&[b"short"]),
        };

        let deadline = Deadline::after(Duration::from_secs(20));
        let me = caller();
        let view = world.orders.ask_for_change(
            &me,
            request_id("short"),
            ShortShip(request),
            (Wait::Completed, deadline),
        );
        let view = view.await.unwrap();

        assert_eq!(
            (view.change.state, view.change.change_type),
            (ChangeState::Completed, ChangeType::ShortShip)
        );
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["hold_goods", "reserve_refund", "write_down", "settle_refund"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.units().cancelled, after.total_minor()), (2, 1_900));
    }
}
