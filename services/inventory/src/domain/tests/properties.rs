//! Whatever comes in whatever order, the books balance, and what is refused changes nothing.

use proptest::prelude::*;
use types::{FulfilmentId, LineId};

use super::world::{World, quantity};
use crate::domain::{Reservation, Selection};

/// Something that happens to the order. Numbers pick a line, a saga or a fulfilment among those there are.
#[derive(Debug, Clone)]
enum Happening {
    Reserve { article: usize, units: i64 },
    Hold { line: usize, units: i64, saga: usize },
    Resume { saga: usize },
    Release { saga: usize },
    Unreserve,
    Allocate { line: usize, units: i64 },
    AllocateAll,
    Submit { fulfilment: usize },
    Ship { fulfilment: usize, line: usize, units: i64 },
    ShipAll { fulfilment: usize },
    Deliver { fulfilment: usize, line: usize, units: i64 },
    DeliverAll { fulfilment: usize },
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let (n, units) = (0_usize..4, 1_i64..6);
    prop_oneof![
        3 => (n.clone(), units.clone()).prop_map(|(article, units)| H::Reserve { article, units }),
        4 => (n.clone(), units.clone(), n.clone())
            .prop_map(|(line, units, saga)| H::Hold { line, units, saga }),
        2 => n.clone().prop_map(|saga| H::Resume { saga }),
        2 => n.clone().prop_map(|saga| H::Release { saga }),
        1 => Just(H::Unreserve),
        2 => (n.clone(), units.clone()).prop_map(|(line, units)| H::Allocate { line, units }),
        2 => Just(H::AllocateAll),
        2 => n.clone().prop_map(|fulfilment| H::Submit { fulfilment }),
        3 => (n.clone(), n.clone(), units.clone())
            .prop_map(|(fulfilment, line, units)| H::Ship { fulfilment, line, units }),
        2 => n.clone().prop_map(|fulfilment| H::ShipAll { fulfilment }),
        1 => (n.clone(), n.clone(), units)
            .prop_map(|(fulfilment, line, units)| H::Deliver { fulfilment, line, units }),
        1 => n.prop_map(|fulfilment| H::DeliverAll { fulfilment }),
    ]
}

const ARTICLES: [&str; 4] = ["apple", "pear", "apple", "kite"];
const SAGAS: [&str; 4] = ["change 1", "change 2", "change 3", "change 4"];

fn nth<T: Clone>(mut all: impl ExactSizeIterator<Item = T>, index: usize) -> Option<T> {
    let length = all.len();
    if length == 0 { None } else { all.nth(index % length) }
}

/// Does it, and says whether it was refused.
fn happen(world: &mut World, happening: &Happening) -> bool {
    let line = |world: &World, index| nth(world.goods.lines.keys().cloned(), index);
    let fulfilment = |world: &World, index| nth(world.goods.fulfilments.keys().cloned(), index);
    let selected = |line: LineId, units| vec![Selection { line_id: line, quantity: quantity(units) }];
    let with =
        |world: &mut World, found: Option<FulfilmentId>, act: &dyn Fn(&mut World, &FulfilmentId) -> bool| {
            found.is_some_and(|fulfilment| act(world, &fulfilment))
        };
    match happening {
        Happening::Reserve { article, units } => {
            let at = (ARTICLES[*article] == "kite").then_some("partner");
            let wanted = world.wanted(ARTICLES[*article], *units, at);
            world.reserve(&[wanted], "place").is_err()
        }
        Happening::Hold { line: index, units, saga } => {
            line(world, *index).is_some_and(|line| world.hold(&line, *units, SAGAS[*saga]).is_err())
        }
        Happening::Resume { saga } => world.resume(SAGAS[*saga]).is_empty(),
        Happening::Release { saga } => world.release(SAGAS[*saga]).is_empty(),
        Happening::Unreserve => {
            world.unreserve("place");
            false
        }
        Happening::Allocate { line: index, units } => {
            line(world, *index).is_some_and(|line| world.allocate("main", &selected(line, *units)).is_err())
        }
        Happening::AllocateAll => world.allocate("main", &[]).is_err(),
        Happening::Submit { fulfilment: index } => {
            let found = fulfilment(world, *index);
            with(world, found, &|world, id| world.submit(id).is_err())
        }
        Happening::Ship { fulfilment: index, line: of, units } => {
            let (found, of) = (fulfilment(world, *index), line(world, *of));
            with(world, found, &|world, id| {
                of.clone().is_some_and(|of| world.ship(id, &selected(of, *units)).is_err())
            })
        }
        Happening::ShipAll { fulfilment: index } => {
            let found = fulfilment(world, *index);
            with(world, found, &|world, id| world.ship(id, &[]).is_err())
        }
        Happening::Deliver { fulfilment: index, line: of, units } => {
            let (found, of) = (fulfilment(world, *index), line(world, *of));
            with(world, found, &|world, id| {
                of.clone().is_some_and(|of| world.deliver(id, &selected(of, *units)).is_err())
            })
        }
        Happening::DeliverAll { fulfilment: index } => {
            let found = fulfilment(world, *index);
            with(world, found, &|world, id| world.deliver(id, &[]).is_err())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_unit_is_in_exactly_one_bucket(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut world = World::new()
            .with_partner()
            .stocked("main", "apple", 12)
            .stocked("spare", "apple", 6)
            .stocked("main", "pear", 9);
        for happening in &happenings {
            let before = (world.goods.clone(), world.stock.clone());

            let refused = happen(&mut world, happening);

            world.check();
            if refused {
                prop_assert_eq!(&before, &(world.goods.clone(), world.stock.clone()), "{:?}", happening);
            }
            for (line, now) in &world.goods.lines {
                let Some(was) = before.0.lines.get(line) else { continue };
                let (was, now) = (was.counters, now.counters);
                prop_assert!(now.allocated >= was.allocated && now.deallocated >= was.deallocated);
                prop_assert!(now.submitted >= was.submitted && now.shipped >= was.shipped);
                prop_assert!(now.delivered >= was.delivered && now.shipped <= now.submitted);
            }
        }
    }

    #[test]
    fn a_hold_and_its_undo_leave_every_unit_where_it_was(
        happenings in prop::collection::vec(happening(), 1..30),
        units in 1_i64..6,
    ) {
        let mut world = World::new().with_partner().stocked("main", "apple", 40).stocked("main", "pear", 40);
        for happening in &happenings {
            happen(&mut world, happening);
        }
        let Some(line) = world.goods.lines.keys().next().cloned() else { return Ok(()) };
        let buckets = |world: &World| {
            [
                world.units(|row| row.is_active() && row.packed.is_none()),
                world.units(|row| row.is_active() && row.packed.is_some()),
                world.units(Reservation::is_held),
                world.units(Reservation::is_consumed),
            ]
        };
        let before = (buckets(&world), world.stock.clone());

        if world.hold(&line, units, "one more change").is_ok() {
            prop_assert_ne!(before.0, buckets(&world));
        }
        world.resume("one more change");

        prop_assert_eq!(before, (buckets(&world), world.stock.clone()));
        world.check();
    }
}
