//! What a quote is good for, and everything it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::{Fingerprint, Reason, Refusal, Subject, Tenant, Timestamp};

use super::world::preview;
use super::world::{cancelled, everything, foreign_ids, ids, items, new_line, new_order, now, open};
use crate::domain::change::ChangeRequest;
use crate::domain::order::Order;
use crate::domain::quote::{Bearer, Moves, Presented, Quote, QuoteKey, VALIDITY, issue, redeem};

fn tea() -> Order {
    open(new_order(vec![new_line(3, "1.00"), new_line(2, "5.00")]), &ids())
}

fn key() -> QuoteKey {
    QuoteKey::new("a secret of thirty-two characters")
}

fn ada() -> Subject {
    Subject::of("https://id.example", "ada", "shop")
}

fn quoted(order: &Order, request: &ChangeRequest) -> Quote {
    issue(&key(), order, request, &preview(order, request).unwrap(), None, (&ada(), now()))
}

fn redeemed(quote: &str, order: &Order, request: &ChangeRequest, at: Timestamp) -> Result<(), Refusal> {
    redeemed_by(Bearer::Subject(ada()), quote, order, request, at)
}

fn redeemed_by(
    by: Bearer,
    quote: &str,
    order: &Order,
    request: &ChangeRequest,
    at: Timestamp,
) -> Result<(), Refusal> {
    let presented = Presented { quote_id: quote.to_owned(), by };
    redeem(&key(), &presented, order, request, &preview(order, request).unwrap(), at).map(drop)
}

#[test]
fn a_quote_is_for_who_asked_for_it() {
    let order = tea();
    let request = everything(&order);
    let quote = quoted(&order, &request).quote_id;
    let others = [
        Subject::of("https://id.other", "ada", "shop"),
        Subject::of("https://id.example", "bob", "shop"),
        Subject::of("https://id.example", "ada", "other"),
        Subject::of("", "ada", "shop"),
    ];

    for other in others {
        let refused = redeemed_by(Bearer::Subject(other), &quote, &order, &request, now()).unwrap_err();
        assert_eq!(refused.reason, Reason::QuoteInvalid);
    }
    assert_eq!(redeemed_by(Bearer::Subject(ada()), &quote, &order, &request, now()), Ok(()));
    assert_eq!(redeemed_by(Bearer::Anyone, &quote, &order, &request, now()), Ok(()));
}

#[test]
fn a_quote_holds_for_its_request_until_it_expires() {
    let order = tea();
    let request = items(&order, &[(1, 1)]);
    let quote = quoted(&order, &request);
    let last = now().plus(VALIDITY).minus(Duration::from_micros(1));

    assert_eq!(quote.expires_at, now().plus(VALIDITY));
    assert_eq!(redeemed(&quote.quote_id, &order, &request, last), Ok(()));
    let expired = redeemed(&quote.quote_id, &order, &request, quote.expires_at).unwrap_err();
    assert_eq!(expired.reason, Reason::QuoteExpired);
}

#[test]
fn a_quote_is_for_one_request_of_one_order() {
    let order = tea();
    let request = items(&order, &[(1, 1)]);
    let quote = quoted(&order, &request);
    let mut other_order = order.clone();
    other_order.order_id = foreign_ids().mint();
    let mut other_tenant = order.clone();
    other_tenant.tenant = Tenant::parse("other").unwrap();

    let other_request = redeemed(&quote.quote_id, &order, &items(&order, &[(1, 2)]), now()).unwrap_err();
    let other_order = redeemed(&quote.quote_id, &other_order, &request, now()).unwrap_err();
    let other_tenant = redeemed(&quote.quote_id, &other_tenant, &request, now()).unwrap_err();

    assert_eq!(other_request.reason, Reason::QuoteMismatch);
    assert_eq!(other_order.reason, Reason::QuoteMismatch);
    assert_eq!(other_tenant.reason, Reason::QuoteInvalid);
}

#[test]
fn a_quote_is_stale_after_another_change_and_tells_the_difference() {
    let mut line = new_line(3, "0.34");
    line.line_discount_minor = 2;
    let mut order = open(new_order(vec![line]), &ids());
    let request = items(&order, &[(1, 1)]);
    let quote = quoted(&order, &request);
    cancelled(&mut order, &request, &ids()).unwrap();

    let stale = redeemed(&quote.quote_id, &order, &request, now()).unwrap_err();

    assert_eq!(stale.reason, Reason::QuoteStale);
    assert_eq!(stale.details["quoted_amount_minor"], "33");
    assert_eq!(stale.details["difference_minor"], "1");
}

#[test]
fn a_quote_stays_good_when_part_of_the_order_ships() {
    let mut order = tea();
    let request = items(&order, &[(1, 1)]);
    let quote = quoted(&order, &request);

    order.lines[1].quantities = order.lines[1].quantities.ship(2).unwrap();
    order.version += 1;

    assert_eq!(redeemed(&quote.quote_id, &order, &request, now()), Ok(()));
}

#[test]
fn nothing_but_our_own_signature_makes_a_quote() {
    let order = tea();
    let request = everything(&order);
    let quote = quoted(&order, &request).quote_id;
    let (payload, signature) = quote.split_once('.').unwrap();
    let cheaper =
        String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap().replace("1300", "9300");
    let foreign = issue(
        &QuoteKey::new("another secret"),
        &order,
        &request,
        &preview(&order, &request).unwrap(),
        None,
        (&ada(), now()),
    );
    let forged = [
        format!("{}.{signature}", URL_SAFE_NO_PAD.encode(cheaper)),
        format!("{payload}."),
        payload.to_owned(),
        format!("{quote}A"),
        foreign.quote_id,
        ".".to_owned(),
        String::new(),
    ];

    for forged in forged {
        assert_eq!(
            redeemed(&forged, &order, &request, now()).unwrap_err().reason,
            Reason::QuoteInvalid,
            "{forged}"
        );
    }
}

#[test]
fn the_key_never_shows_in_debug_output() {
    assert!(!format!("{:?}", key()).contains("secret"));
}

#[test]
fn a_quote_keeps_what_was_to_move_of_each_tender() {
    let order = tea();
    let request = items(&order, &[(1, 1)]);
    let tenders = BTreeMap::from([("pay_2".to_owned(), 60), ("pay_1".to_owned(), 40)]);
    let moves = Moves { amount_minor: 100, fingerprint: Fingerprint::of_amounts(&tenders) };
    let priced = preview(&order, &request).unwrap();

    let quote = issue(&key(), &order, &request, &priced, Some(&moves), (&ada(), now()));

    let presented = Presented { quote_id: quote.quote_id, by: Bearer::Anyone };
    let kept = redeem(&key(), &presented, &order, &request, &priced, now()).unwrap();
    assert_eq!(kept, Some(moves));
}
