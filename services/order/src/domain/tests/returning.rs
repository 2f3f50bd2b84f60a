//! Returns and short shipments: by example.

use std::time::Duration;

use types::{Fingerprint, Ids, Quantity, Reason, Timestamp};

use super::world::{actor, cancelled, ids, items, new_line, new_order, now, open};
use crate::domain::change::{ChangeOrder, LineKey};
use crate::domain::lifecycle::{
    Accepted, Author, Counted, Opening, Settled, ShortShipRequest, accept_return, accept_short_ship,
    close_return, commit, commit_return, expire_return, finish, open_return, receive_return, reject_return,
};
use crate::domain::order::{Actor, ExternalReference, InBundle, Order, OrderState, Parties};
use crate::domain::placing::NewLine;
use crate::domain::policy::default_policy;
use crate::domain::returns::{Return, ReturnState};
use crate::domain::verify::verify;

fn author(ids: &Ids, actor: Actor, now: Timestamp) -> Author<'static> {
    Author { policy: default_policy(), change_order_id: ids.mint(), saga_id: ids.mint(), actor, now }
}

/// Three at 3.33 with 1.00 off and 0.40 tax, and two at 0.50; all delivered.
fn delivered(ids: &Ids) -> Order {
    let mut new = new_order(vec![new_line(3, "3.33"), new_line(2, "0.50")]);
    new.order_discount_minor = 100;
    new.order_tax_minor = 40;
    new.parties = Parties { buyer: "acme".to_owned(), ..Parties::default() };
    let mut order = open(new, ids);
    for line in &mut order.lines {
        let shipped = line.quantities.ship(line.quantities.open).unwrap();
        line.quantities = shipped.deliver_up_to(shipped.fulfilled);
    }
    order.delivered_at = Some(now());
    order
}

fn units(lines: &[(i64, i64)]) -> Counted {
    let unit = |&(line, units): &(i64, i64)| (LineKey::Number(line), Quantity::parse(units).unwrap());
    lines.iter().map(unit).collect()
}

fn opening(order: &Order, lines: &[(i64, i64)]) -> Opening {
    Opening {
        order_id: order.order_id.clone(),
        lines: units(lines),
        reason_code: "DAMAGED".to_owned(),
        note: String::new(),
        expires_at: now().plus(Duration::from_hours(24)),
        content: Fingerprint::of(&[b"return"]),
    }
}

fn opened(order: &Order, lines: &[(i64, i64)], others: &[Return], ids: &Ids) -> Result<Return, Reason> {
    let author = author(ids, actor(), now());
    let opened = open_return(order, &opening(order, lines), others, ids.mint(), &author);
    opened.map(|(opened, _told)| opened).map_err(|refusal| refusal.reason)
}

/// All that is expected has come.
fn received(order: &Order, returned: &mut Return, lines: &[(i64, i64)], ids: &Ids) {
    let _told = receive_return(order, returned, &units(lines), "", &author(ids, actor(), now())).unwrap();
}

fn taken_back(order: &mut Order, returned: &mut Return, lines: &[(i64, i64)], ids: &Ids) -> ChangeOrder {
    let accepted: Vec<Accepted> = lines
        .iter()
        .map(|&(line, restock)| Accepted {
            line: LineKey::Number(line),
            restock,
            write_off: 0,
            warehouse_id: None,
        })
        .collect();
    let author = author(ids, actor(), now());
    let (mut change, _told) = accept_return(order, returned, &accepted, "", &author).unwrap();
    let _told = commit_return(order, &mut change, returned, now()).unwrap();
    let _told = finish(order, &mut change, Settled::default(), now()).unwrap();
    change
}

#[test]
fn what_comes_back_in_parts_sums_to_exactly_what_was_paid() {
    let ids = ids();
    let mut order = delivered(&ids);
    let placed = order.placed_minor;
    let mut back = opened(&order, &[(1, 3), (2, 2)], &[], &ids).unwrap();
    received(&order, &mut back, &[(1, 3), (2, 2)], &ids);

    let changes: Vec<ChangeOrder> = [[(1, 1)], [(1, 2)], [(2, 1)]]
        .iter()
        .map(|lines| taken_back(&mut order, &mut back, lines, &ids))
        .collect();

    assert_eq!((order.state(), back.state), (OrderState::Delivered, ReturnState::Open));
    assert_eq!(verify(&order, &changes), []);
    let mut all = changes;
    all.push(taken_back(&mut order, &mut back, &[(2, 1)], &ids));
    assert_eq!(all.iter().map(|change| change.amounts.amount).sum::<i64>(), placed);
    assert_eq!((order.state(), order.total_minor()), (OrderState::Returned, 0));
    assert_eq!(order.cancelled_by_change, None, "what came back was not cancelled");
    assert_eq!((back.state, back.undecided()), (ReturnState::Completed, 0));
    assert_eq!(verify(&order, &all), []);
}

#[test]
fn an_order_of_which_the_rest_was_cancelled_is_closed_mixed() {
    let ids = ids();
    let mut order = open(new_order(vec![new_line(3, "3.33")]), &ids);
    let request = items(&order, &[(1, 1)]);
    let mut changes = vec![cancelled(&mut order, &request, &ids).unwrap()];
    order.lines[0].quantities = order.lines[0].quantities.ship(2).unwrap();
    let mut back = opened(&order, &[(1, 2)], &[], &ids).unwrap();
    received(&order, &mut back, &[(1, 2)], &ids);

    changes.push(taken_back(&mut order, &mut back, &[(1, 2)], &ids));

    assert_eq!((order.state(), order.total_minor()), (OrderState::ClosedMixed, 0));
    assert_eq!(order.lines[0].quantities.delivered, 2, "who sends units back has had them");
    assert_eq!(verify(&order, &changes), []);
}

#[test]
fn units_come_back_through_one_return_at_a_time() {
    let ids = ids();
    let order = delivered(&ids);
    let first = opened(&order, &[(1, 2)], &[], &ids).unwrap();

    assert_eq!(
        opened(&order, &[(1, 2)], std::slice::from_ref(&first), &ids).unwrap_err(),
        Reason::QuantityExceedsAvailable
    );
    assert!(opened(&order, &[(1, 1)], std::slice::from_ref(&first), &ids).is_ok());
    let mut ended = first;
    let _told = close_return(&order, &mut ended, "", &author(&ids, actor(), now())).unwrap();
    assert!(opened(&order, &[(1, 3)], &[ended], &ids).is_ok(), "what never came may come another time");
}

#[test]
fn more_than_was_expected_is_not_received_and_more_than_came_is_not_decided() {
    let ids = ids();
    let mut order = delivered(&ids);
    let mut back = opened(&order, &[(1, 2)], &[], &ids).unwrap();
    let author = author(&ids, actor(), now());
    let before = back.clone();

    let received = receive_return(&order, &mut back, &units(&[(1, 3)]), "", &author).unwrap_err();
    assert_eq!(received.reason, Reason::QuantityExceedsAvailable);
    let rejected = reject_return(&order, &mut back, &units(&[(1, 1)]), "", &author).unwrap_err();
    assert_eq!(rejected.reason, Reason::QuantityExceedsAvailable);
    let accepted = [Accepted { line: LineKey::Number(1), restock: 1, write_off: 0, warehouse_id: None }];
    let refused = accept_return(&mut order, &back, &accepted, "", &author).unwrap_err();
    assert_eq!((refused.reason, order.change_in_progress), (Reason::QuantityExceedsAvailable, None));
    assert_eq!(back, before);
}

#[test]
fn a_rejected_unit_stays_the_buyers_and_is_not_paid_for() {
    let ids = ids();
    let order = delivered(&ids);
    let mut back = opened(&order, &[(2, 2)], &[], &ids).unwrap();
    received(&order, &mut back, &[(2, 2)], &ids);

    let author = author(&ids, actor(), now());
    let _told = reject_return(&order, &mut back, &units(&[(2, 2)]), "worn", &author).unwrap();

    assert_eq!((back.state, back.lines[0].rejected), (ReturnState::Completed, 2));
    assert_eq!(order.units().returned, 0);
}

#[test]
fn a_return_ends_by_the_clock_unless_units_wait_for_a_decision() {
    let ids = ids();
    let order = delivered(&ids);
    let mut back = opened(&order, &[(1, 2)], &[], &ids).unwrap();
    let late = back.expires_at;
    let mut waiting = back.clone();
    received(&order, &mut waiting, &[(1, 1)], &ids);

    assert!(expire_return(&order, &mut back, now()).unwrap().is_none());
    assert!(expire_return(&order, &mut waiting, late).unwrap().is_none());
    assert!(expire_return(&order, &mut back, late).unwrap().is_some());

    assert_eq!((back.state, waiting.state), (ReturnState::Expired, ReturnState::Open));
    let closed = close_return(&order, &mut waiting, "", &author(&ids, actor(), now())).unwrap_err();
    assert_eq!(closed.reason, Reason::StateConflict, "what came has to be decided");
}

#[test]
fn the_policy_says_who_may_and_how_long() {
    let ids = ids();
    let order = delivered(&ids);
    let who = |role: &str, organisation: &str, at: Timestamp| {
        let actor =
            Actor { user: "bo".to_owned(), organisation: organisation.to_owned(), role: role.to_owned() };
        let author = author(&ids, actor, at);
        let opened = open_return(&order, &opening(&order, &[(1, 1)]), &[], ids.mint(), &author);
        opened.map(drop).map_err(|refusal| refusal.reason)
    };
    let last = now().plus(Duration::from_hours(30 * 24));

    assert_eq!(who("buyer", "acme", now()), Ok(()));
    assert_eq!(who("buyer", "other", now()), Err(Reason::PermissionDenied));
    assert_eq!(who("guest", "", now()), Err(Reason::PermissionDenied));
    assert_eq!(who("buyer", "acme", last), Err(Reason::ReturnWindowClosed));
    let mut back = opened(&order, &[(1, 1)], &[], &ids).unwrap();
    let buyer = Actor { user: "bo".to_owned(), organisation: "acme".to_owned(), role: "buyer".to_owned() };
    let author = author(&ids, buyer, now());
    let received = receive_return(&order, &mut back, &units(&[(1, 1)]), "", &author).unwrap_err();
    assert_eq!(received.reason, Reason::PermissionDenied, "a buyer does not say what has come");
}

#[test]
fn what_cannot_be_shipped_leaves_the_order_without_a_fee() {
    let ids = ids();
    let mut order = open(new_order(vec![new_line(3, "3.33")]), &ids);
    order.lines[0].quantities = order.lines[0].quantities.ship(1).unwrap();
    let request = |order: &Order, units_: i64| ShortShipRequest {
        order_id: order.order_id.clone(),
        lines: units(&[(1, units_)]),
        reason_code: "OUT_OF_STOCK".to_owned(),
        note: String::new(),
        content: Fingerprint::of(&[b"short"]),
    };
    let who = author(&ids, actor(), now());
    let too_many = accept_short_ship(&mut order.clone(), &request(&order, 3), &who).unwrap_err();
    assert_eq!(too_many.reason, Reason::QuantityExceedsAvailable);

    let wish = request(&order, 2);
    let (mut change, _told) = accept_short_ship(&mut order, &wish, &who).unwrap();
    let _told = commit(&mut order, &mut change, now()).unwrap();
    let _told = finish(&mut order, &mut change, Settled::default(), now()).unwrap();

    assert_eq!((change.amounts.amount, change.amounts.fee), (666, 0));
    assert_eq!((order.units().cancelled, order.total_minor()), (2, 333));
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn a_cart_is_told_of_a_short_shipment_that_leaves_nothing() {
    let ids = ids();
    let cart = ExternalReference { system: "web".to_owned(), reference: "W-1".to_owned() };
    for (short, told) in [(2, vec![]), (3, vec![cart.clone()])] {
        let mut order = open(new_order(vec![new_line(3, "3.33")]), &ids);
        order.references = vec![cart.clone()];
        let request = ShortShipRequest {
            order_id: order.order_id.clone(),
            lines: units(&[(1, short)]),
            reason_code: "OUT_OF_STOCK".to_owned(),
            note: String::new(),
            content: Fingerprint::of(&[b"short"]),
        };

        let (change, _told) = accept_short_ship(&mut order, &request, &author(&ids, actor(), now())).unwrap();

        assert_eq!(change.terms.carts, told, "{short} of three");
    }
}

/// Two sets at 25.00, of two cups each, delivered.
fn sets(ids: &Ids) -> Order {
    let cups = NewLine { bundle: Some(InBundle { parent: 1, ratio: 2 }), ..new_line(4, "0") };
    let mut order = open(new_order(vec![new_line(2, "25.00"), cups]), ids);
    for line in &mut order.lines {
        let shipped = line.quantities.ship(line.quantities.open).unwrap();
        line.quantities = shipped.deliver_up_to(shipped.fulfilled);
    }
    order
}

#[test]
fn a_bundle_comes_back_with_its_parts() {
    let ids = ids();
    let mut order = sets(&ids);
    let mut back = opened(&order, &[(1, 2)], &[], &ids).unwrap();
    assert_eq!(back.lines.iter().map(|line| line.expected).collect::<Vec<_>>(), [2, 4]);
    received(&order, &mut back, &[(1, 1)], &ids);
    assert_eq!(back.undecided(), 3, "a set and its two cups");

    let change = taken_back(&mut order, &mut back, &[(1, 1)], &ids);

    let came_back: Vec<_> = change.terms.came_back.iter().map(|back| back.restock).collect();
    assert_eq!((change.amounts.amount, came_back), (2_500, vec![1, 2]));
    assert_eq!(verify(&order, &[change]), []);
    // One cup of the second set came broken and is named itself.
    received(&order, &mut back, &[(1, 1)], &ids);
    let accepted = [
        Accepted { line: LineKey::Number(1), restock: 1, write_off: 0, warehouse_id: None },
        Accepted { line: LineKey::Number(2), restock: 1, write_off: 1, warehouse_id: None },
    ];
    let who = author(&ids, actor(), now());
    let (second, _told) = accept_return(&mut order, &back, &accepted, "", &who).unwrap();
    assert_eq!(second.terms.came_back.iter().map(|back| back.write_off).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_part_alone_comes_back_for_nothing() {
    let ids = ids();
    let mut order = sets(&ids);
    let mut back = opened(&order, &[(2, 3)], &[], &ids).unwrap();
    received(&order, &mut back, &[(2, 3)], &ids);

    let cups = taken_back(&mut order, &mut back, &[(2, 3)], &ids);
    let sets = opened(&order, &[(1, 2)], &[], &ids).unwrap();

    assert_eq!((cups.amounts.amount, order.total_minor()), (0, 5_000));
    assert_eq!(sets.lines.iter().map(|line| line.expected).collect::<Vec<_>>(), [2, 1], "one cup is left");
}
