//! Facts to try templates with, made from sample events by the same rules that make the real ones.

use serde_json::Value;
use types::{AttentionId, ChangeOrderId, Money, OrderId};

use super::event::{
    AttentionItem, Cause, Change, ChangeKind, ChangeLine, Event, Letter, OrderPicture, OrderState, Refund,
    RefundState, Settlement,
};
use super::event::{Dropped, Note, Readers, ReturnLine, ReturnMove, Returned};
use super::mail::{MailTemplate, Owed, digest, letter, mails};
use super::messages;

/// Every shape the template's facts may have; the first is the one to preview.
pub fn samples(template: MailTemplate) -> Vec<Value> {
    match template {
        MailTemplate::OwedDigest => {
            let owed = Owed {
                order_id: "ord_01h455vb4pex5vsknk084sn02q".to_owned(),
                amount: "GBP 12.34".to_owned(),
                since: "2026-11-21".to_owned(),
            };
            vec![digest("2026-11-22", std::slice::from_ref(&owed), 3), digest("2026-11-22", &[owed], 1)]
        }
        MailTemplate::PartnerRequest => {
            let sample = |upstream, note: &str| {
                letter(&Letter {
                    order_id: order_id(),
                    order_number: "1042".to_owned(),
                    change_order_id: Some(change_id()),
                    address: "orders@partner.example".to_owned(),
                    task_id: "tsk_01h455vb4pex5vsknk084sn02q".to_owned(),
                    external_number: "PO-7".to_owned(),
                    units: 3,
                    reason: "OUT_OF_STOCK".to_owned(),
                    note: note.to_owned(),
                    deadline_at: "2026-11-24T12:00:00Z".to_owned(),
                    upstream,
                })
            };
            vec![sample(false, "it was ordered twice"), sample(true, "")]
        }
        MailTemplate::OrderConfirmed
        | MailTemplate::CancellationConfirmed
        | MailTemplate::SupplierNotice
        | MailTemplate::RefundIssued
        | MailTemplate::RefundDelayed
        | MailTemplate::AmendmentProposed
        | MailTemplate::AmendmentApproved
        | MailTemplate::AmendmentDropped
        | MailTemplate::OrderShortShipped
        | MailTemplate::OrderExpired
        | MailTemplate::OrderMessage
        | MailTemplate::ReturnOpened
        | MailTemplate::ReturnReceived
        | MailTemplate::ReturnRejected
        | MailTemplate::ReturnAccepted
        | MailTemplate::WithdrawalAcknowledged
        | MailTemplate::OrderRestored
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
        Event::OrderPlaced { order: picture(OrderState::Confirmed, 1_234), elsewhere: false },
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
        Event::ChangeProposed { change: change(ChangeKind::Withdrawal, 2) },
        Event::ChangeAccepted {
            change: Box::new(Change {
                open_until: Some("2026-11-24T12:00:00Z".to_owned()),
                ..*change(ChangeKind::EditQuantity, 2)
            }),
        },
        Event::ChangeProposed {
            change: Box::new(Change {
                open_until: Some("2026-11-24T12:00:00Z".to_owned()),
                ..*change(ChangeKind::ReplaceItem, 60)
            }),
        },
        Event::ChangeDropped { change: change(ChangeKind::EditQuantity, 2), how: Dropped::Declined },
        Event::ChangeDropped { change: change(ChangeKind::AddItem, 0), how: Dropped::Expired },
        committed(change(ChangeKind::Restore, 2), OrderState::Confirmed),
        committed(change(ChangeKind::EditQuantity, 2), OrderState::Confirmed),
        committed(change(ChangeKind::Address, 0), OrderState::Confirmed),
        committed(change(ChangeKind::ShortShip, 2), OrderState::Confirmed),
        committed(change(ChangeKind::Expire, 60), OrderState::Cancelled),
        committed(change(ChangeKind::Return, 2), OrderState::Delivered),
        Event::MessageAdded {
            order: picture(OrderState::Confirmed, 1_234),
            note: Note {
                text: "It comes on Monday.".to_owned(),
                written_by: "staff".to_owned(),
                readers: Readers::Parties,
            },
        },
        sent_back(ReturnMove::Opened, 2),
        sent_back(ReturnMove::Received, 2),
        sent_back(ReturnMove::Rejected, 60),
    ]
}

fn sent_back(how: ReturnMove, lines: i64) -> Event {
    let line = |line_number| ReturnLine {
        line_number,
        sku: format!("PEN-{line_number}"),
        expected: 3,
        received: 2,
        rejected: 1,
    };
    let returned = Returned {
        number: "RT-000042".to_owned(),
        lines: (1..=lines).map(line).collect(),
        expires_at: "2026-12-22T12:00:00Z".to_owned(),
    };
    Event::ReturnProgressed {
        order: picture(OrderState::Delivered, 1_234),
        returned: Box::new(returned),
        how,
    }
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
