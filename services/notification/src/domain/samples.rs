//! Facts to try templates with. Where an event of ours carries a mail, its sample comes from a sample event by the same
//! rules that make the real one; the other templates have the facts that their event will carry.

use serde_json::{Value, json};
use types::{AttentionId, ChangeOrderId, Money, OrderId};

use super::event::{
    AttentionItem, Cause, Change, ChangeKind, ChangeLine, Event, OrderPicture, OrderState, Refund,
    RefundState, Settlement,
};
use super::mail::{MailTemplate, Owed, digest, mails};
use super::messages;

/// Every shape the template's facts may have; the first is the one to preview.
pub fn samples(template: MailTemplate) -> Vec<Value> {
    match template {
        MailTemplate::AmendmentProposed => vec![json!({
            "order": { "number": "1042" },
            "change": {
                "number": "CO-000007", "whole_order": false, "more_lines": 0,
                "lines": [{ "number": 1, "sku": "PEN-1", "quantity": 3 }],
            },
            "proposal": { "by": "supplier", "expires_at": "2026-11-24 12:00 UTC", "total": "GBP 9.99" },
        })],
        MailTemplate::WithdrawalAcknowledged => vec![json!({
            "order": { "number": "1042" },
            "withdrawal": { "number": "CO-000007", "received_at": "2026-11-22 02:20 UTC" },
        })],
        MailTemplate::OrderRestored => vec![json!({
            "order": { "number": "1042", "total": "GBP 12.34", "lines": 2, "units": 5 },
            "change": { "number": "CO-000008" },
        })],
        MailTemplate::OwedDigest => {
            let owed = Owed {
                order_id: "ord_01h455vb4pex5vsknk084sn02q".to_owned(),
                amount: "GBP 12.34".to_owned(),
                since: "2026-11-21".to_owned(),
            };
            vec![digest("2026-11-22", std::slice::from_ref(&owed), 3), digest("2026-11-22", &[owed], 1)]
        }
        MailTemplate::OrderConfirmed
        | MailTemplate::CancellationConfirmed
        | MailTemplate::SupplierNotice
        | MailTemplate::RefundIssued
        | MailTemplate::RefundDelayed
        | MailTemplate::AttentionOpened => carried(template),
    }
}

fn carried(template: MailTemplate) -> Vec<Value> {
    let told = events().into_iter().flat_map(|event| mails(&event, &messages(&event)));
    let mut samples: Vec<Value> =
        told.filter(|mail| mail.template == template).map(|mail| mail.facts).collect();
    samples.dedup();
    samples
}

fn events() -> Vec<Event> {
    let committed = |change, after| Event::ChangeCommitted {
        change,
        before: picture(OrderState::Confirmed, 1_234),
        after: picture(after, 0),
    };
    let completed = |refunds, owed| Event::ChangeCompleted {
        change: Box::new(Change { refunds, owed: money(owed), ..*change(ChangeKind::CancelOrder, 2) }),
    };
    let attention = |change_order_id, order_id| Event::AttentionOpened {
        item: AttentionItem {
            attention_id: AttentionId::parse("att_01h455vb4pex5vsknk084sn02q").expect("the sample is an id"),
            order_id,
            change_order_id,
            cause: cause(),
        },
    };
    vec![
        Event::OrderPlaced { order: picture(OrderState::Confirmed, 1_234) },
        committed(change(ChangeKind::CancelOrder, 2), OrderState::Cancelled),
        committed(
            Box::new(Change { settlement: Settlement::None, ..*change(ChangeKind::CancelItems, 60) }),
            OrderState::Confirmed,
        ),
        completed(vec![refund(RefundState::Succeeded, false), refund(RefundState::Succeeded, true)], 700),
        completed(vec![refund(RefundState::Succeeded, false)], 0),
        completed(vec![refund(RefundState::Pending, false)], 0),
        attention(Some(change_id()), Some(order_id())),
        attention(None, None),
    ]
}

fn money(minor: i64) -> Money {
    Money::parse("GBP", minor).expect("GBP is a currency")
}

fn order_id() -> OrderId {
    OrderId::parse("ord_01h455vb4pex5vsknk084sn02q").expect("the sample is an id")
}

fn change_id() -> ChangeOrderId {
    ChangeOrderId::parse("chg_01h455vb4pex5vsknk084sn02q").expect("the sample is an id")
}

fn cause() -> Cause {
    Cause { reason: "REFUND_DECLINED".to_owned(), message: "the card was closed".to_owned() }
}

fn refund(state: RefundState, releases_authorisation: bool) -> Refund {
    Refund { state, amount: money(1_234), releases_authorisation }
}

fn picture(state: OrderState, total: i64) -> OrderPicture {
    OrderPicture {
        order_id: order_id(),
        number: "1042".to_owned(),
        state,
        total: money(total),
        line_count: 2,
        units_ordered: 5,
    }
}

fn change(kind: ChangeKind, lines: i64) -> Box<Change> {
    Box::new(Change {
        change_order_id: change_id(),
        number: "CO-000007".to_owned(),
        order_id: order_id(),
        order_number: "1042".to_owned(),
        kind,
        lines: (1..=lines)
            .map(|line_number| ChangeLine { line_number, sku: format!("PEN-{line_number}"), quantity: 3 })
            .collect(),
        settlement: Settlement::Auto,
        cause: None,
        owed: money(0),
        exceptions: Vec::new(),
        refunds: Vec::new(),
    })
}
