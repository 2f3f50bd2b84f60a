//! What both sides agree on, from its approval to its end: which participants are asked for what, and what a refusal leaves.

use std::time::Duration;

use kit::{Deadline, Principal};
use order::domain::address::Address;
use order::domain::change::{ChangeState, ChangeView, LineKey};
use order::domain::lifecycle::{Proposal, Proposed};
use order::domain::order::Order;
use order::domain::placing::{NewLine, NewTender};
use order::ops::Wait;
use order::ops::use_cases::{ApproveChange, ProposeChange};
use types::{Fingerprint, Quantity, Reason, UnitPrice};

use crate::fakes::Act;
use crate::samples::{caller, new_order, request_id};
use crate::world::{World, worlds};

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn card(amount_minor: i64) -> NewTender {
    NewTender { amount_minor, ..new_order("card").tenders[0].clone() }
}

fn left(quantity: i64) -> Proposed {
    Proposed::Quantities(vec![(LineKey::Number(1), quantity)])
}

fn mug(unit_price: &str) -> NewLine {
    let like = new_order("mug").lines[0].clone();
    let quantity = Quantity::parse(1).unwrap();
    NewLine { sku: "MUG".to_owned(), quantity, unit_price: UnitPrice::parse(unit_price).unwrap(), ..like }
}

/// Proposes, and lets another of our own people agree.
async fn agree(world: &World, order: &Order, proposed: Proposed, tenders: Vec<NewTender>) -> ChangeView {
    let proposal = Proposal {
        proposed,
        reason_code: String::new(),
        note: String::new(),
        expires_at: world.orders.now().plus(Duration::from_mins(5)),
        pays: Vec::new(),
        pricing_version: Some(order.pricing_version),
    };
    let (id, content) = (order.order_id.clone(), Fingerprint::of(&[b"propose"]));
    let me = caller();
    let proposed = world.orders.ask(
        &me,
        request_id("propose"),
        ProposeChange { order_id: id, proposal, counter_of: None, content },
    );
    let change_order_id = proposed.await.unwrap().change.change_order_id;
    let other = Principal { user: "ben".to_owned(), ..caller() };
    let approval = ApproveChange { change_order_id, tenders, content: Fingerprint::of(&[b"approve"]) };
    let approved =
        world.orders.ask_for_change(&other, request_id("yes"), approval, (Wait::Completed, soon()));
    approved.await.unwrap()
}

fn asked(world: &World, view: &ChangeView) -> Vec<String> {
    world.fakes.script.steps(view.change.saga_id.as_str())
}

#[tokio::test]
async fn more_units_are_reserved_and_paid_for_before_the_decision() {
    for world in worlds("more_units").await {
        let order = world.placed("order").await;

        let view = agree(&world, &order, left(5), vec![card(2_000)]).await;

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(asked(&world, &view), ["reserve_stock", "authorise_payments", "capture_payments"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.total_minor(), after.lines.len()), (5_900, 3));
        assert_eq!((after.lines[2].line_number, after.lines[2].quantities.open), (3, 2));
        assert_eq!(after.lines[2].sku, "TEAPOT");
    }
}

#[tokio::test]
async fn a_declined_card_gives_the_new_stock_back_and_adds_nothing() {
    for world in worlds("more_declined").await {
        let order = world.placed("order").await;
        world.fakes.script.play("authorise_payments", [Act::Refuse(Reason::PaymentDeclined)]);

        let view = agree(&world, &order, left(5), vec![card(2_000)]).await;

        assert_eq!(view.change.state, ChangeState::Rejected);
        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::PaymentDeclined);
        assert_eq!(asked(&world, &view), ["reserve_stock", "authorise_payments", "undo reserve_stock"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((&after.lines, after.totals()), (&order.lines, order.totals()));
        assert_eq!(after.change_in_progress, None);
    }
}

#[tokio::test]
async fn without_stock_nobody_is_asked_for_money() {
    for world in worlds("more_short").await {
        let order = world.placed("order").await;
        world.fakes.script.play("reserve_stock", [Act::Refuse(Reason::InsufficientStock)]);

        let view = agree(&world, &order, left(5), vec![card(2_000)]).await;

        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::InsufficientStock);
        assert_eq!(asked(&world, &view), ["reserve_stock"]);
    }
}

#[tokio::test]
async fn an_authorisation_whose_answer_is_lost_is_asked_for_again() {
    for world in worlds("more_lost").await {
        let order = world.placed("order").await;
        world.fakes.script.play("authorise_payments", [Act::LoseAnswer, Act::LoseAnswer, Act::Apply]);

        let view = agree(&world, &order, left(4), vec![card(1_000)]).await;

        assert_eq!(view.change.state, ChangeState::Completed);
        let tries = world.fakes.script.asked();
        assert_eq!(tries.iter().filter(|asked| asked.step == "authorise_payments").count(), 4);
        assert_eq!(world.order(&order.order_id).await.total_minor(), 4_900);
    }
}

#[tokio::test]
async fn goods_that_go_pay_for_those_that_come() {
    for world in worlds("replace").await {
        let order = world.placed("order").await;
        let what = Proposed::Replacement { left: vec![(LineKey::Number(1), 2)], items: vec![mug("6.00")] };

        let view = agree(&world, &order, what, Vec::new()).await;

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        let mut steps = asked(&world, &view);
        steps.sort();
        let expected = ["hold_goods", "release_goods", "reserve_refund", "reserve_stock", "settle_refund"];
        assert_eq!(steps, expected);
        assert_eq!(world.order(&order.order_id).await.total_minor(), 3_500);
    }
}

#[tokio::test]
async fn a_lower_price_is_reserved_decided_and_sent_without_a_unit_moving() {
    for world in worlds("cheaper").await {
        let order = world.placed("order").await;

        let what = Proposed::Prices(vec![(LineKey::Number(1), 250)]);
        let view = agree(&world, &order, what, Vec::new()).await;

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(asked(&world, &view), ["reserve_refund", "settle_refund"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.total_minor(), after.units()), (3_650, order.units()));
        assert_eq!(after.lines[0].bases.len(), 1, "it is read back as it was written");
    }
}

#[tokio::test]
async fn nothing_leaves_while_an_address_changes() {
    for world in worlds("address").await {
        let order = world.placed("order").await;
        let address = Address {
            recipient: "Ann Lee".to_owned(),
            lines: vec!["1 High St".to_owned()],
            city: "York".to_owned(),
            postal_code: String::new(),
            region: String::new(),
            country_code: "GB".to_owned(),
        };

        let view = agree(&world, &order, Proposed::Address(address.clone()), Vec::new()).await;

        assert_eq!(view.change.state, ChangeState::Completed, "{view:?}");
        assert_eq!(asked(&world, &view), ["hold_goods", "keep_goods"]);
        let after = world.order(&order.order_id).await;
        assert_eq!((after.address.as_ref(), after.units()), (Some(&address), order.units()));
    }
}

#[tokio::test]
async fn an_address_of_goods_that_left_first_stays() {
    for world in worlds("address_late").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::Refuse(Reason::ShippedFirst)]);
        let address = Address {
            recipient: "Ann Lee".to_owned(),
            lines: vec!["1 High St".to_owned()],
            city: "York".to_owned(),
            postal_code: String::new(),
            region: String::new(),
            country_code: "GB".to_owned(),
        };

        let view = agree(&world, &order, Proposed::Address(address), Vec::new()).await;

        assert_eq!(view.change.cause.as_ref().unwrap().reason, Reason::ShippedFirst);
        assert_eq!(world.order(&order.order_id).await.address, None);
    }
}

#[tokio::test]
async fn a_proposal_and_its_end_are_told() {
    for world in worlds("proposal_told").await {
        let order = world.placed("order").await;

        agree(&world, &order, left(1), Vec::new()).await;

        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        while !world.fakes.kinds_heard().contains(&"ChangeOrderCompleted".to_owned()) {
            assert!(tokio::time::Instant::now() < limit, "{:?}", world.fakes.kinds_heard());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let kinds = world.fakes.kinds_heard();
        let at = |kind: &str| kinds.iter().position(|heard| heard == kind);
        assert!(at("ChangeOrderProposed") < at("ChangeOrderAccepted"), "{kinds:?}");
        assert!(at("ChangeOrderProposed").is_some(), "{kinds:?}");
    }
}
