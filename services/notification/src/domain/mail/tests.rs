//! Facts, preferences and mails.

use types::{Money, OrderId, Timestamp};

use super::*;
use crate::domain::address::{Locale, Preference, Recipient, Scope, choose};
use crate::domain::event::{ChangeLine, OrderState};
use crate::domain::{Renderer, messages, samples};
use types::ChangeOrderId;

const HOSTILE: &str = "10\r\nBcc: thief@evil.example\r\n\r\n<script>alert(1)</script>";

fn picture(number: &str) -> OrderPicture {
    OrderPicture {
        order_id: OrderId::parse("ord_01h455vb4pex5vsknk084sn02q").expect("the sample is well-formed"),
        number: number.to_owned(),
        state: OrderState::Confirmed,
        total: Money::parse("GBP", 1_234).expect("the sample is well-formed"),
        line_count: 1,
        units_ordered: 2,
    }
}

fn change(number: &str, sku: &str) -> Box<Change> {
    Box::new(Change {
        change_order_id: ChangeOrderId::parse("chg_01h455vb4pex5vsknk084sn02q")
            .expect("the sample is well-formed"),
        number: "CO-7".to_owned(),
        order_id: OrderId::parse("ord_01h455vb4pex5vsknk084sn02q").expect("the sample is well-formed"),
        order_number: number.to_owned(),
        kind: ChangeKind::CancelItems,
        lines: vec![ChangeLine { line_number: 1, sku: sku.to_owned(), quantity: 2 }],
        settlement: Settlement::Auto,
        cause: None,
        owed: Money::parse("GBP", 0).expect("the sample is well-formed"),
        position: None,
        exceptions: Vec::new(),
        refunds: Vec::new(),
        asked_by: "supplier".to_owned(),
        created_at: "2026-11-22T02:20:00Z".to_owned(),
        gives_back: Money::parse("GBP", 999).expect("the sample is well-formed"),
        open_until: None,
        without_mail_to: Vec::new(),
    })
}

fn told(event: &Event) -> Vec<(MailTemplate, Audience)> {
    mails(event, &messages(event)).into_iter().map(|mail| (mail.template, mail.audience)).collect()
}

#[test]
fn f45_a_refund_is_called_issued_only_after_the_gateway_said_so_and_delayed_until_then() {
    let amount = Money::parse("GBP", 500).unwrap();
    let with = |state| {
        let refunds = vec![Refund { state, amount, releases_authorisation: false }];
        Event::ChangeCompleted { change: Box::new(Change { refunds, ..*change("1042", "PEN") }) }
    };

    let issued =
        |state| told(&with(state)).iter().any(|(template, _)| *template == MailTemplate::RefundIssued);
    assert!(issued(RefundState::Succeeded));
    for state in [RefundState::Pending, RefundState::Reversed, RefundState::Unsettled] {
        assert!(!issued(state), "{state:?}");
    }
    assert_eq!(
        told(&with(RefundState::Pending)),
        [(MailTemplate::RefundDelayed, Audience::Buyer), (MailTemplate::RefundDelayed, Audience::Staff)]
    );
}

#[test]
fn b21_b23_a_cancellation_is_mailed_to_buyer_client_supplier_and_staff() {
    let event = Event::ChangeCommitted {
        change: change("1042", "PEN"),
        before: picture("1042"),
        after: picture("1042"),
    };

    assert_eq!(
        told(&event),
        [
            (MailTemplate::CancellationConfirmed, Audience::Client),
            (MailTemplate::CancellationConfirmed, Audience::Buyer),
            (MailTemplate::SupplierNotice, Audience::Supplier),
            (MailTemplate::CancellationConfirmed, Audience::Staff),
        ]
    );
    assert_eq!(told(&Event::ChangeAccepted { change: change("1042", "PEN") }), []);
}

#[test]
fn a_text_from_outside_begins_no_header_and_no_element() {
    let event = Event::ChangeCommitted {
        change: change(HOSTILE, HOSTILE),
        before: picture(HOSTILE),
        after: picture(HOSTILE),
    };

    for mail in mails(&event, &messages(&event)) {
        for locale in Locale::ALL {
            let rendered = Renderer::embedded().render(mail.template, locale, &mail.facts).unwrap();
            assert!(!rendered.subject.contains(['\r', '\n']), "{}", rendered.subject);
            assert!(!rendered.text.contains("\nBcc:") && !rendered.text.contains('\r'), "{}", rendered.text);
            assert!(!rendered.html.contains("<script>"), "{}", rendered.html);
        }
    }
    // Even facts that were never cleaned make one line.
    let facts = serde_json::json!({ "order": { "number": HOSTILE, "total": "1", "lines": 1, "units": 1 } });
    let rendered = Renderer::embedded().render(MailTemplate::OrderConfirmed, Locale::En, &facts).unwrap();
    assert!(!rendered.subject.contains(['\r', '\n']));
}

#[test]
fn a_fact_that_is_missing_is_an_error_and_not_a_gap() {
    let problem = Renderer::embedded()
        .render(MailTemplate::OrderConfirmed, Locale::En, &serde_json::json!({ "order": {} }))
        .unwrap_err();

    assert!(problem.detail.contains("undefined"), "{problem}");
}

#[test]
fn every_template_says_something_in_every_locale() {
    for template in MailTemplate::ALL {
        let said = Locale::ALL
            .map(|locale| Renderer::embedded().render(template, locale, &samples(template)[0]).unwrap());
        assert_ne!(said[0].text, said[1].text, "{template:?}");
        for rendered in said {
            assert!(
                rendered.html.contains("<p>") && rendered.text.len() > 20 && !rendered.subject.is_empty()
            );
        }
        assert_eq!(MailTemplate::parse(template.as_str()), Some(template));
    }
}

#[test]
fn the_most_specific_preference_decides() {
    let at = Timestamp::UNIX_EPOCH;
    let recipient = Recipient {
        scope: Scope::Everything,
        audience: Audience::Buyer,
        address: "a@shop.example".to_owned(),
        name: String::new(),
        locale: None,
        is_active: true,
        changed_at: at,
    };
    let wish = |address: &str, template: &str, locale, email| Preference {
        audience: Audience::Buyer,
        address: address.to_owned(),
        template: template.to_owned(),
        locale,
        email,
        changed_at: at,
    };
    let preferences = [
        wish("", "", Some(Locale::De), false),
        wish("", "refund.issued", None, true),
        wish("a@shop.example", "", None, true),
        wish("a@shop.example", "order.confirmed", None, false),
        wish("b@shop.example", "refund.issued", None, false),
    ];
    let chosen = |preferences: &[Preference], template: &str| {
        let choice = choose(preferences, &recipient, template);
        (choice.email, choice.locale)
    };

    assert_eq!(chosen(&[], "refund.issued"), (true, Locale::En));
    assert_eq!(chosen(&preferences[..1], "refund.issued"), (false, Locale::De));
    assert_eq!(chosen(&preferences[..2], "refund.issued"), (true, Locale::De));
    assert_eq!(chosen(&preferences, "cancellation.confirmed"), (true, Locale::De));
    assert_eq!(chosen(&preferences, "order.confirmed"), (false, Locale::De));
}
