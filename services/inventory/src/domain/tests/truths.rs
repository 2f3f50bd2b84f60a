//! The books say what is so: labels and their parcels, bundles, undone fulfilments, reports of what has left.

use types::{FulfilmentId, LabelId, LineId, Money, Reason, Refusal, Timestamp};

use super::world::{World, quantity, sku, warehouse};
use crate::domain::{
    CarrierAnswer, Credit, Elsewhere, Label, LabelState, Moment, Reported, ReportedFrom, Reservation,
    Reshipped, Selection, Sku, Stock, Voider, WarehouseId,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn select(line: &LineId, units: i64) -> Vec<Selection> {
    vec![Selection { line_id: line.clone(), quantity: quantity(units) }]
}

/// Ten apples, of which four stand in a parcel.
fn packed() -> (World, LineId, FulfilmentId) {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = world.wanted("apple", 4, None);
    world.reserve(std::slice::from_ref(&wanted), "place").unwrap();
    let fulfilment = world.allocate("main", &[]).unwrap();
    (world, wanted.line_id, fulfilment)
}

impl World {
    fn label(&mut self, fulfilment: &FulfilmentId, number: &str) -> LabelId {
        let id: LabelId = self.ids.mint();
        let label = Label {
            fulfilment_id: fulfilment.clone(),
            carrier: "sandbox".to_owned(),
            token: "lbl_ok".to_owned(),
            tracking_number: number.to_owned(),
            cost: Money::parse("GBP", 0).unwrap(),
            state: LabelState::Purchased,
            voider: None,
            purchased_at: NOW,
            void_requested_at: None,
            void_ended_at: None,
            due_at: 0,
            tries: 0,
        };
        self.goods.attach(id.clone(), label);
        id
    }

    fn ship_as(&mut self, fulfilment: &FulfilmentId, lines: &[Selection], number: &str) {
        let moment = Moment { ids: &self.ids, at: NOW };
        let movements = self.goods.ship(fulfilment, lines, number, moment).unwrap();
        self.apply(movements);
    }

    fn void(&mut self, label: &LabelId) -> Result<(), Refusal> {
        let by = Voider { by: "req".to_owned(), step: "VoidLabel".to_owned() };
        self.goods.request_void(label, by, &self.warehouses, NOW)?;
        let voided = CarrierAnswer::Voided { credit: Credit::Granted };
        assert!(self.goods.carrier_answered(label, &voided, NOW));
        let movements = self.goods.put_back(&self.warehouses, None);
        self.apply(movements);
        Ok(())
    }

    fn free(&self) -> impl Fn(&WarehouseId, &Sku) -> i64 + use<> {
        let stock = self.stock.clone();
        move |at, name| stock.get(&(at.clone(), name.clone())).map_or(0, Stock::available)
    }

    fn report(&mut self, fulfilment: &FulfilmentId, number: &str) -> Result<Reported, Refusal> {
        let free = self.free();
        let shelves = ReportedFrom { warehouses: &self.warehouses, available: &free };
        let moment = Moment { ids: &self.ids, at: NOW };
        let (reported, movements) = self.goods.report_shipped(fulfilment, &[], number, &shelves, moment)?;
        self.apply(movements);
        Ok(reported)
    }

    fn unpack(&mut self, fulfilment: &FulfilmentId, lines: &[Selection]) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: NOW };
        let (_, movements) = self.goods.unpack(fulfilment, lines, &self.warehouses, moment)?;
        self.apply(movements);
        Ok(())
    }

    fn repack(&mut self, fulfilment: &FulfilmentId, to: &str) -> Result<FulfilmentId, Refusal> {
        let free = self.free();
        let shelves = Elsewhere { warehouses: &self.warehouses, available: &free };
        let moment = Moment { ids: &self.ids, at: NOW };
        let mut goods = self.goods.clone();
        let (new, movements) = goods.repack(fulfilment, &[], &warehouse(to), &shelves, moment)?;
        self.goods = goods;
        self.apply(movements);
        Ok(new)
    }
}

#[test]
fn a_label_belongs_to_its_parcel_whether_or_not_its_number_is_repeated() {
    for number in ["", "1Z1", "misread"] {
        let (mut world, _, fulfilment) = packed();
        let label = world.label(&fulfilment, "1Z1");
        world.ship_as(&fulfilment, &[], number);
        assert_eq!(world.balances("main", "apple"), (6, 0));

        world.void(&label).unwrap();

        assert_eq!(world.balances("main", "apple"), (10, 4), "shipped as {number:?}");
        world.check();
    }
}

#[test]
fn a_label_that_is_bought_after_the_parcel_has_left_carries_it_too() {
    let (mut world, _, fulfilment) = packed();
    world.ship_as(&fulfilment, &[], "");
    let label = world.label(&fulfilment, "1Z1");

    world.void(&label).unwrap();

    assert_eq!(world.balances("main", "apple"), (10, 4));
}

#[test]
fn what_leaves_after_its_label_was_voided_stays_out() {
    let (mut world, _, fulfilment) = packed();
    let label = world.label(&fulfilment, "1Z1");
    world.void(&label).unwrap();

    world.ship_as(&fulfilment, &[], "1Z1");
    let movements = world.goods.put_back(&world.warehouses, None);

    assert!(movements.is_empty(), "{movements:?}");
    assert_eq!(world.balances("main", "apple"), (6, 0));
}

#[test]
fn each_of_two_labels_brings_back_what_left_under_its_number() {
    let (mut world, line, fulfilment) = packed();
    let (one, two) = (world.label(&fulfilment, "1Z1"), world.label(&fulfilment, "1Z2"));
    world.ship_as(&fulfilment, &select(&line, 1), "1Z1");
    world.ship_as(&fulfilment, &select(&line, 3), "1Z2");

    world.void(&one).unwrap();
    assert_eq!(world.balances("main", "apple"), (7, 1));
    world.void(&two).unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 4));
    world.check();
}

#[test]
fn units_of_which_nobody_knows_the_box_come_back_with_the_last_label() {
    let (mut world, _, fulfilment) = packed();
    let (one, two) = (world.label(&fulfilment, "1Z1"), world.label(&fulfilment, "1Z2"));
    world.ship_as(&fulfilment, &[], "");

    world.void(&two).unwrap();
    assert_eq!(world.balances("main", "apple"), (6, 0));
    world.void(&one).unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 4));
}

#[test]
fn the_label_of_a_delivered_parcel_is_not_voided() {
    let (mut world, line, fulfilment) = packed();
    let label = world.label(&fulfilment, "1Z1");
    world.ship_as(&fulfilment, &select(&line, 2), "");
    world.deliver(&fulfilment, &select(&line, 1)).unwrap();

    assert_eq!(world.void(&label).unwrap_err().reason, Reason::Delivered);
    // Nor with a change that takes what is still here of it.
    world.hold(&line, 2, "change").unwrap();
    assert_eq!(world.goods.promise_voids("change").unwrap_err().reason, Reason::Delivered);
}

#[test]
fn a_bundle_that_is_made_of_its_parts_takes_nothing_of_a_shelf() {
    let mut world = World::new().stocked("spare", "cup", 6);
    let mut set = world.wanted("set", 3, None);
    set.without_stock = true;
    let mut cup = world.wanted("cup", 6, None);
    cup.part_of = Some(set.line_id.clone());

    world.reserve(&[set.clone(), cup], "place").unwrap();

    assert_eq!(world.units(|row| row.warehouse_id == warehouse("spare")), 9, "it goes along with its part");
    assert_eq!(world.balances("spare", "cup"), (6, 6));
    let fulfilment = world.allocate("spare", &[]).unwrap();
    world.ship(&fulfilment, &[]).unwrap();
    assert_eq!(world.units(Reservation::is_sold), 9);
    assert!(!world.stock.contains_key(&(warehouse("spare"), sku("set"))));
    world.check();
}

#[test]
fn what_is_not_decided_is_not_packed() {
    let mut world = World::new().stocked("main", "apple", 10);
    let wanted = [world.wanted("apple", 2, None), world.wanted("apple", 3, None)];
    world.reserve(&wanted[..1], "place").unwrap();
    world.reserve(&wanted[1..], "amend").unwrap();
    let moment = Moment { ids: &world.ids, at: NOW };
    let mut goods = world.goods.clone();

    let nothing = goods.allocate(&warehouse("main"), &[], &|_| false, None, moment).unwrap_err();
    let too_much = goods
        .allocate(&warehouse("main"), &select(&wanted[1].line_id, 1), &|saga| saga == "place", None, moment)
        .unwrap_err();
    goods.allocate(&warehouse("main"), &[], &|saga| saga == "place", None, moment).unwrap();

    assert_eq!((nothing.reason, too_much.reason), (Reason::ChangeInProgress, Reason::ChangeInProgress));
    let packed = goods.reservations.values().filter(|row| row.packed.is_some()).map(|row| row.quantity);
    assert_eq!(packed.sum::<i64>(), 2);
}

#[test]
fn a_parcel_is_undone_and_its_goods_are_packed_again() {
    let (mut world, line, fulfilment) = packed();
    world.submit(&fulfilment).unwrap();

    world.unpack(&fulfilment, &select(&line, 1)).unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 4), "they stay promised");
    world.unpack(&fulfilment, &[]).unwrap();
    let again = world.allocate("main", &[]).unwrap();
    world.ship(&again, &[]).unwrap();

    assert_eq!(world.balances("main", "apple"), (6, 0));
    assert_eq!(world.report(&fulfilment, "1Z1").unwrap_err().reason, Reason::StateConflict);
    world.check();
}

#[test]
fn a_parcel_is_packed_elsewhere_wholly_or_stays() {
    let (mut world, _, fulfilment) = packed();
    let before = world.goods.clone();
    assert_eq!(world.repack(&fulfilment, "spare").unwrap_err().reason, Reason::InsufficientStock);
    assert_eq!(world.repack(&fulfilment, "closed").unwrap_err().reason, Reason::WarehouseInactive);
    assert_eq!(world.goods, before);

    let mut world = world.stocked("spare", "apple", 5);
    let moved = world.repack(&fulfilment, "spare").unwrap();

    assert_eq!((world.balances("main", "apple"), world.balances("spare", "apple")), ((10, 0), (5, 4)));
    world.ship(&moved, &[]).unwrap();
    assert_eq!(world.balances("spare", "apple"), (1, 0));
    world.check();
}

#[test]
fn a_parcel_with_a_label_or_under_a_hold_is_not_undone() {
    let (mut world, line, fulfilment) = packed();
    world.hold(&line, 4, "change").unwrap();
    assert_eq!(world.unpack(&fulfilment, &[]).unwrap_err().reason, Reason::CancelHold);
    world.resume("change");

    let label = world.label(&fulfilment, "1Z1");
    assert_eq!(world.unpack(&fulfilment, &[]).unwrap_err().reason, Reason::StateConflict);
    world.void(&label).unwrap();
    world.unpack(&fulfilment, &[]).unwrap();
    world.check();
}

#[test]
fn our_own_warehouse_may_have_shipped_what_was_cancelled() {
    let (mut world, line, fulfilment) = packed();
    world.hold(&line, 4, "change").unwrap();
    world.release("change");
    assert_eq!(world.balances("main", "apple"), (10, 0));

    let reported = world.report(&fulfilment, "1Z1").unwrap();

    assert_eq!((reported.shipped, reported.shipped_after_cancel), (0, 4));
    assert_eq!(world.balances("main", "apple"), (6, 0), "they are not on the shelf");
    world.check();
}

#[test]
fn a_shelf_that_is_promised_to_others_is_left_for_a_count() {
    let (mut world, line, fulfilment) = packed();
    world.hold(&line, 4, "change").unwrap();
    world.release("change");
    let others = world.wanted("apple", 9, None);
    let mut goods = std::mem::replace(&mut world.goods, crate::domain::Goods::new(world.ids.mint(), NOW));
    world.reserve(&[others], "another order").unwrap();
    std::mem::swap(&mut goods, &mut world.goods);

    let reported = world.report(&fulfilment, "1Z1").unwrap();

    assert_eq!(reported.shipped_after_cancel, 4, "it has happened");
    assert_eq!(world.balances("main", "apple"), (9, 9), "one could be taken off");
}

#[test]
fn a_report_during_a_hold_takes_effect_with_its_end() {
    for cancelled in [true, false] {
        let (mut world, line, fulfilment) = packed();
        world.hold(&line, 3, "change").unwrap();

        let reported = world.report(&fulfilment, "1Z1").unwrap();
        assert_eq!((reported.shipped, reported.noted, reported.shipped_after_cancel), (1, 3, 0));
        assert_eq!(world.balances("main", "apple"), (9, 3), "the held ones wait");

        if cancelled {
            world.release("change");
        } else {
            world.resume("change");
        }

        assert_eq!(world.balances("main", "apple"), (6, 0));
        let sold = if cancelled { 1 } else { 4 };
        assert_eq!(world.units(Reservation::is_sold), sold);
        assert_eq!(world.goods.lines[&line].counters.shipped, sold);
        world.check();
    }
}

#[test]
fn units_that_came_back_leave_again_when_their_order_is_restored() {
    let (mut world, line, fulfilment) = packed();
    let label = world.label(&fulfilment, "1Z1");
    world.ship_as(&fulfilment, &[], "");
    world.hold_within(&line, 4, crate::domain::Reach::OnTheWay, false, "change").unwrap();
    world.release("change");
    world.void(&label).unwrap();
    assert_eq!(world.balances("main", "apple"), (10, 0), "a voided label brings cancelled units back");

    let again = [Reshipped { line_id: line.clone(), quantity: quantity(4) }];
    world.restore(&[], &again, "restore").unwrap();
    assert_eq!(world.balances("main", "apple"), (6, 0));
    world.unreserve("restore");
    assert_eq!(world.balances("main", "apple"), (10, 0), "and are back if it is not decided");

    world.restore(&[], &again, "again").unwrap();
    world.goods.reshipped("again");
    assert_eq!(world.balances("main", "apple"), (6, 0));
    assert_eq!(world.units(Reservation::is_sold), 4);
    assert!(world.goods.put_back(&world.warehouses, None).is_empty(), "the old label is done with");
    world.check();
}

#[test]
fn a_restoration_is_refused_where_what_came_back_was_sold_to_others() {
    let (mut world, line, fulfilment) = packed();
    let label = world.label(&fulfilment, "1Z1");
    world.ship_as(&fulfilment, &[], "");
    world.hold_within(&line, 4, crate::domain::Reach::OnTheWay, false, "change").unwrap();
    world.release("change");
    world.void(&label).unwrap();
    let mut world = world.stocked("main", "apple", -7);

    let again = [Reshipped { line_id: line, quantity: quantity(4) }];
    let refused = world.restore(&[], &again, "restore").unwrap_err();

    assert_eq!(refused.reason, Reason::InsufficientStock);
    assert_eq!(refused.details["lines[0].available"], "3");
}
