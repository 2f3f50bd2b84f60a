//! Each rule, by example.

use types::{LineId, Reason, Refusal, Timestamp};

use super::world::{World, quantity, sku, warehouse};
use crate::domain::{
    FulfilmentState, LineState, Posting, PostingError, Reservation, Selection, Sku, Split, Stock, Warehouse,
    WarehouseId, WarehouseKind,
};

fn select(line: &LineId, units: i64) -> Vec<Selection> {
    vec![Selection { line_id: line.clone(), quantity: quantity(units) }]
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> Reason {
    outcome.unwrap_err().reason
}

/// Ten apples on the main shelf and one line of the order that has reserved `units` of them.
fn reserved(units: i64) -> (World, LineId) {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", units, None);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    (world, wanted.line_id)
}

#[test]
fn one_article_on_three_lines_is_counted_three_times() {
    let mut world = World::new().stocked("main", "apple", 10);
    let three = [4, 4, 3].map(|units| world.wanted("apple", units, Some("main")));

    let refusal = world.reserve(&three, "place").unwrap_err();

    assert_eq!(refusal.reason, Reason::InsufficientStock);
    assert_eq!(refusal.details["short_lines"], "1");
    assert_eq!(refusal.details["lines[0].line_id"], three[2].line_id.as_str());
    assert_eq!(refusal.details["lines[0].sku"], "apple");
    assert_eq!(refusal.details["lines[0].wanted"], "3");
    assert_eq!(refusal.details["lines[0].available"], "2");
    assert_eq!(world.balances("main", "apple"), (10, 0));
    world.check();
}

#[test]
fn a_line_goes_to_the_first_warehouse_that_serves_it_whole() {
    let mut world = World::new().stocked("main", "apple", 3).stocked("spare", "apple", 5);
    let wanted = [world.wanted("apple", 4, None), world.wanted("apple", 3, None)];

    world.reserve(&wanted, "place").unwrap();

    assert_eq!(world.balances("spare", "apple"), (5, 4));
    assert_eq!(world.balances("main", "apple"), (3, 3));
    world.check();
}

#[test]
fn a_line_is_never_split_over_warehouses() {
    let mut world = World::new().stocked("main", "apple", 3).stocked("spare", "apple", 5);
    let wanted = [world.wanted("apple", 6, None)];

    let refusal = world.reserve(&wanted, "place").unwrap_err();

    assert_eq!(refusal.reason, Reason::InsufficientStock);
    assert_eq!(refusal.details["lines[0].available"], "5");
}

#[test]
fn a_third_party_reserves_without_stock_rows_and_only_what_names_it() {
    let mut world = World::new().with_partner();
    let unassigned = [world.wanted("kite", 4, None)];
    let wanted = [world.wanted("kite", 4, Some("partner"))];

    assert_eq!(reason(world.reserve(&unassigned, "place")), Reason::InsufficientStock);
    world.reserve(&wanted, "place").unwrap();

    assert_eq!(world.units(|row| row.warehouse_id == warehouse("partner")), 4);
    assert!(world.stock.is_empty());
    world.check();
}

#[test]
fn an_inactive_or_unknown_warehouse_takes_no_reservation() {
    let mut world = World::new().stocked("closed", "apple", 10);
    let closed = [world.wanted("apple", 1, Some("closed"))];
    let unknown = [world.wanted("apple", 1, Some("nowhere"))];
    let any = [world.wanted("apple", 1, None)];

    assert_eq!(reason(world.reserve(&closed, "place")), Reason::WarehouseInactive);
    assert_eq!(reason(world.reserve(&unknown, "place")), Reason::ResourceNotFound);
    assert_eq!(reason(world.reserve(&any, "place")), Reason::InsufficientStock);
}

#[test]
fn a_line_is_reserved_once() {
    let (mut world, line) = reserved(2);
    let mut again = world.wanted("apple", 1, None);
    again.line_id = line;

    assert_eq!(reason(world.reserve(&[again.clone()], "other")), Reason::StateConflict);
    let mut fresh = again;
    fresh.line_id = world.line();
    assert_eq!(reason(world.reserve(&[fresh.clone(), fresh], "other")), Reason::DuplicateLine);
}

#[test]
fn unreserving_gives_back_what_this_saga_took() {
    let (mut world, line) = reserved(4);

    world.unreserve("someone else");
    assert_eq!(world.balances("main", "apple"), (10, 4));
    let splits = world.unreserve("place");

    assert_eq!(splits.iter().next(), Some((&line, &Split { unallocated: 4, ..Split::default() })));
    assert_eq!(world.balances("main", "apple"), (10, 0));
    assert!(world.unreserve("place").is_empty());
    world.check();
}

#[test]
fn unreserving_leaves_what_was_shipped_and_says_so() {
    let (mut world, line) = reserved(4);
    let fulfilment = world.allocate("main", &select(&line, 1)).unwrap();
    world.ship(&fulfilment, &[]).unwrap();

    let splits = world.unreserve("place");

    assert_eq!(splits.shipped(), 1);
    assert_eq!(world.balances("main", "apple"), (9, 0));
    world.check();
}

#[test]
fn a_hold_takes_unallocated_units_first_and_submitted_ones_last() {
    let (mut world, line) = reserved(9);
    let submitted = world.allocate("main", &select(&line, 3)).unwrap();
    world.submit(&submitted).unwrap();
    world.allocate("main", &select(&line, 3)).unwrap();

    let splits = world.hold(&line, 7, "change").unwrap();

    let expected = Split { unallocated: 3, allocated: 3, submitted: 1, ..Split::default() };
    assert_eq!(splits.iter().next(), Some((&line, &expected)));
    assert_eq!(world.balances("main", "apple"), (10, 9));
    world.check();
}

#[test]
fn held_units_become_their_own_rows() {
    let (mut world, line) = reserved(5);
    let fulfilment = world.allocate("main", &[]).unwrap();

    world.hold(&line, 2, "change").unwrap();

    let rows: Vec<_> = world.goods.reservations.iter().collect();
    let [(kept_id, kept), (_, held)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((kept.quantity, held.quantity), (3, 2));
    assert_eq!(held.split_of.as_ref(), Some(*kept_id));
    assert_eq!(held.held_by(), Some("change"));
    let (kept_line, held_line) = (kept.packed.as_ref().unwrap(), held.packed.as_ref().unwrap());
    assert_eq!(held_line.split_of.as_ref(), Some(&kept_line.id));
    assert!(held.is_packed_in(&fulfilment));
    world.check();
}

#[test]
fn a_hold_refuses_what_is_gone_and_what_is_too_much() {
    // (reserved, shipped, held by another, wanted, reason)
    let cases = [
        (4, 0, 0, 5, Reason::QuantityExceedsAvailable),
        (4, 4, 0, 1, Reason::ShippedFirst),
        (4, 3, 0, 2, Reason::QuantityExceedsAvailable),
        (4, 0, 4, 1, Reason::QuantityExceedsAvailable),
        (4, 3, 1, 1, Reason::ShippedFirst),
    ];
    for (units, shipped, held, wanted, expected) in cases {
        let (mut world, line) = reserved(units);
        if shipped > 0 {
            let fulfilment = world.allocate("main", &select(&line, shipped)).unwrap();
            world.ship(&fulfilment, &[]).unwrap();
        }
        if held > 0 {
            world.hold(&line, held, "other").unwrap();
        }
        let before = world.goods.clone();

        assert_eq!(
            reason(world.hold(&line, wanted, "change")),
            expected,
            "{units} {shipped} {held} {wanted}"
        );

        assert_eq!(world.goods, before, "a refusal changes nothing");
    }
    let (mut world, _) = reserved(1);
    let stranger = world.line();
    assert_eq!(reason(world.hold(&stranger, 1, "change")), Reason::ResourceNotFound);
}

#[test]
fn resuming_makes_units_shippable_again() {
    let (mut world, line) = reserved(4);
    let fulfilment = world.allocate("main", &[]).unwrap();
    world.hold(&line, 4, "change").unwrap();
    assert_eq!(reason(world.ship(&fulfilment, &[])), Reason::CancelHold);

    world.resume("change");

    world.ship(&fulfilment, &[]).unwrap();
    assert_eq!(world.balances("main", "apple"), (6, 0));
    world.check();
}

#[test]
fn releasing_returns_units_to_stock_and_cancels_their_lines() {
    let (mut world, line) = reserved(4);
    let fulfilment = world.allocate("main", &[]).unwrap();
    world.hold(&line, 4, "change").unwrap();

    world.release("change");

    assert_eq!(world.balances("main", "apple"), (10, 0));
    assert_eq!(world.goods.fulfilment_state(&fulfilment), FulfilmentState::Cancelled);
    assert_eq!(world.goods.lines[&line].counters.deallocated, 4);
    assert_eq!(reason(world.ship(&fulfilment, &[])), Reason::StateConflict);
    assert!(world.release("change").is_empty());
    world.check();
}

#[test]
fn a_sagas_hold_is_its_own() {
    let (mut world, line) = reserved(4);
    world.hold(&line, 1, "one").unwrap();
    world.hold(&line, 2, "two").unwrap();

    world.release("one");
    world.resume("two");

    assert_eq!(world.balances("main", "apple"), (10, 3));
    assert_eq!(world.units(Reservation::is_active), 3);
    world.check();
}

#[test]
fn ship_names_what_stands_in_its_way() {
    let (mut world, line) = reserved(5);
    let fulfilment = world.allocate("main", &[]).unwrap();
    world.hold(&line, 2, "change").unwrap();

    assert_eq!(reason(world.ship(&fulfilment, &select(&line, 4))), Reason::CancelHold);
    world.ship(&fulfilment, &[]).unwrap();

    assert_eq!(world.balances("main", "apple"), (7, 2));
    assert_eq!(world.goods.fulfilment_state(&fulfilment), FulfilmentState::PartiallyShipped);
    world.release("change");
    assert_eq!(world.goods.fulfilment_state(&fulfilment), FulfilmentState::Shipped);
    assert_eq!(reason(world.ship(&fulfilment, &select(&line, 1))), Reason::QuantityExceedsAvailable);
    world.check();
}

#[test]
fn a_partial_ship_splits_and_keeps_counters_in_order() {
    let (mut world, line) = reserved(5);
    let fulfilment = world.allocate("main", &[]).unwrap();

    world.ship(&fulfilment, &select(&line, 2)).unwrap();

    let counters = world.goods.lines[&line].counters;
    assert_eq!((counters.allocated, counters.submitted, counters.shipped), (5, 2, 2));
    let shipped = world.units(|row| row.line_state() == Some(LineState::Shipped));
    assert_eq!(shipped, 2);
    world.submit(&fulfilment).unwrap();
    assert_eq!(world.goods.lines[&line].counters.submitted, 5);
    world.check();
}

#[test]
fn delivery_is_of_shipped_units_only() {
    let (mut world, line) = reserved(5);
    let fulfilment = world.allocate("main", &[]).unwrap();
    assert_eq!(reason(world.deliver(&fulfilment, &[])), Reason::StateConflict);
    world.ship(&fulfilment, &select(&line, 3)).unwrap();

    assert_eq!(reason(world.deliver(&fulfilment, &select(&line, 4))), Reason::QuantityExceedsAvailable);
    world.deliver(&fulfilment, &select(&line, 1)).unwrap();
    assert_eq!(world.goods.fulfilment_state(&fulfilment), FulfilmentState::PartiallyShipped);
    world.ship(&fulfilment, &[]).unwrap();
    world.deliver(&fulfilment, &[]).unwrap();

    assert_eq!(world.goods.fulfilment_state(&fulfilment), FulfilmentState::Delivered);
    assert_eq!(world.goods.lines[&line].counters.delivered, 5);
    world.check();
}

#[test]
fn allocation_takes_free_units_of_one_warehouse() {
    let (mut world, line) = reserved(5);
    world.hold(&line, 2, "change").unwrap();

    assert_eq!(reason(world.allocate("spare", &[])), Reason::StateConflict);
    assert_eq!(reason(world.allocate("main", &select(&line, 4))), Reason::CancelHold);
    world.allocate("main", &[]).unwrap();
    assert_eq!(reason(world.allocate("main", &[])), Reason::CancelHold);

    assert_eq!(world.goods.lines[&line].counters.allocated, 3);
    world.check();
}

#[test]
fn held_units_at_a_third_party_are_counted_once_submitted() {
    let mut world = World::new().with_partner();
    let wanted = world.wanted("kite", 5, Some("partner"));
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    let line = wanted.line_id;
    let fulfilment = world.allocate("partner", &select(&line, 3)).unwrap();
    world.submit(&fulfilment).unwrap();

    world.hold(&line, 4, "change").unwrap();

    assert_eq!(world.goods.held_with_partner("change", &world.warehouses), 2);
    assert_eq!(world.goods.held_with_partner("other", &world.warehouses), 0);
}

#[test]
fn postings_keep_the_shelf_above_what_is_promised() {
    let stock = Stock { on_hand: 10, reserved: 4, ledger_seq: 3 };
    let cases = [
        (Posting::Set { on_hand: 4 }, Ok((-6, 0))),
        (Posting::Set { on_hand: 10 }, Ok((0, 0))),
        (Posting::Set { on_hand: 3 }, Err(PostingError::BelowReserved { on_hand: 3, reserved: 4 })),
        (Posting::Adjust { delta: -6 }, Ok((-6, 0))),
        (Posting::Adjust { delta: -7 }, Err(PostingError::BelowReserved { on_hand: 3, reserved: 4 })),
        (Posting::Adjust { delta: -11 }, Err(PostingError::BeyondRange)),
        (Posting::Adjust { delta: i64::MAX }, Err(PostingError::BeyondRange)),
        (Posting::Adjust { delta: 1_000_000_000_000 }, Err(PostingError::BeyondRange)),
        (Posting::Reserve { quantity: 6 }, Ok((0, 6))),
        (Posting::Reserve { quantity: 7 }, Err(PostingError::NotAvailable { wanted: 7, available: 6 })),
        (Posting::Release { quantity: 4 }, Ok((0, -4))),
        (Posting::Ship { quantity: 4 }, Ok((-4, -4))),
        (
            Posting::Release { quantity: 5 },
            Err(PostingError::Imbalance { quantity: 5, reserved: 4, on_hand: 10 }),
        ),
        (
            Posting::Ship { quantity: 5 },
            Err(PostingError::Imbalance { quantity: 5, reserved: 4, on_hand: 10 }),
        ),
    ];
    for (posting, expected) in cases {
        let mut moved = stock.clone();

        let entry = moved.post(posting).map(|entry| (entry.on_hand_delta, entry.reserved_delta));

        assert_eq!(entry, expected, "{posting:?}");
        let seq = if expected.is_ok() { 4 } else { 3 };
        assert_eq!(moved.ledger_seq, seq, "{posting:?}");
        let (on_hand, reserved) = expected.unwrap_or_default();
        assert_eq!((moved.on_hand, moved.reserved), (10 + on_hand, 4 + reserved), "{posting:?}");
    }
}

#[test]
fn a_warehouse_keeps_its_kind() {
    let mut world = World::new();
    let main = Warehouse { kind: WarehouseKind::Own, priority: 5, active: false, integration: None };
    world.warehouses.put(warehouse("main"), main.clone()).unwrap();
    assert_eq!(world.warehouses.get(&warehouse("main")), Some(&main));

    let partner = Warehouse { kind: WarehouseKind::Dropship, ..main.clone() };

    assert_eq!(reason(world.warehouses.put(warehouse("main"), partner)), Reason::StateConflict);
}

#[test]
fn names_are_one_line_of_text() {
    assert_eq!(Sku::parse("café").unwrap(), Sku::parse("cafe\u{301}").unwrap());
    assert_eq!(Sku::parse("a\tb"), Err(types::TextError::ControlCharacter { character: '\t' }));
    assert!(Sku::parse("  ").is_err());
    assert!(Sku::parse("nul\0").is_err());
    assert!(WarehouseId::parse(&"w".repeat(65)).is_err());
    assert_eq!(sku("'; DROP TABLE stock; --").as_str(), "'; DROP TABLE stock; --");
}

#[test]
fn progress_tells_changed_lines_only() {
    let mut world = World::new().stocked("main", "apple", 10).stocked("main", "pear", 10);
    let (apple, pear) = (world.wanted("apple", 2, None), world.wanted("pear", 2, None));
    world.reserve(&[apple.clone(), pear], "place").unwrap();
    let before = world.goods.clone();

    world.allocate("main", &select(&apple.line_id, 1)).unwrap();

    let progressed = world.goods.progressed_since(&before);
    assert_eq!(progressed.len(), 1);
    assert_eq!(*progressed[0].0, apple.line_id);
    assert_eq!(world.goods.created_at, Timestamp::UNIX_EPOCH);
}
