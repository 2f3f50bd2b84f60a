//! What GetCancelability answers in each state.

use types::Reason;

use super::world::{accepted, cancelled, everything, ids, new_line, new_order, now, open, placed};
use crate::domain::cancelability::{self, Advice, Cancelability};
use crate::domain::lifecycle::{open_order, start_processing};
use crate::domain::order::{Order, OrderState};
use crate::domain::policy::{Edition, default_policy};

/// What the default policy says to our own people.
fn cancelability(order: &Order) -> Cancelability {
    cancelability::cancelability(order, default_policy(), &Edition::default(), &super::world::actor(), now())
}

fn pending() -> Order {
    let mut order = placed(new_order(vec![new_line(2, "1.00"), new_line(1, "1.00")]), &ids()).order;
    let _told = open_order(&mut order, false, now()).unwrap();
    order
}

fn confirmed() -> Order {
    open(new_order(vec![new_line(2, "1.00"), new_line(1, "1.00")]), &ids())
}

fn processing() -> Order {
    let mut order = confirmed();
    let _told = start_processing(&mut order, super::world::actor(), now()).unwrap();
    order
}

fn shipped(delivered: bool) -> Order {
    let mut order = processing();
    for line in &mut order.lines {
        let all = line.quantities.ordered;
        line.quantities = line.quantities.ship(all).unwrap();
        if delivered {
            line.quantities = line.quantities.deliver_up_to(all);
        }
    }
    order
}

#[test]
fn the_further_the_order_the_stronger_the_advice() {
    let table = [
        (pending(), OrderState::Pending, true, Advice::Safe, None),
        (confirmed(), OrderState::Confirmed, true, Advice::ContactFirst, None),
        (processing(), OrderState::Processing, true, Advice::Urgent, None),
        (shipped(false), OrderState::Shipped, false, Advice::TooLate, Some(Reason::ShippedFirst)),
        (shipped(true), OrderState::Delivered, false, Advice::TooLate, Some(Reason::Delivered)),
    ];

    for (order, state, allowed, advice, blocker) in table {
        let answer = cancelability(&order);

        assert_eq!(order.state(), state);
        assert_eq!((answer.allowed, answer.advice), (allowed, advice), "{state:?}");
        assert_eq!(answer.blockers.first().map(|blocker| blocker.reason), blocker, "{state:?}");
        assert_eq!(answer.allowed_actions.contains(&"SubmitChangeOrder"), allowed, "{state:?}");
    }
}

#[test]
fn a_line_that_shipped_is_blocked_alone() {
    let mut order = confirmed();
    order.lines[0].quantities = order.lines[0].quantities.ship(2).unwrap();

    let answer = cancelability(&order);

    assert!(answer.allowed);
    assert_eq!(answer.advice, Advice::Urgent);
    assert_eq!(answer.lines[0].available_to_cancel, 0);
    assert_eq!(answer.lines[0].blockers[0].reason, Reason::ShippedFirst);
    assert_eq!((answer.lines[1].available_to_cancel, answer.lines[1].blockers.len()), (1, 0));
}

#[test]
fn a_held_order_waits_and_a_cancelled_one_is_through() {
    let mut held = confirmed();
    let request = everything(&held);
    accepted(&mut held, &request, &ids()).unwrap();
    let mut gone = confirmed();
    cancelled(&mut gone, &request, &ids()).unwrap();

    let (held, gone) = (cancelability(&held), cancelability(&gone));

    assert_eq!(held.blockers[0].reason, Reason::ChangeInProgress);
    assert_eq!(held.allowed_actions, ["WithdrawChangeOrder"]);
    assert_eq!(gone.blockers[0].reason, Reason::NothingToCancel);
    assert_eq!(gone.allowed_actions, ["RestoreOrder"]);
}
