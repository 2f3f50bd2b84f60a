use types::{ChangeOrderId, Reason};

use super::super::{Account, Ending, Opening, Origin, StepOutcome, Tender};
use super::{World, applied, assert_books_balance, declined, done};

fn restoring() -> Origin {
    Origin::step("sag_restore", "authorise_payments")
}

/// An account of a wholly cancelled order: everything it had captured went back.
fn emptied(world: &World) -> Account {
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_cancel", 0);
    account.settle("sag_cancel", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &done());
    assert_eq!((account.position_minor(), account.ceiling_minor), (0, 0));
    account
}

fn again(world: &World, account: &Account, amounts: &[i64]) -> Opening {
    let tenders = amounts.iter().map(|amount| world.tender(*amount)).collect();
    let order_id = account.order_id.clone();
    Opening { order_id, total_minor: 100, worth_version: super::next_worth(), ..world.opening(tenders) }
}

#[test]
fn a_restored_order_is_paid_again_up_to_its_price() {
    let world = World::new();
    let mut account = emptied(&world);
    let opening = again(&world, &account, &[60, 40]);

    let asked = account.reopen(&opening, &world.ids.mint(), &restoring(), world.moment()).unwrap();
    assert_eq!((asked, account.ceiling_minor), (StepOutcome::Pending, 100));
    world.answer_all(&mut account, &done());
    account.capture_tenders(&Origin::step("sag_restore", "capture_payments"), world.moment());
    world.answer_all(&mut account, &done());

    assert_eq!(account.position_minor(), 100);
    assert_books_balance(&account);
}

#[test]
fn tenders_pay_exactly_what_is_missing() {
    let world = World::new();
    let account = emptied(&world);
    let change: ChangeOrderId = world.ids.mint();
    for amounts in [&[99][..], &[101], &[]] {
        let opening = again(&world, &account, amounts);
        let refused = account.clone().reopen(&opening, &change, &restoring(), world.moment());
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.reason, refused.details["missing_minor"].as_str()),
            (Reason::TendersMismatch, "100")
        );
    }
}

#[test]
fn an_order_may_be_restored_before_it_is_paid_again() {
    let world = World::new();
    let mut account = emptied(&world);
    let later = Opening { pay_later: true, ..again(&world, &account, &[]) };

    let reply = applied(account.reopen(&later, &world.ids.mint(), &restoring(), world.moment()).unwrap());
    let paying = Origin::step("sag_pay", "authorise_payments");
    let opening = again(&world, &account, &[100]);
    account.reopen(&opening, &world.ids.mint(), &paying, world.moment()).unwrap();
    world.answer_all(&mut account, &done());
    account.capture_tenders(&Origin::step("sag_pay", "capture_payments"), world.moment());
    world.answer_all(&mut account, &done());

    assert_eq!((reply.missing_minor, account.position_minor(), account.ceiling_minor), (100, 100, 100));
    assert_books_balance(&account);
}

#[test]
fn what_never_went_back_needs_no_tender() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let opening = again(&world, &account, &[]);

    let reply = applied(account.reopen(&opening, &world.ids.mint(), &restoring(), world.moment()).unwrap());

    assert_eq!((reply.owed_minor, account.position_minor()), (0, 100));
}

#[test]
fn a_declined_tender_gives_the_other_and_the_ceiling_back() {
    let world = World::new();
    let mut account = emptied(&world);
    let opening = again(&world, &account, &[60, 40]);
    account.reopen(&opening, &world.ids.mint(), &restoring(), world.moment()).unwrap();
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    assert!(world.answer(&mut account, &tasks[0], &done()).is_empty());
    assert!(world.answer(&mut account, &tasks[1], &declined()).is_empty());
    let ended = world.answer_all(&mut account, &done());

    assert!(matches!(&ended[..], [ended] if matches!(ended.ending, Ending::Rejected(_))), "{ended:?}");
    assert_eq!((account.ceiling_minor, account.position_minor()), (0, 0));
    account.abandon(&restoring(), world.moment());
    assert_eq!(account.ceiling_minor, 0, "putting it back once more changes nothing");
    assert_books_balance(&account);
}

#[test]
fn what_is_paid_in_addition_is_captured_where_the_rest_was() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let later = Tender { capture_now: false, ..world.tender(50) };
    let opening = Opening { total_minor: 150, ..again(&world, &account, &[]) };
    let opening = Opening { tenders: vec![later], ..opening };
    account.reopen(&opening, &world.ids.mint(), &restoring(), world.moment()).unwrap();
    world.answer_all(&mut account, &done());

    account.capture_tenders(&Origin::step("sag_restore", "capture_payments"), world.moment());
    world.answer_all(&mut account, &done());

    assert_eq!((account.position_minor(), account.ceiling_minor), (150, 150));
    assert_books_balance(&account);
}
