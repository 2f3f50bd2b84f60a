//! What a hold takes where the policy lets only some units go, and where fewer are left than are wanted.

use types::{LineId, Reason};

use super::world::{World, quantity};
use crate::domain::{Reach, Selection, Split};

/// Nine apples of a line; a fulfilment has three of them.
fn allocated() -> (World, LineId) {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", 9, None);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    let three = Selection { line_id: wanted.line_id.clone(), quantity: quantity(3) };
    world.allocate("main", &[three]).unwrap();
    (world, wanted.line_id)
}

#[test]
fn a_hold_of_unallocated_units_leaves_what_a_fulfilment_has() {
    let (mut world, line) = allocated();

    let refusal = world.hold_within(&line, 7, Reach::Unallocated, false, "change").unwrap_err();
    let splits = world.hold_within(&line, 6, Reach::Unallocated, false, "change").unwrap();
    let late = world.hold_within(&line, 1, Reach::Unallocated, true, "late").unwrap_err();

    let detail = |name: &str| refusal.details.get(name).cloned().unwrap_or_default();
    assert_eq!(refusal.reason, Reason::QuantityExceedsAvailable);
    assert_eq!((detail("lines[0].wanted"), detail("lines[0].available")), ("7".to_owned(), "6".to_owned()));
    assert_eq!(splits.iter().next(), Some((&line, &Split { unallocated: 6, ..Split::default() })));
    assert_eq!(late.reason, Reason::QuantityExceedsAvailable);
    world.check();
}

#[test]
fn a_hold_that_takes_what_is_left_says_what_it_left_out() {
    let (mut world, line) = allocated();

    let splits = world.hold_within(&line, 7, Reach::Unallocated, true, "change").unwrap();

    let refused = Some((1, Reason::QuantityExceedsAvailable));
    assert_eq!(splits.iter().next(), Some((&line, &Split { unallocated: 6, refused, ..Split::default() })));
    world.check();
}
