//! Units that come back from a buyer, and units that turn out not to exist.

use types::{LineId, Reason, Refusal};

use super::world::{World, quantity, warehouse};
use crate::domain::{Moment, Reservation, ReturnedLine, Selection, Warehouse, WarehouseKind};

/// Ten apples, of which four were sold and shipped, and two of those delivered.
fn shipped() -> (World, LineId) {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", 4, None);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    let of = |units| vec![Selection { line_id: wanted.line_id.clone(), quantity: quantity(units) }];
    let fulfilment = world.allocate("main", &of(4)).unwrap();
    world.ship(&fulfilment, &of(4)).unwrap();
    world.deliver(&fulfilment, &of(2)).unwrap();
    (world, wanted.line_id)
}

fn back(line: &LineId, restock: i64, write_off: i64, at: Option<&str>) -> Vec<ReturnedLine> {
    vec![ReturnedLine { line_id: line.clone(), restock, write_off, warehouse_id: at.map(warehouse) }]
}

impl World {
    fn claim(&mut self, lines: &[ReturnedLine], saga: &str) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: types::Timestamp::UNIX_EPOCH };
        let mut goods = self.goods.clone();
        goods.claim_returned(lines, &self.warehouses, saga, moment)?;
        self.goods = goods;
        Ok(())
    }

    fn take_back(&mut self, lines: &[ReturnedLine], saga: &str) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: types::Timestamp::UNIX_EPOCH };
        let mut goods = self.goods.clone();
        let (_, movements) = goods.take_back(lines, &self.warehouses, saga, moment)?;
        self.goods = goods;
        self.apply(movements);
        Ok(())
    }
}

#[test]
fn what_can_be_sold_again_goes_on_the_shelf_and_the_rest_is_written_off() {
    let (mut world, line) = shipped();
    let lines = back(&line, 2, 1, None);

    world.claim(&lines, "return").unwrap();
    assert_eq!(world.balances("main", "apple"), (6, 0), "nothing moves before it is decided");
    world.take_back(&lines, "return").unwrap();

    assert_eq!(world.balances("main", "apple"), (8, 0));
    assert_eq!(world.units(|row| row.returned() == Some(true)), 2);
    assert_eq!(world.units(|row| row.returned() == Some(false)), 1);
    assert_eq!(world.goods.lines[&line].counters.delivered, 3, "who sends units back has had them");
    world.check();
}

#[test]
fn a_unit_comes_back_once() {
    let (mut world, line) = shipped();
    let lines = back(&line, 4, 0, None);
    world.claim(&lines, "return").unwrap();
    world.take_back(&lines, "return").unwrap();

    let again = world.claim(&back(&line, 1, 0, None), "again").unwrap_err();

    assert_eq!(again.reason, Reason::QuantityExceedsAvailable);
    assert_eq!(world.take_back(&lines, "return").unwrap_err().reason, Reason::ProtocolViolation);
    assert_eq!(world.balances("main", "apple"), (10, 0));
}

#[test]
fn a_claim_that_is_given_up_leaves_everything_as_it_was() {
    let (mut world, line) = shipped();
    world.claim(&back(&line, 3, 0, None), "return").unwrap();

    world.resume("return");

    assert_eq!(world.units(Reservation::is_sold), 4);
    world.claim(&back(&line, 4, 0, None), "another").unwrap();
    world.check();
}

#[test]
fn units_may_come_back_to_another_warehouse_and_never_to_a_closed_one() {
    let (mut world, line) = shipped();
    let refused = world.claim(&back(&line, 1, 0, Some("closed")), "return").unwrap_err();
    assert_eq!(refused.reason, Reason::WarehouseInactive);
    assert_eq!(world.units(|row| row.claimed_by().is_some()), 0);

    let own = WarehouseKind::Own;
    let spare = Warehouse { kind: own, priority: 2, active: true, integration: None };
    world.warehouses.load(warehouse("spare"), spare);
    let lines = back(&line, 1, 0, Some("spare"));
    world.claim(&lines, "return").unwrap();
    world.take_back(&lines, "return").unwrap();
    assert_eq!((world.balances("main", "apple"), world.balances("spare", "apple")), ((6, 0), (1, 0)));
}

#[test]
fn units_that_do_not_exist_leave_the_count_with_their_promise() {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", 4, None);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    world.hold(&wanted.line_id, 3, "short").unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 4));

    let (splits, movements) = world.goods.write_down("short");
    world.apply(movements);

    assert_eq!(splits.iter().map(|(_, split)| split.unallocated).sum::<i64>(), 3);
    assert_eq!(world.balances("main", "apple"), (7, 1));
    world.check();
}
