//! The table, event by event, and what no message may claim.

use types::{AttentionId, ChangeOrderId, Money, OrderId};

use super::*;

const ORDER: &str = "ord_01h455vb4pex5vsknk084sn02q";
const CHANGE: &str = "chg_01h455vb4pex5vsknk084sn02q";

fn money(minor: i64) -> Money {
    Money::parse("GBP", minor).unwrap()
}

fn order(state: OrderState) -> OrderPicture {
    OrderPicture {
        order_id: OrderId::parse(ORDER).unwrap(),
        number: "1042".to_owned(),
        state,
        total: money(1_234),
        line_count: 2,
        units_ordered: 5,
    }
}

fn change() -> Box<Change> {
    Box::new(Change {
        change_order_id: ChangeOrderId::parse(CHANGE).unwrap(),
        number: "CO-7".to_owned(),
        order_id: OrderId::parse(ORDER).unwrap(),
        order_number: "1042".to_owned(),
        kind: ChangeKind::CancelItems,
        lines: vec![
            ChangeLine { line_number: 1, sku: "PEN".to_owned(), quantity: 3 },
            ChangeLine { line_number: 2, sku: "CUP".to_owned(), quantity: 1 },
        ],
        settlement: Settlement::Auto,
        cause: None,
        owed: money(0),
        position: None,
        exceptions: Vec::new(),
        refunds: Vec::new(),
        asked_by: "supplier".to_owned(),
        created_at: "2026-11-22T02:20:00Z".to_owned(),
        gives_back: money(999),
        open_until: None,
        without_mail_to: Vec::new(),
    })
}

fn completed(refunds: &[(RefundState, i64, bool)], owed: i64) -> Event {
    let refunds = refunds
        .iter()
        .map(|(state, minor, releases)| Refund {
            state: *state,
            amount: money(*minor),
            releases_authorisation: *releases,
        })
        .collect();
    Event::ChangeCompleted { change: Box::new(Change { refunds, owed: money(owed), ..*change() }) }
}

fn cause(reason: &str) -> Cause {
    Cause { reason: reason.to_owned(), message: "worker 7 said no".to_owned() }
}

/// "template audience, …"
fn told(event: &Event) -> String {
    let rows: Vec<String> = messages(event)
        .iter()
        .map(|message| format!("{} {}", message.template.as_str(), message.audience.as_str()))
        .collect();
    rows.join(", ")
}

fn to(event: &Event, audience: Audience) -> Message {
    messages(event).into_iter().find(|message| message.audience == audience).unwrap()
}

#[test]
fn an_order_tells_how_its_placement_ended() {
    let placed = |state| told(&Event::OrderPlaced { order: order(state), elsewhere: false });
    let failed = Event::OrderPlacementFailed {
        order: order(OrderState::PlacementFailed),
        cause: cause("PAYMENT_DECLINED"),
    };

    assert_eq!(placed(OrderState::Confirmed), "order.confirmed buyer, order.confirmed supplier");
    assert_eq!(placed(OrderState::Pending), "order.placed buyer, order.placed supplier");
    assert_eq!(told(&failed), "order.placement_failed buyer, order.placement_failed staff");
    assert!(to(&failed, Audience::Buyer).body.contains("the payment was declined"));
}

#[test]
fn progress_is_told_once() {
    let progressed = |before, after| told(&Event::OrderProgressed { order: order(after), before });

    for after in [OrderState::Confirmed, OrderState::Processing] {
        let told = progressed(OrderState::Pending, after);
        assert_eq!(told, "order.confirmed buyer, order.confirmed supplier", "{after:?}");
    }
    for (after, expected) in [
        (OrderState::PartiallyShipped, "order.partially_shipped buyer"),
        (OrderState::Shipped, "order.shipped buyer"),
        (OrderState::OutForDelivery, "order.out_for_delivery buyer"),
        (OrderState::PartiallyDelivered, "order.partially_delivered buyer"),
        (OrderState::Delivered, "order.delivered buyer"),
        (OrderState::Returned, "order.returned buyer"),
        // Told by the placement, by the change order, or of no interest outside.
        (OrderState::Confirmed, ""),
        (OrderState::Processing, ""),
        (OrderState::Cancelled, ""),
        (OrderState::ClosedMixed, ""),
        (OrderState::Pending, ""),
        (OrderState::PlacementFailed, ""),
    ] {
        assert_eq!(progressed(OrderState::Processing, after), expected, "{after:?}");
    }
    assert_eq!(progressed(OrderState::Placing, OrderState::Confirmed), "");
}

#[test]
fn a_cancellation_is_told_at_each_turn_to_everybody_concerned() {
    let everybody = |template| format!("{template} buyer, {template} supplier, {template} staff");
    let pictures = (order(OrderState::Confirmed), order(OrderState::Cancelled));

    let accepted = Event::ChangeAccepted { change: change() };
    let committed = Event::ChangeCommitted { change: change(), before: pictures.0, after: pictures.1 };
    let rejected = Event::ChangeRejected {
        change: Box::new(Change { cause: Some(cause("SHIPPED_FIRST")), ..*change() }),
    };

    assert_eq!(told(&accepted), everybody("cancellation.requested"));
    assert_eq!(told(&committed), everybody("cancellation.confirmed"));
    assert_eq!(told(&rejected), everybody("cancellation.rejected"));
    assert!(to(&accepted, Audience::Buyer).body.contains("3 × PEN (line 1), 1 × CUP (line 2)"));
    assert!(to(&rejected, Audience::Buyer).body.contains("the goods had already been shipped"));
}

#[test]
fn only_a_committed_change_says_confirmed() {
    for event in [
        Event::ChangeAccepted { change: change() },
        Event::ChangeRejected { change: change() },
        completed(&[(RefundState::Succeeded, 500, false)], 0),
        completed(&[], 500),
    ] {
        for message in messages(&event) {
            assert_ne!(message.template, Template::CancellationConfirmed, "{event:?}");
            assert!(!message.body.contains("confirmed"), "{}", message.body);
        }
    }
}

#[test]
fn only_a_succeeded_refund_says_issued() {
    let issued = completed(&[(RefundState::Succeeded, 500, false)], 0);
    assert_eq!(told(&issued), "refund.issued buyer, refund.issued staff");
    assert!(to(&issued, Audience::Buyer).body.contains("GBP 5.00"));

    for refunds in [
        &[(RefundState::Unsettled, 500, false)][..],
        &[(RefundState::Reversed, 500, false)],
        &[(RefundState::Succeeded, 500, true)],
        &[],
    ] {
        for owed in [0, 700] {
            for message in messages(&completed(refunds, owed)) {
                assert_ne!(message.template, Template::RefundIssued, "{refunds:?}");
                assert!(!message.body.contains("Refund issued"), "{}", message.body);
            }
        }
    }
}

#[test]
fn the_weightiest_outcome_names_the_message_and_the_others_stand_in_it() {
    let mixed = completed(&[(RefundState::Succeeded, 500, false), (RefundState::Succeeded, 300, true)], 700);
    assert_eq!(told(&mixed), "refund.issued buyer, refund.owed staff");
    for fact in ["Refund issued: GBP 5.00.", "Payment hold released: GBP 3.00.", "Still owed: GBP 7.00."] {
        assert!(to(&mixed, Audience::Buyer).body.contains(fact), "{fact}");
        assert!(to(&mixed, Audience::Staff).body.contains(fact), "{fact}");
    }

    assert_eq!(told(&completed(&[(RefundState::Succeeded, 300, true)], 0)), "authorisation.released buyer");
    assert_eq!(told(&completed(&[], 700)), "refund.owed buyer, refund.owed staff");
    assert_eq!(
        told(&completed(&[(RefundState::Reversed, 500, false)], 500)),
        "refund.reversed buyer, refund.reversed staff"
    );
    assert_eq!(told(&completed(&[], 0)), "");
}

#[test]
fn a_proposal_claims_no_change_and_a_restoration_no_cancellation() {
    let of = |kind| Change { kind, ..*change() };
    let proposal = Event::ChangeAccepted {
        change: Box::new(Change {
            open_until: Some("2026-11-24T12:00:00Z".to_owned()),
            ..of(ChangeKind::EditQuantity)
        }),
    };
    let restored = Event::ChangeCommitted {
        change: Box::new(of(ChangeKind::Restore)),
        before: order(OrderState::Cancelled),
        after: order(OrderState::Confirmed),
    };
    let withdrawn = Event::ChangeProposed { change: Box::new(of(ChangeKind::Withdrawal)) };

    assert!(told(&proposal).starts_with("amendment.proposed buyer"));
    assert!(to(&proposal, Audience::Buyer).body.contains("Nothing has changed yet"));
    assert!(told(&restored).starts_with("order.restored buyer"));
    assert!(!to(&restored, Audience::Buyer).body.contains("ancel"));
    assert!(told(&withdrawn).starts_with("withdrawal.acknowledged buyer, change.requested supplier"));
    for kind in [ChangeKind::EditQuantity, ChangeKind::ShippingAdjust, ChangeKind::RefundOnly] {
        let accepted = told(&Event::ChangeAccepted { change: Box::new(of(kind)) });
        let rejected = told(&Event::ChangeRejected { change: Box::new(of(kind)) });
        assert!(accepted.starts_with("change.requested") && rejected.starts_with("change.rejected"));
    }
}

#[test]
fn exceptions_are_told_to_staff() {
    let exceptions = vec![cause("REFUND_DECLINED")];
    let event = Event::ChangeCompleted { change: Box::new(Change { exceptions, ..*change() }) };

    assert_eq!(told(&event), "cancellation.exceptions staff");
    assert!(to(&event, Audience::Staff).body.contains("REFUND_DECLINED: worker 7 said no"));
}

#[test]
fn attention_is_told_to_staff_alone() {
    let item = AttentionItem {
        attention_id: AttentionId::parse("att_01h455vb4pex5vsknk084sn02q").unwrap(),
        order_id: Some(OrderId::parse(ORDER).unwrap()),
        change_order_id: None,
        cause: cause("NO_ANSWER_IN_TIME"),
    };

    assert_eq!(told(&Event::AttentionOpened { item }), "attention.opened staff");
}

#[test]
fn a_developers_sentence_stays_inside() {
    let rejected = Event::ChangeRejected {
        change: Box::new(Change { cause: Some(cause("SOMETHING_NEWER")), ..*change() }),
    };

    assert!(to(&rejected, Audience::Staff).body.contains("SOMETHING_NEWER: worker 7 said no"));
    for audience in [Audience::Buyer, Audience::Supplier] {
        assert!(!to(&rejected, audience).body.contains("worker 7"));
    }
}

#[test]
fn a_text_from_outside_can_neither_break_a_line_nor_fill_a_message() {
    let mut hostile = *change();
    hostile.order_number = format!("10\n42\u{202e}{}", "x".repeat(10_000));
    hostile.lines = (1..=100)
        .map(|line_number| ChangeLine { line_number, sku: "S\u{0}KU".repeat(200), quantity: 1 })
        .collect();

    for message in messages(&Event::ChangeAccepted { change: Box::new(hostile) }) {
        let text = format!("{}{}", message.subject, message.body);
        assert!(!text.contains(['\n', '\u{0}', '\u{202e}']));
        assert!(message.subject.chars().count() <= 200 && message.body.chars().count() <= 2_000);
    }
}

#[test]
fn an_event_tells_an_audience_one_thing_at_most() {
    let picture = || order(OrderState::Confirmed);
    for event in [
        Event::OrderPlaced { order: picture(), elsewhere: false },
        Event::ChangeCommitted { change: change(), before: picture(), after: picture() },
        completed(&[(RefundState::Succeeded, 1, false), (RefundState::Reversed, 1, false)], 1),
    ] {
        let mut audiences: Vec<Audience> = messages(&event).iter().map(|message| message.audience).collect();
        audiences.sort_unstable();
        let told = audiences.len();
        audiences.dedup();
        assert_eq!(audiences.len(), told, "{event:?}");
    }
}

#[test]
fn names_are_read_back_as_they_are_written() {
    for template in Template::ALL {
        assert_eq!(Template::parse(template.as_str()), Some(template));
    }
    for audience in Audience::ALL {
        assert_eq!(Audience::parse(audience.as_str()), Some(audience));
    }
    for channel in Channel::ALL {
        assert_eq!(Channel::parse(channel.as_str()), Some(channel));
    }
}
