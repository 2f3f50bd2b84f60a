//! States: one order state for every combination of facts, one way for every event of a change.

use types::{Reason, Refusal};

use super::world::{ids, new_line, new_order, now, open};
use crate::domain::change::{ChangeEvent, ChangeState};
use crate::domain::order::{Order, OrderState, Placement};
use crate::domain::quantities::Quantities;

/// Every partition of up to three units.
fn partitions() -> Vec<Quantities> {
    let mut all = Vec::new();
    for ordered in 1..=3 {
        for digits in 0..4_i64.pow(7) {
            let digit = |place: u32| digits / 4_i64.pow(place) % 4;
            let quantities = Quantities {
                ordered,
                open: digit(0),
                cancel_pending: digit(1),
                cancel_pending_shipped: 0,
                cancelled: digit(2),
                fulfilled: digit(3),
                cancelled_after_ship: digit(4),
                returned: digit(5),
                delivered: digit(6),
            };
            all.extend(quantities.checked());
        }
    }
    all
}

/// The states of the design's table that hold for these units, written down as the table has them.
fn by_the_table(q: Quantities, confirmed: bool, processing: bool) -> Vec<OrderState> {
    let gone = q.cancelled + q.cancelled_after_ship;
    let alive = gone < q.ordered && q.returned < q.ordered && q.ordered - gone - q.returned > 0;
    let nothing_out = alive && q.fulfilled == 0;
    let out = alive && q.fulfilled > 0;
    let all_out = q.open + q.cancel_pending == 0;
    let all_there = q.delivered == q.fulfilled;
    let rows = [
        (gone == q.ordered, OrderState::Cancelled),
        (q.returned == q.ordered, OrderState::Returned),
        (
            gone < q.ordered && q.returned < q.ordered && gone + q.returned == q.ordered,
            OrderState::ClosedMixed,
        ),
        (out && all_out && all_there, OrderState::Delivered),
        (out && q.delivered > 0 && !(all_out && all_there), OrderState::PartiallyDelivered),
        (out && all_out && q.delivered == 0, OrderState::Shipped),
        (out && !all_out && q.delivered == 0, OrderState::PartiallyShipped),
        (nothing_out && processing, OrderState::Processing),
        (nothing_out && !processing && confirmed, OrderState::Confirmed),
        (nothing_out && !processing && !confirmed, OrderState::Pending),
    ];
    rows.into_iter().filter_map(|(holds, state)| holds.then_some(state)).collect()
}

fn order_with(quantities: Quantities, confirmed: bool, processing: bool) -> Order {
    let mut order = open(new_order(vec![new_line(quantities.ordered, "1")]), &ids());
    order.lines[0].quantities = quantities;
    order.confirmed_at = confirmed.then(now);
    order.processing_at = processing.then(now);
    order
}

#[test]
fn every_combination_of_facts_has_exactly_the_state_of_the_table() {
    for quantities in partitions() {
        for (confirmed, processing) in [(false, false), (true, false), (false, true), (true, true)] {
            let order = order_with(quantities, confirmed, processing);

            let expected = by_the_table(quantities, confirmed, processing);

            assert_eq!(vec![order.state()], expected, "{quantities:?} {confirmed} {processing}");
        }
    }
}

#[test]
fn a_placement_that_did_not_end_or_failed_hides_the_quantities() {
    for quantities in partitions() {
        let mut order = order_with(quantities, true, true);

        order.placement = Placement::Placing;
        assert_eq!(order.state(), OrderState::Placing);

        order.placement = Placement::Failed(Refusal::new(Reason::InsufficientStock, "no tea"));
        assert_eq!(order.state(), OrderState::PlacementFailed);
    }
}

#[test]
fn the_units_of_all_lines_together_make_the_state() {
    let mut order = open(new_order(vec![new_line(1, "1"), new_line(1, "1")]), &ids());

    order.lines[0].quantities = order.lines[0].quantities.ship(1).unwrap();
    assert_eq!(order.state(), OrderState::PartiallyShipped);

    order.lines[1].quantities = order.lines[1].quantities.hold(1).unwrap().cancel(1).unwrap();
    assert_eq!(order.state(), OrderState::Shipped);
}

#[test]
fn only_the_listed_events_move_a_change() {
    use ChangeEvent as E;
    use ChangeState as S;
    let events = [
        E::Withdraw,
        E::Unwind,
        E::PutBack,
        E::Decide,
        E::Complete,
        E::CompleteWithExceptions,
        E::LoseRefund,
    ];
    let legal = [
        (S::Draft, E::Withdraw, S::Withdrawn),
        (S::Requested, E::Withdraw, S::Withdrawn),
        (S::Executing, E::Unwind, S::Unwinding),
        (S::Executing, E::Decide, S::Settling),
        (S::Unwinding, E::PutBack, S::Rejected),
        (S::Settling, E::Complete, S::Completed),
        (S::Settling, E::CompleteWithExceptions, S::CompletedWithExceptions),
        (S::Completed, E::LoseRefund, S::CompletedWithExceptions),
        (S::CompletedWithExceptions, E::LoseRefund, S::CompletedWithExceptions),
    ];

    for state in S::ALL {
        for event in events {
            let expected = legal.iter().find(|(from, by, _)| (*from, *by) == (state, event));

            assert_eq!(state.after(event).ok(), expected.map(|(.., to)| *to), "{state:?} {event:?}");
        }
    }
}

#[test]
fn stored_names_of_states_are_read_back() {
    for state in OrderState::ALL {
        assert_eq!(OrderState::parse(state.as_str()), Some(state));
    }
    for state in ChangeState::ALL {
        assert_eq!(ChangeState::parse(state.as_str()), Some(state));
    }
    assert_eq!(OrderState::parse("Pending"), None);
}

#[test]
fn no_move_takes_more_units_than_a_bucket_has() {
    for quantities in partitions() {
        for units in 0..=4 {
            let moves = [
                (quantities.hold(units), quantities.open),
                (quantities.cancel(units), quantities.cancel_pending),
                (quantities.put_back(units), quantities.cancel_pending),
                (quantities.ship(units), quantities.open),
            ];
            for (moved, available) in moves {
                assert_eq!(moved.is_ok(), units <= available, "{quantities:?} {units}");
                assert!(moved.is_err() || moved.unwrap().checked().is_ok());
            }
        }
    }
}
