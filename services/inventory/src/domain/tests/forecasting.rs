//! What a reservation would find, without making one.

use super::world::{World, warehouse};
use crate::domain::{Reservable, Wanted, forecast};

fn of(lines: &[Wanted]) -> Reservable {
    Reservable { lines: lines.to_vec(), reshipped: Vec::new() }
}

#[test]
fn a_forecast_finds_what_a_reservation_takes_and_takes_nothing() {
    let mut world = World::new().stocked("main", "apple", 5);
    let wanted = [world.wanted("apple", 3, None), world.wanted("apple", 3, None)];

    let found =
        forecast(&of(&wanted), None, &world.warehouses, |at, _| if *at == warehouse("main") { 5 } else { 0 });

    assert_eq!((found[0].available, found[0].enough), (5, true));
    assert_eq!((found[1].available, found[1].enough), (2, false), "the line before is served first");
    assert_eq!(world.balances("main", "apple"), (5, 0));
    world.reserve(&wanted[..1], "place").unwrap();
    world.reserve(&wanted[1..], "amend").unwrap_err();
}

#[test]
fn a_warehouse_that_takes_nothing_new_has_nothing() {
    let world = World::new();
    let wanted = [world.wanted("apple", 1, Some("closed"))];

    let found = forecast(&of(&wanted), None, &world.warehouses, |_, _| 5);

    assert_eq!((found[0].available, found[0].enough), (0, false));
}
