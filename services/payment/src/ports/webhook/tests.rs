//! Signatures that hold, signatures that do not, and what a believed body says.

use super::*;

const BODY: &[u8] = br#"{"id":"evt_1","type":"refund.updated","created":1795000000,"data":{"object":
    {"id":"re_1","object":"refund","payment_intent":"pi_1","metadata":{"refund_id":"rfd_1"}}}}"#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds_and_nanos(seconds, 0).unwrap()
}

#[test]
fn either_live_secret_is_believed_and_no_other() {
    let now = at(1_795_000_000);
    for secret in ["new", "old"] {
        let header = sign(&[secret], BODY, now);
        assert_eq!(verify(&header, BODY, &["new", "old"], now), Ok(()));
    }
    let header = sign(&["retired"], BODY, now);

    assert_eq!(verify(&header, BODY, &["new", "old"], now), Err(WebhookRefusal::SignatureWrong));
    assert_eq!(verify(&header, BODY, &[] as &[&str], now), Err(WebhookRefusal::SignatureWrong));
}

#[test]
fn an_empty_secret_proves_nothing() {
    let now = at(1_795_000_000);
    let header = sign(&[""], BODY, now);

    assert_eq!(verify(&header, BODY, &[""], now), Err(WebhookRefusal::SignatureWrong));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let now = at(1_795_000_000);
    let (_, good) =
        sign(&["secret"], BODY, now).split_once(',').map(|(t, v)| (t.to_owned(), v.to_owned())).unwrap();
    let header = format!("t=1795000000,v0=abc,v1={},{good}", "00".repeat(32));

    assert_eq!(verify(&header, BODY, &["secret"], now), Ok(()));
}

#[test]
fn a_changed_body_or_time_is_forged() {
    let now = at(1_795_000_000);
    let header = sign(&["secret"], BODY, now);
    let mut body = BODY.to_vec();
    body[10] ^= 1;
    let later = header.replace("t=1795000000", "t=1795000001");

    assert_eq!(verify(&header, &body, &["secret"], now), Err(WebhookRefusal::SignatureWrong));
    assert_eq!(verify(&later, BODY, &["secret"], now), Err(WebhookRefusal::SignatureWrong));
}

#[test]
fn a_delivery_is_believed_for_five_minutes_either_way() {
    let header = sign(&["secret"], BODY, at(1_795_000_000));

    for (now, verdict) in [
        (1_795_000_300, Ok(())),
        (1_794_999_700, Ok(())),
        (1_795_000_301, Err(WebhookRefusal::OutOfTime)),
        (1_794_999_699, Err(WebhookRefusal::OutOfTime)),
    ] {
        assert_eq!(verify(&header, BODY, &["secret"], at(now)), verdict, "{now}");
    }
}

#[test]
fn malformed_headers_are_refused() {
    let good = "0".repeat(64);
    let many = format!("t=1{}", format!(",v1={good}").repeat(9));
    for header in [
        "",
        "t=1",
        &format!("v1={good}"),
        &format!("t=x,v1={good}"),
        "t=1,v1=zz",
        &format!("t=1,t=2,v1={good}"),
        &format!("t=1,v1={}é", &good[..62]),
        &format!("t=1,v0={good}"),
        &many,
    ] {
        let verdict = verify(header, BODY, &["secret"], at(1));
        assert_eq!(verdict, Err(WebhookRefusal::HeaderMalformed), "{header:?}");
    }
}

#[test]
fn a_refund_event_names_the_refund_and_its_payment() {
    let event = parse("stripe", BODY).unwrap();

    assert_eq!(event.kind, EventKind::Refund);
    assert_eq!((event.event_id.as_str(), event.gateway_reference.as_str()), ("evt_1", "re_1"));
    assert_eq!((event.payment_reference.as_str(), event.our_reference.as_deref()), ("pi_1", Some("rfd_1")));
    assert_eq!(event.happened_at, at(1_795_000_000));
}

#[test]
fn every_type_of_event_is_sorted() {
    for (kind, object, expected, payment) in [
        ("charge.refund.updated", r#"{"id":"re_1","charge":"ch_1"}"#, EventKind::Refund, "ch_1"),
        ("charge.refunded", r#"{"id":"ch_1","payment_intent":{"id":"pi_1"}}"#, EventKind::Payment, "pi_1"),
        ("payment_intent.succeeded", r#"{"id":"pi_1"}"#, EventKind::Payment, "pi_1"),
        ("charge.dispute.created", r#"{"id":"dp_1","payment_intent":"pi_1"}"#, EventKind::Dispute, "pi_1"),
        ("customer.created", r#"{"id":"cus_1"}"#, EventKind::Other, ""),
        ("balance.available", r#"{"object":"balance"}"#, EventKind::Other, ""),
    ] {
        let body = format!(r#"{{"id":"evt_1","type":"{kind}","created":1,"data":{{"object":{object}}}}}"#);
        let event = parse("stripe", body.as_bytes()).unwrap();
        assert_eq!((event.kind, event.payment_reference.as_str()), (expected, payment), "{kind}");
    }
}

#[test]
fn what_is_not_an_event_is_refused() {
    let long = format!(r#"{{"id":"{}","type":"x","created":1,"data":{{"object":{{}}}}}}"#, "e".repeat(256));
    let hollow = r#"{"id":"evt_\u0000","type":"x","created":1,"data":{"object":{"id":"re_1"}}}"#;
    let lines = r#"{"id":"evt_1","type":"x","created":1,"data":{"object":{"id":"re_1\nre_2"}}}"#;
    let empty = r#"{"id":"","type":"x","created":1,"data":{"object":{}}}"#;
    for body in ["", "[]", "{}", empty, &long, hollow, lines] {
        assert_eq!(parse("stripe", body.as_bytes()), Err(WebhookRefusal::BodyUnreadable), "{body}");
    }
}
