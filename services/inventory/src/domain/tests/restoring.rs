//! Promising stock again to the lines of an order that was cancelled whole.

use types::{LineId, Reason};

use super::world::{World, quantity};
use crate::domain::{IntegrationKey, Partner, Selection, Wanted};

/// Ten apples, and a line that had four of them until it was cancelled.
fn cancelled(at: Option<&str>) -> (World, Wanted) {
    let mut world = World::new().with_partner().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", 4, at);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    (world, wanted)
}

fn cancel(world: &mut World, line: &LineId) {
    world.hold(line, 4, "cancel").unwrap();
    world.release("cancel");
}

#[test]
fn a_line_that_was_given_back_whole_is_promised_again() {
    let (mut world, wanted) = cancelled(None);
    cancel(&mut world, &wanted.line_id);
    assert_eq!(world.balances("main", "apple"), (10, 0));

    world.reserve(std::slice::from_ref(&wanted), "restore").unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 4));
    world.check();

    world.unreserve("restore");
    assert_eq!(world.balances("main", "apple"), (10, 0));
    world.check();
}

#[test]
fn what_is_not_paid_again_is_given_to_no_fulfilment() {
    let (mut world, wanted) = cancelled(None);
    cancel(&mut world, &wanted.line_id);
    world.goods.await_payment(true);
    world.reserve(std::slice::from_ref(&wanted), "restore").unwrap();

    let refused = world.allocate("main", &[]).unwrap_err();
    cancel(&mut world, &wanted.line_id);
    world.goods.await_payment(false);
    world.reserve(std::slice::from_ref(&wanted), "again").unwrap();
    let allocated = world.allocate("main", &[]);

    assert_eq!(refused.reason, Reason::PaymentRequired);
    assert!(allocated.is_ok(), "{allocated:?}");
    world.check();
}

#[test]
fn a_line_that_still_has_units_is_not_promised_twice() {
    let (mut world, wanted) = cancelled(None);
    world.hold(&wanted.line_id, 3, "cancel").unwrap();
    world.release("cancel");

    let refused = world.reserve(std::slice::from_ref(&wanted), "restore").unwrap_err();

    assert_eq!(refused.reason, Reason::StateConflict);
}

#[test]
fn a_number_that_a_partner_has_seen_is_used_again_only_where_its_profile_says_so() {
    let (mut world, wanted) = cancelled(Some("partner"));
    let all = vec![Selection { line_id: wanted.line_id.clone(), quantity: quantity(4) }];
    let fulfilment = world.allocate("partner", &all).unwrap();
    let integration = IntegrationKey::parse("mww").unwrap();
    let partner = Partner { integration, external_number: "O-1".to_owned() };
    world.goods.fulfilments.get_mut(&fulfilment).unwrap().partner = Some(partner);
    cancel(&mut world, &wanted.line_id);

    let refused = world.reserve(std::slice::from_ref(&wanted), "restore").unwrap_err();
    world.numbers_are_taken_again = true;
    let taken = world.reserve(std::slice::from_ref(&wanted), "restore");

    assert_eq!((refused.reason, refused.details["external_number"].as_str()), (Reason::UseReissue, "O-1"));
    assert_eq!(taken, Ok(()), "its partner's profile lets the number be used again");
}
