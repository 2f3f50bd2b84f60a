//! The life of a change: accepted, decided or put back, ended, and what may follow.

use types::{ChangeOrderId, Reason, RefundId, Refusal};

use super::world::preview;
use super::world::{
    accepted, actor, cancelled, everything, foreign_ids, ids, items, new_line, new_order, now, open, placed,
    submission,
};
use crate::domain::change::{ChangeState, LabelAction, LineKey, Refund, Selection, Settlement};
use crate::domain::history::Fact;
use crate::domain::lifecycle::{
    Defect, LeftOwed, Settled, Withdrawal, accept, begin_unwinding, commit, fail_placement, finish,
    open_order, record_left, record_owed, record_refund, reject, withdraw,
};
use crate::domain::order::{Order, OrderState};
use crate::domain::position::Position;

fn tea() -> Order {
    open(new_order(vec![new_line(3, "1.00"), new_line(2, "5.00")]), &ids())
}

fn cause() -> Refusal {
    Refusal::new(Reason::ShippedFirst, "shipped first")
}

#[test]
fn a_cancelled_order_comes_to_nothing_and_names_its_change() {
    let mut order = tea();

    let request = everything(&order);
    let change = cancelled(&mut order, &request, &ids()).unwrap();

    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.total_minor(), 0);
    assert_eq!(order.cancelled_by_change, Some(change.change_order_id.clone()));
    assert_eq!(change.state, ChangeState::Completed);
    assert_eq!(change.amounts.amount, 1_300);
    assert_eq!(order.pricing_version, 2);
}

#[test]
fn an_accepted_change_holds_the_order_until_it_is_decided() {
    let (mut order, ids) = (tea(), ids());
    let request = items(&order, &[(1, 1)]);
    let mut first = accepted(&mut order, &request, &ids).unwrap();

    let refusal = accepted(&mut order, &request, &ids).unwrap_err();

    assert_eq!(refusal.reason, Reason::ChangeInProgress);
    assert_eq!(refusal.details["change_order_id"], first.change_order_id.as_str());
    let _told = commit(&mut order, &mut first, now()).unwrap();
    assert_eq!(first.state, ChangeState::Settling);
    assert!(accepted(&mut order, &request, &ids).is_ok());
}

#[test]
fn a_refused_change_leaves_the_order_as_it_was() {
    let mut order = tea();
    let before = order.clone();
    let request = items(&order, &[(1, 1), (2, 3)]);

    let refusal = accepted(&mut order, &request, &ids()).unwrap_err();

    assert_eq!(refusal.reason, Reason::QuantityExceedsAvailable);
    assert_eq!(refusal.field.as_deref(), Some("change.lines[1].quantity"));
    assert_eq!(refusal.details["available"], "2");
    assert_eq!(order, before);
}

#[test]
fn a_rejected_change_puts_every_unit_back() {
    let mut order = tea();
    let before = order.lines.clone();
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids()).unwrap();
    let _told = begin_unwinding(&mut change, cause(), now()).unwrap();

    let told = reject(&mut order, &mut change, Refusal::new(Reason::Withdrawn, "later"), now()).unwrap();

    assert_eq!(order.lines, before);
    assert_eq!(order.change_in_progress, None);
    assert_eq!(order.pricing_version, 1);
    assert_eq!(change.state, ChangeState::Rejected);
    assert_eq!(change.cause, Some(cause()));
    assert!(matches!(told.facts[..], [Fact::ChangeRejected { .. }]));
}

#[test]
fn the_most_telling_reason_is_given_first() {
    let ids = ids();
    let mut gone = tea();
    let request = items(&gone, &[(1, 3)]);
    cancelled(&mut gone, &request, &ids).unwrap();
    let mut shipped = tea();
    shipped.lines[0].quantities = shipped.lines[0].quantities.ship(3).unwrap();
    let mut partly = tea();
    partly.lines[0].quantities = partly.lines[0].quantities.ship(2).unwrap();

    for (order, reason) in [
        (gone, Reason::NothingToCancel),
        (shipped, Reason::ShippedFirst),
        (partly, Reason::QuantityExceedsAvailable),
    ] {
        let request = items(&order, &[(1, 2)]);
        assert_eq!(preview(&order, &request).unwrap_err().reason, reason);
    }
}

#[test]
fn a_cancelled_order_has_nothing_more_to_cancel_and_says_by_which_change() {
    let (mut order, ids) = (tea(), ids());
    let request = everything(&order);
    let change = cancelled(&mut order, &request, &ids).unwrap();

    let refusal = accepted(&mut order, &request, &ids).unwrap_err();

    assert_eq!(refusal.reason, Reason::NothingToCancel);
    assert_eq!(refusal.details["cancelled_by_change"], change.change_order_id.as_str());
}

#[test]
fn what_is_still_open_can_be_cancelled_after_a_part_has_shipped() {
    let mut order = tea();
    order.lines[0].quantities = order.lines[0].quantities.ship(3).unwrap();

    let request = everything(&order);
    let change = cancelled(&mut order, &request, &ids()).unwrap();

    assert_eq!(change.lines.len(), 1);
    assert_eq!(order.state(), OrderState::Shipped);
}

#[test]
fn a_line_named_twice_or_unknown_is_refused_by_its_path() {
    let order = tea();
    let mut twice = items(&order, &[(1, 1), (1, 1)]);
    if let Selection::Items(lines) = &mut twice.selection {
        lines[1].line = LineKey::Id(order.lines[0].line_id.clone());
    }

    let twice = preview(&order, &twice).unwrap_err();
    let unknown = preview(&order, &items(&order, &[(9, 1)])).unwrap_err();

    assert_eq!(
        (twice.reason, twice.field.as_deref()),
        (Reason::DuplicateLine, Some("change.lines[1].line_id"))
    );
    assert_eq!(
        (unknown.reason, unknown.field.as_deref()),
        (Reason::FieldInvalid, Some("change.lines[0].line_number"))
    );
}

#[test]
fn a_label_that_does_not_exist_cannot_be_voided() {
    let order = tea();
    let mut request = everything(&order);
    request.label_action = LabelAction::Void;

    assert_eq!(preview(&order, &request).unwrap_err().reason, Reason::NoLabel);
}

#[test]
fn while_placing_only_the_whole_order_can_be_cancelled() {
    let ids = ids();
    let mut order = placed(new_order(vec![new_line(3, "1.00")]), &ids).order;

    let part = items(&order, &[(1, 1)]);
    let whole = everything(&order);

    assert_eq!(accepted(&mut order, &part, &ids).unwrap_err().reason, Reason::ChangeInProgress);
    assert_eq!(preview(&order, &whole).unwrap_err().reason, Reason::ChangeInProgress);
    let mut change = accepted(&mut order, &whole, &ids).unwrap();
    assert!(matches!(open_order(&mut order, true, now()), Err(Defect::NotTheHolder { .. })));
    assert!(withdraw(&order, &mut change, &actor(), "", now()).is_err());

    let why = Refusal::new(Reason::CancelledWhilePlacing, "cancelled while placing");
    let _told = fail_placement(&mut order, Some(&mut change), why, now()).unwrap();

    assert_eq!(order.state(), OrderState::PlacementFailed);
    assert_eq!(order.units().cancelled, 3);
    assert_eq!(order.total_minor(), 0);
    assert_eq!(change.state, ChangeState::Completed);
    assert_eq!(preview(&order, &whole).unwrap_err().reason, Reason::NothingToCancel);
}

#[test]
fn an_order_that_was_never_placed_has_nothing_to_cancel() {
    let ids = ids();
    let mut order = placed(new_order(vec![new_line(3, "1.00")]), &ids).order;
    let cause = Refusal::new(Reason::InsufficientStock, "no tea");
    let _told = fail_placement(&mut order, None, cause, now()).unwrap();
    let whole = everything(&order);
    let before = order.clone();

    let seen = preview(&order, &whole).unwrap_err();
    let refused = accepted(&mut order, &whole, &ids).unwrap_err();

    assert_eq!((seen.reason, refused.reason), (Reason::NothingToCancel, Reason::NothingToCancel));
    assert_eq!(refused.details["cause"], "INSUFFICIENT_STOCK");
    assert_eq!(order, before);
}

#[test]
fn a_change_is_withdrawn_only_before_the_decision() {
    let mut order = tea();
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids()).unwrap();

    let asked = withdraw(&order, &mut change, &actor(), "sorry", now()).unwrap();
    assert!(matches!(asked, Withdrawal::AskSaga { cause, .. } if cause.reason == Reason::Withdrawn));

    let _told = commit(&mut order, &mut change, now()).unwrap();
    let refusal = withdraw(&order, &mut change, &actor(), "", now()).unwrap_err();
    assert_eq!(refusal.reason, Reason::AlreadyDecided);
}

#[test]
fn the_decision_is_not_committed_at_another_price() {
    let mut order = tea();
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids()).unwrap();
    order.lines[0].amounts.goods_net += 1;
    let before = (order.clone(), change.clone());

    let defect = commit(&mut order, &mut change, now()).unwrap_err();

    assert_eq!(defect, Defect::PriceMoved { accepted_minor: 1_300, repriced_minor: 1_301 });
    assert_eq!((order, change), before);
}

#[test]
fn only_the_holder_of_the_order_can_be_decided() {
    let mut order = tea();
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids()).unwrap();
    order.change_in_progress = Some(foreign_ids().mint::<ChangeOrderId>());

    assert!(matches!(commit(&mut order, &mut change, now()), Err(Defect::NotTheHolder { .. })));
}

#[test]
fn what_stays_owed_by_wish_is_no_exception_and_what_failed_is() {
    for (settlement, state, exceptions) in [
        (Settlement::None, ChangeState::Completed, 0),
        (Settlement::Auto, ChangeState::CompletedWithExceptions, 1),
    ] {
        let mut order = tea();
        let mut request = everything(&order);
        request.settlement = Some(settlement);
        let mut change = accept(&mut order, submission(&request, &ids())).unwrap().0;
        order.hear(Position { sequence: 1, worth_version: 2, owed_minor: 1_300 });
        let _told = commit(&mut order, &mut change, now()).unwrap();

        let settled = Settled { owed_minor: 1_300, ..Settled::default() };
        let _told = finish(&mut order, &mut change, settled, now()).unwrap();

        assert_eq!(change.state, state);
        assert_eq!(change.exceptions.len(), exceptions);
        assert_eq!((change.refund_owed_minor, order.owed().minor), (1_300, 1_300));
    }
}

#[test]
fn the_order_shows_what_payment_told_last_and_never_an_old_figure() {
    let (mut order, ids) = (tea(), ids());
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids).unwrap();
    let owed = |sequence, worth_version, owed_minor| Position { sequence, worth_version, owed_minor };

    assert!(order.hear(owed(2, 1, 500)) && !order.hear(owed(1, 1, 300)), "the newest of a decision counts");
    assert!(!order.hear(owed(3, 2, 700)) && order.owed().minor == 500, "nothing is decided yet");
    let _told = commit(&mut order, &mut change, now()).unwrap();
    assert_eq!((order.owed().minor, order.owed().sequence, order.owed().pending), (700, 3, false));
    order.decide_worth();
    assert_eq!((order.owed().minor, order.owed().pending), (0, true));
    assert!(!order.hear(owed(4, 2, 900)), "that is what was owed before");
    assert!(order.hear(owed(3, 3, 700)) && !order.owed().pending);
}

#[test]
fn a_refund_that_comes_back_is_owed_until_it_is_resolved() {
    let (mut order, ids) = (tea(), ids());
    let request = everything(&order);
    let mut change = cancelled(&mut order, &request, &ids).unwrap();
    let decided = order.worth_version;
    let owed = |sequence, owed_minor| Position { sequence, worth_version: decided, owed_minor };
    let refund = |state: &str, refund_id: &RefundId| Refund {
        refund_id: refund_id.clone(),
        state: state.to_owned(),
        amount_minor: 1_300,
        void_of_authorisation: false,
    };
    let refund_id = ids.mint::<RefundId>();
    change.refunds = vec![refund("succeeded", &refund_id)];

    let _told = record_refund(&mut order, &mut change, refund("reversed", &refund_id), None, "closed", now())
        .unwrap();

    assert_eq!(change.state, ChangeState::CompletedWithExceptions);
    let change_order_id = change.change_order_id.clone();
    let left = |owed_minor, mended| LeftOwed { change_order_id: change_order_id.clone(), owed_minor, mended };
    let _told = record_owed(&mut order, &[owed(1, 1_300)], now());
    let _told = record_left(&order, &mut change, &left(1_300, false), now());
    assert_eq!((change.refund_owed_minor, order.owed().minor), (1_300, 1_300));
    assert_eq!(order.state(), OrderState::Cancelled);
    for _ in 0..2 {
        let resolved = refund("resolved_externally", &refund_id);
        let _told = record_refund(&mut order, &mut change, resolved, None, "", now()).unwrap();
        let _told = record_owed(&mut order, &[owed(2, 0)], now());
        let _told = record_left(&order, &mut change, &left(0, true), now());
        assert_eq!((change.refund_owed_minor, order.owed().minor), (0, 0));
        assert_eq!((change.state, change.exceptions.len()), (ChangeState::Completed, 0));
    }
    assert_eq!(change.refunds.len(), 1);
}

#[test]
fn a_refund_lost_before_the_end_is_still_listed_at_the_end() {
    let (mut order, ids) = (tea(), ids());
    let request = everything(&order);
    let mut change = accepted(&mut order, &request, &ids).unwrap();
    let _told = commit(&mut order, &mut change, now()).unwrap();
    let refund = |state: &str| Refund {
        refund_id: foreign_ids().mint(),
        state: state.to_owned(),
        amount_minor: 1_300,
        void_of_authorisation: false,
    };

    let _told = record_refund(&mut order, &mut change, refund("reversed"), None, "closed", now()).unwrap();
    order.hear(Position { sequence: 1, worth_version: 2, owed_minor: 1_300 });
    let settled = Settled { refunds: vec![refund("succeeded")], owed_minor: 1_300, ..Settled::default() };
    let _told = finish(&mut order, &mut change, settled, now()).unwrap();

    assert_eq!(change.state, ChangeState::CompletedWithExceptions);
    assert_eq!(change.refunds, [refund("reversed")]);
    assert_eq!((change.refund_owed_minor, order.owed().minor), (1_300, 1_300));
}
