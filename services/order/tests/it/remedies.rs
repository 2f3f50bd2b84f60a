//! What is done after a cancellation, or instead of one, from its acceptance to its end.

use std::time::Duration;

use kit::{Deadline, Principal};
use order::domain::change::{ChangeState, LineKey};
use order::domain::lifecycle::{Given, PayRequest, Proposal, Proposed, RefundRequest, RestoreRequest};
use order::domain::order::{Order, OrderState};
use order::domain::reissue::{Prices, Reissue};
use order::ops::Wait;
use order::ops::use_cases::{
    ApproveChange, PayOrder, ProposeChange, RefundOrder, ReissueOrder, StartProcessing,
};
use types::{Fingerprint, Reason};

use crate::fakes::Act;
use crate::samples::{caller, cancel_all, new_order, request_id};
use crate::world::{World, worlds};

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn restoration(order: &Order) -> RestoreRequest {
    RestoreRequest {
        order_id: order.order_id.clone(),
        tenders: new_order("again").tenders,
        reason_code: "MISTAKE".to_owned(),
        note: String::new(),
        lacking: None,
        content: Fingerprint::of(&[b"restore"]),
    }
}

async fn cancelled(world: &World) -> Order {
    let order = world.placed("order").await;
    world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
    world.order(&order.order_id).await
}

#[tokio::test]
async fn a_cancelled_order_is_restored_whole() {
    for world in worlds("restore").await {
        let me = caller();
        let order = cancelled(&world).await;

        let request = restoration(&order);
        let restored =
            world.orders.restore_order(&me, request_id("restore"), request, (Wait::Completed, soon()));
        let view = restored.await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["reserve_stock", "authorise_payments", "capture_payments"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.state(), after.total_minor()), (OrderState::Confirmed, 3_900));
        assert_eq!((after.cancelled_by_change, after.change_in_progress), (None, None));
    }
}

#[tokio::test]
async fn an_order_restored_without_tenders_awaits_its_payment() {
    for world in worlds("restore_unpaid").await {
        let me = caller();
        let order = cancelled(&world).await;
        world.fakes.script.play("authorise_payments", [Act::Missing(3_900), Act::Apply]);
        let request = RestoreRequest { tenders: Vec::new(), ..restoration(&order) };
        let restored =
            world.orders.restore_order(&me, request_id("restore"), request, (Wait::Completed, soon()));
        assert_eq!(restored.await.unwrap().change.state, ChangeState::Completed);

        let awaiting = world.order(&order.order_id).await;
        assert_eq!(awaiting.awaits_payment.map(|awaited| awaited.missing_minor), Some(3_900));
        let started = world
            .orders
            .ask(&me, request_id("start"), StartProcessing { order_id: order.order_id.clone() })
            .await;
        assert_eq!(started.unwrap_err().reason(), Reason::PaymentRequired);

        let pay = |name: &str| PayRequest {
            order_id: order.order_id.clone(),
            tenders: new_order(name).tenders,
            content: Fingerprint::of(&[name.as_bytes()]),
        };
        let paid = world.orders.ask_for_change(
            &me,
            request_id("pay"),
            PayOrder(pay("pay")),
            (Wait::Completed, soon()),
        );
        let view = paid.await.unwrap();
        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(world.order(&order.order_id).await.awaits_payment, None);
        let again = world.orders.ask_for_change(
            &me,
            request_id("again"),
            PayOrder(pay("again")),
            (Wait::Completed, soon()),
        );
        assert_eq!(again.await.unwrap_err().reason(), Reason::StateConflict);
        world
            .orders
            .ask(&me, request_id("go"), StartProcessing { order_id: order.order_id.clone() })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_declined_payment_leaves_the_order_waiting_and_may_be_tried_again() {
    for world in worlds("pay_declined").await {
        let me = caller();
        let order = cancelled(&world).await;
        let acts = [Act::Missing(3_900), Act::Refuse(Reason::PaymentDeclined), Act::Apply];
        world.fakes.script.play("authorise_payments", acts);
        let request = RestoreRequest { tenders: Vec::new(), ..restoration(&order) };
        world
            .orders
            .restore_order(&me, request_id("restore"), request, (Wait::Completed, soon()))
            .await
            .unwrap();
        let pay = |name: &str| PayRequest {
            order_id: order.order_id.clone(),
            tenders: new_order(name).tenders,
            content: Fingerprint::of(&[name.as_bytes()]),
        };

        let declined = world
            .orders
            .ask_for_change(&me, request_id("pay"), PayOrder(pay("pay")), (Wait::Completed, soon()))
            .await
            .unwrap();
        let waiting = world.order(&order.order_id).await;
        let paid = world
            .orders
            .ask_for_change(&me, request_id("again"), PayOrder(pay("again")), (Wait::Completed, soon()))
            .await
            .unwrap();

        assert_eq!(declined.change.state, ChangeState::Rejected);
        assert_eq!(waiting.awaits_payment.map(|awaited| awaited.missing_minor), Some(3_900));
        assert_eq!(paid.change.state, ChangeState::Completed);
        assert_eq!(world.order(&order.order_id).await.awaits_payment, None);
    }
}

#[tokio::test]
async fn cancelling_an_unpaid_order_again_needs_no_payment() {
    for world in worlds("unpaid_cancelled").await {
        let me = caller();
        let order = cancelled(&world).await;
        world.fakes.script.play("authorise_payments", [Act::Missing(3_900)]);
        let request = RestoreRequest { tenders: Vec::new(), ..restoration(&order) };
        world
            .orders
            .restore_order(&me, request_id("restore"), request, (Wait::Completed, soon()))
            .await
            .unwrap();

        let view = world.submit("again", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let after = world.order(&order.order_id).await;
        assert_eq!((after.state(), after.awaits_payment), (OrderState::Cancelled, None));
    }
}

#[tokio::test]
async fn a_declined_card_leaves_the_order_cancelled_and_gives_the_stock_back() {
    for world in worlds("restore_declined").await {
        let me = caller();
        let order = cancelled(&world).await;
        world.fakes.script.play("authorise_payments", [Act::Refuse(Reason::PaymentDeclined)]);

        let request = restoration(&order);
        let restored =
            world.orders.restore_order(&me, request_id("restore"), request, (Wait::Completed, soon()));
        let view = restored.await.unwrap();

        assert_eq!(view.change.state, ChangeState::Rejected);
        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::PaymentDeclined);
        let after = world.order(&order.order_id).await;
        assert_eq!(
            (after.units(), after.totals(), after.change_in_progress),
            (order.units(), order.totals(), None)
        );
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["reserve_stock", "authorise_payments", "undo reserve_stock"]);
    }
}

#[tokio::test]
async fn an_order_is_not_restored_while_its_money_is_moving() {
    for world in worlds("restore_settling").await {
        let me = caller();
        let order = world.placed("order").await;
        world.fakes.script.play("settle_refund", [Act::Pending]);
        world.submit("cancel", cancel_all(&order.order_id), Wait::Committed).await.unwrap();

        let request = restoration(&order);
        let refused =
            world.orders.restore_order(&me, request_id("restore"), request, (Wait::Accepted, soon()));

        assert_eq!(refused.await.unwrap_err().reason(), Reason::RefundInFlight);
    }
}

#[tokio::test]
async fn an_order_is_made_again_under_the_next_free_number() {
    for world in worlds("reissue").await {
        let me = caller();
        let order = cancelled(&world).await;
        let wish = |name: &str| Reissue {
            order_id: order.order_id.clone(),
            prices: Prices::Frozen,
            tenders: new_order(name).tenders,
            external_payments: Vec::new(),
            references: Vec::new(),
            confirm_later: false,
            content: Fingerprint::of(&[name.as_bytes()]),
        };

        let mut numbers = Vec::new();
        for name in ["one", "two"] {
            let made = world.orders.ask_for_order(
                &me,
                request_id(name),
                ReissueOrder(wish(name)),
                (Wait::Completed, soon()),
            );
            let made = made.await.unwrap();
            assert_eq!(made.reissue_of.as_ref(), Some(&order.order_id));
            assert_eq!(made.total_minor(), 3_900);
            numbers.push(made.number);
        }

        let expected = [format!("{}-R1", order.number), format!("{}-R2", order.number)];
        assert_eq!(numbers, expected);
        // The one it is made of stays as it was, and its timeline tells of it.
        let timeline = world.orders.timeline(&me, &order.order_id, 0, 200).await.unwrap();
        let told = timeline.iter().filter(|recorded| recorded.entry.event == "order.reissued");
        let told: Vec<_> = told.map(|recorded| recorded.entry.summary.clone()).collect();
        assert_eq!(told, expected.map(|number| format!("the order was placed again as {number}")));
        let source = world.order(&order.order_id).await;
        assert_eq!(order::domain::order::Order { timeline_seq: order.timeline_seq, ..source }, order);
    }
}

#[tokio::test]
async fn goodwill_is_reserved_decided_and_sent() {
    for world in worlds("goodwill").await {
        let me = caller();
        let order = world.placed("order").await;
        let request = RefundRequest {
            order_id: order.order_id.clone(),
            what: Given::Goodwill { amount_minor: 100 },
            reason_code: String::new(),
            note: String::new(),
            content: Fingerprint::of(&[b"goodwill"]),
        };

        let given = world.orders.ask_for_change(
            &me,
            request_id("give"),
            RefundOrder(request),
            (Wait::Completed, soon()),
        );
        let view = given.await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let steps = world.fakes.script.steps(view.change.saga_id.as_str());
        assert_eq!(steps, ["reserve_refund", "settle_refund"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.total_minor(), after.goodwill_minor, after.units()), (3_800, 100, order.units()));
    }
}

#[tokio::test]
async fn a_proposal_is_stored_approved_by_the_other_and_carried_out() {
    for world in worlds("propose").await {
        let me = caller();
        let order = world.placed("order").await;
        let proposal = Proposal {
            proposed: Proposed::Quantities(vec![(LineKey::Number(1), 1)]),
            reason_code: String::new(),
            note: "two are cracked".to_owned(),
            expires_at: world.orders.now().plus(Duration::from_mins(5)),
            pays: Vec::new(),
            pricing_version: None,
        };
        let (id, content) = (order.order_id.clone(), Fingerprint::of(&[b"propose"]));
        let proposed = world.orders.ask(
            &me,
            request_id("propose"),
            ProposeChange { order_id: id, proposal, counter_of: None, content },
        );
        let view = proposed.await.unwrap();
        assert_eq!(view.change.state, ChangeState::Requested);
        let change_order_id = view.change.change_order_id.clone();
        let other = Principal { user: "ben".to_owned(), ..caller() };

        let content = Fingerprint::of(&[b"approve"]);
        let approval = ApproveChange { change_order_id, tenders: Vec::new(), content };
        let approved =
            world.orders.ask_for_change(&other, request_id("yes"), approval, (Wait::Completed, soon()));
        let view = approved.await.unwrap();

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(world.order(&order.order_id).await.lines[0].quantities.net(), 1);
    }
}

#[tokio::test]
async fn a_proposal_that_nobody_answers_is_ended_by_the_clock() {
    for world in worlds("expire").await {
        let me = caller();
        let order = world.placed("order").await;
        let proposal = Proposal {
            proposed: Proposed::Quantities(vec![(LineKey::Number(1), 1)]),
            reason_code: String::new(),
            note: String::new(),
            expires_at: world.orders.now(),
            pays: Vec::new(),
            pricing_version: None,
        };
        let (id, content) = (order.order_id.clone(), Fingerprint::of(&[b"propose"]));
        let proposed = world.orders.ask(
            &me,
            request_id("propose"),
            ProposeChange { order_id: id, proposal, counter_of: None, content },
        );
        let view = proposed.await.unwrap();

        let stop = tokio_util::sync::CancellationToken::new();
        let clock = tokio::spawn(world.orders.clone().expire_proposals(stop.clone()));
        world.change_in(&view, ChangeState::Expired).await;

        stop.cancel();
        clock.await.unwrap();
    }
}
