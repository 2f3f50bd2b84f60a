//! What is owed is one figure, however the words about it come.

use super::super::gateway::Answer;
use super::super::owing::Told;
use super::super::split::{Named, Strategy};
use super::super::{Account, Event, Reservation, Terms};
use super::{World, applied, declined, done};

/// Reserves a change that moves no money but by name.
fn by_name(world: &World, account: &Account, saga: &str, target: i64, amount_minor: i64) -> Reservation {
    let payment_id = account.payments.keys().next().unwrap().clone();
    let strategy = Strategy::Explicit(vec![Named { payment_id, amount_minor }]);
    Reservation { terms: Terms { strategy, ..Terms::default() }, ..world.reservation(saga, target) }
}

fn told(account: &Account) -> Vec<Vec<Told>> {
    let events = account.unsaved.events.iter().filter_map(|(_, event)| match event {
        Event::OwedChanged { positions, .. } => Some(positions.clone()),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_change_that_gives_all_back_needs_no_word_but_its_reply() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    let foreseen = account.told_to("sag_1").unwrap();
    account.tell_owed();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    account.tell_owed();
    world.answer_all(&mut account, &done());
    account.tell_owed();

    assert_eq!((foreseen.seq, foreseen.owed_minor), (0, 0));
    assert_eq!((account.worth_minor, account.told), (40, foreseen));
    assert_eq!((told(&account), account.owed_seq), (vec![], 0));
}

#[test]
fn what_is_reserved_for_a_change_is_owed_as_before_until_it_is_committed() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let nothing = Reservation { move_no_money: true, ..world.reservation("sag_1", 40) };
    applied(account.reserve(&nothing, world.moment()).unwrap());
    account.tell_owed();
    assert_eq!((account.owed_minor(), account.told.owed_minor), (0, 0));
    assert_eq!(account.told_to("sag_1").unwrap().owed_minor, 60);

    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    account.tell_owed();

    assert_eq!((account.owed_minor(), account.told.owed_minor, told(&account)), (60, 60, vec![]));
    // A change that is put back leaves it as it was, and its number is given to nothing else.
    world.reserve(&mut account, "sag_2", 0);
    assert_eq!(
        account.told_to("sag_2").unwrap(),
        Told { seq: 2, owed_minor: 0, ..account.holds["sag_2"].told }
    );
    account.release("sag_2", world.moment()).unwrap();
    account.tell_owed();
    assert_eq!((account.owed_minor(), account.told.seq), (60, 1));
    world.reserve(&mut account, "sag_3", 0);
    assert_eq!(account.told_to("sag_3").unwrap().seq, 3);
}

#[test]
fn a_refund_that_fails_between_reservation_and_commit_is_neither_forgotten_nor_doubled() {
    for (second_target, owed) in [(100, 900), (0, 1_000)] {
        let world = World::new();
        let mut account = world.captured(&[1_000]);
        // The first change gives 800 back and is committed; its refund is on its way.
        let first = by_name(&world, &account, "sag_1", 200, 800);
        applied(account.reserve(&first, world.moment()).unwrap());
        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
        // The second is reserved, and only then the first one's refund is declined.
        let reserved = world.reserve(&mut account, "sag_2", second_target);
        let by_second: i64 = reserved.legs.iter().map(|leg| leg.amount_minor).sum();
        world.answer_all(&mut account, &declined());
        account.tell_owed();

        let last = told(&account).pop().expect("that is news");
        let foreseen = last.iter().find(|told| told.worth_version > account.told.worth_version).unwrap();
        assert_eq!(foreseen.owed_minor, owed - by_second, "once the second is committed");
        account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();
        account.tell_owed();
        assert_eq!(account.told, *foreseen);
        world.answer_all(&mut account, &Answer::Declined { detail: "no".to_owned() });
        account.tell_owed();
        assert_eq!((account.told.owed_minor, account.owed_minor()), (owed, owed));
    }
}

#[test]
fn an_earlier_change_that_is_heard_of_after_a_later_one_changes_no_worth() {
    let world = World::new();
    let mut account = world.captured(&[1_000]);
    world.reserve(&mut account, "sag_1", 800);
    world.reserve(&mut account, "sag_2", 500);

    account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    assert_eq!((account.worth_minor, account.ceiling_minor), (500, 500));
}

#[test]
fn a_change_is_mended_once_nothing_of_it_is_owed_or_on_its_way() {
    let world = World::new();
    let mut account = world.captured(&[1_000]);
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &declined());
    account.tell_owed();
    let failed = account.refunds.keys().next().unwrap().clone();
    account.retry(&failed, None, "again", world.moment()).unwrap();
    account.tell_owed();
    assert_eq!((account.told.owed_minor, account.told_mended), (0, 0), "it is on its way");

    world.answer_all(&mut account, &done());
    account.tell_owed();

    let left = account.unsaved.events.iter().rev().find_map(|(_, event)| match event {
        Event::OwedChanged { left, .. } => Some(left.clone()),
        _ => None,
    });
    let left = left.unwrap();
    assert_eq!((left.len(), left[0].owed_minor, left[0].mended, account.told_mended), (1, 0, true, 1));
}
