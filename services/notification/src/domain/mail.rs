//! Which message goes out as which mail, and the facts it is made of: all of them from the event, none from elsewhere.

use serde_json::{Value, json};

use super::event::Letter;
use super::event::{
    Change, ChangeKind, Dropped, Event, OrderPicture, Refund, RefundState, ReturnMove, Returned, Settlement,
};
use super::message::{Audience, Message, Template};
use super::words;

/// Lines a mail names; the rest is counted.
const LINES_NAMED: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailTemplate {
    OrderConfirmed,
    CancellationConfirmed,
    SupplierNotice,
    RefundIssued,
    RefundDelayed,
    AmendmentProposed,
    AmendmentApproved,
    AmendmentDropped,
    OrderShortShipped,
    OrderExpired,
    OrderMessage,
    ReturnOpened,
    ReturnReceived,
    ReturnRejected,
    ReturnAccepted,
    WithdrawalAcknowledged,
    OrderRestored,
    AttentionOpened,
    OwedDigest,
    PartnerRequest,
}

impl MailTemplate {
    pub const ALL: [Self; 20] = [
        Self::OrderConfirmed,
        Self::CancellationConfirmed,
        Self::SupplierNotice,
        Self::RefundIssued,
        Self::RefundDelayed,
        Self::AmendmentProposed,
        Self::AmendmentApproved,
        Self::AmendmentDropped,
        Self::OrderShortShipped,
        Self::OrderExpired,
        Self::OrderMessage,
        Self::ReturnOpened,
        Self::ReturnReceived,
        Self::ReturnRejected,
        Self::ReturnAccepted,
        Self::WithdrawalAcknowledged,
        Self::OrderRestored,
        Self::AttentionOpened,
        Self::OwedDigest,
        Self::PartnerRequest,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order.confirmed",
            Self::CancellationConfirmed => "cancellation.confirmed",
            Self::SupplierNotice => "cancellation.supplier_notice",
            Self::RefundIssued => "refund.issued",
            Self::RefundDelayed => "refund.delayed",
            Self::AmendmentProposed => "amendment.proposed",
            Self::AmendmentApproved => "amendment.approved",
            Self::AmendmentDropped => "amendment.declined",
            Self::OrderShortShipped => "order.short_shipped",
            Self::OrderExpired => "order.expired",
            Self::OrderMessage => "order.message",
            Self::ReturnOpened => "return.opened",
            Self::ReturnReceived => "return.received",
            Self::ReturnRejected => "return.rejected",
            Self::ReturnAccepted => "return.accepted",
            Self::WithdrawalAcknowledged => "withdrawal.acknowledged",
            Self::OrderRestored => "order.restored",
            Self::AttentionOpened => "attention.opened",
            Self::OwedDigest => "owed.digest",
            Self::PartnerRequest => "partner.request",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }

    /// What becomes of the goods is the client's affair too; the money is the buyer's.
    const fn is_for_clients(self) -> bool {
        match self {
            Self::OrderConfirmed
            | Self::CancellationConfirmed
            | Self::WithdrawalAcknowledged
            | Self::OrderShortShipped
            | Self::OrderExpired
            | Self::OrderRestored => true,
            Self::SupplierNotice
            | Self::RefundIssued
            | Self::RefundDelayed
            | Self::AmendmentProposed
            | Self::AmendmentApproved
            | Self::AmendmentDropped
            | Self::OrderMessage
            | Self::ReturnOpened
            | Self::ReturnReceived
            | Self::ReturnRejected
            | Self::ReturnAccepted
            | Self::AttentionOpened
            | Self::OwedDigest
            | Self::PartnerRequest => false,
        }
    }
}

/// A mail before it is addressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    pub template: MailTemplate,
    pub audience: Audience,
    pub facts: Value,
}

/// The mails of an event: each message that has a mail of its own, and what the buyer's client is told with the buyer.
pub fn mails(event: &Event, messages: &[Message]) -> Vec<Mail> {
    let mut mails = Vec::new();
    for message in messages {
        let Some((template, facts)) = mail(event, message) else { continue };
        if message.audience == Audience::Buyer && template.is_for_clients() {
            mails.push(Mail { template, audience: Audience::Client, facts: facts.clone() });
        }
        mails.push(Mail { template, audience: message.audience, facts });
    }
    mails.retain(|mail| !event.is_silent_for(mail.audience));
    mails
}

fn mail(event: &Event, message: &Message) -> Option<(MailTemplate, Value)> {
    match (event, message.template) {
        // Whoever ordered elsewhere was told there.
        (Event::OrderPlaced { elsewhere: true, .. }, _) => None,
        (
            Event::OrderPlaced { order, .. } | Event::OrderProgressed { order, .. },
            Template::OrderConfirmed,
        ) => Some((MailTemplate::OrderConfirmed, json!({ "order": picture(order) }))),
        (Event::ChangeDropped { change, how }, Template::AmendmentDropped) => {
            let how = match how {
                Dropped::Declined => "declined",
                Dropped::Expired => "expired",
                Dropped::Withdrawn => "withdrawn",
            };
            let proposal = json!({ "how": how });
            let order = json!({ "number": words::quoted(&change.order_number) });
            Some((
                MailTemplate::AmendmentDropped,
                json!({ "order": order, "change": scope(change), "proposal": proposal }),
            ))
        }
        (
            Event::ChangeProposed { change } | Event::ChangeAccepted { change },
            Template::AmendmentProposed,
        ) => Some((MailTemplate::AmendmentProposed, proposal(change))),
        (Event::ChangeProposed { change }, Template::WithdrawalAcknowledged) => {
            let withdrawal = json!({
                "number": words::quoted(&change.number),
                "received_at": words::minute(&change.created_at),
            });
            let order = json!({ "number": words::quoted(&change.order_number) });
            Some((MailTemplate::WithdrawalAcknowledged, json!({ "order": order, "withdrawal": withdrawal })))
        }
        (Event::ChangeCommitted { change, before, after }, _) => of_committed(message, change, before, after),
        (Event::MessageAdded { order, note }, Template::OrderMessage) => {
            let message = json!({ "by": words::quoted(&note.written_by), "text": words::quoted(&note.text) });
            let order = json!({ "number": words::quoted(&order.number) });
            Some((MailTemplate::OrderMessage, json!({ "order": order, "message": message })))
        }
        (Event::ReturnProgressed { order, returned, how }, _) => {
            let template = match how {
                ReturnMove::Opened => MailTemplate::ReturnOpened,
                ReturnMove::Received => MailTemplate::ReturnReceived,
                ReturnMove::Rejected => MailTemplate::ReturnRejected,
                ReturnMove::Ended => return None,
            };
            Some((template, sent_back(order, returned)))
        }
        (Event::ChangeCompleted { change }, Template::RefundIssued) => {
            Some((MailTemplate::RefundIssued, money(change)))
        }
        (Event::ChangeCompleted { change }, Template::RefundDelayed) => {
            Some((MailTemplate::RefundDelayed, delayed(change)))
        }
        (Event::AttentionOpened { item }, _) => {
            let about = item.change_order_id.as_ref().map(ToString::to_string);
            let about = about.or_else(|| item.order_id.as_ref().map(ToString::to_string));
            let attention = json!({
                "id": item.attention_id.as_str(),
                "about": about,
                "reason": words::quoted(&item.cause.reason),
                "message": words::quoted(&item.cause.message),
            });
            Some((MailTemplate::AttentionOpened, json!({ "attention": attention })))
        }
        (_, _) => None,
    }
}

fn of_committed(
    message: &Message,
    change: &Change,
    before: &OrderPicture,
    after: &OrderPicture,
) -> Option<(MailTemplate, Value)> {
    let template = match (message.template, message.audience) {
        (Template::OrderRestored, _) => {
            let change = json!({ "number": words::quoted(&change.number) });
            let facts = json!({ "order": picture(after), "change": change });
            return Some((MailTemplate::OrderRestored, facts));
        }
        (Template::ChangeConfirmed, _) if change.kind.is_agreed() => MailTemplate::AmendmentApproved,
        (Template::OrderShortShipped, _) => MailTemplate::OrderShortShipped,
        (Template::OrderExpired, _) => MailTemplate::OrderExpired,
        (Template::ReturnAccepted, _) => MailTemplate::ReturnAccepted,
        (Template::CancellationConfirmed, Audience::Supplier) => MailTemplate::SupplierNotice,
        (Template::CancellationConfirmed, Audience::Buyer | Audience::Staff | Audience::Client) => {
            MailTemplate::CancellationConfirmed
        }
        (_, _) => return None,
    };
    Some((template, committed(change, before, after)))
}

fn picture(order: &OrderPicture) -> Value {
    json!({
        "number": words::quoted(&order.number),
        "total": order.total.to_string(),
        "lines": order.line_count,
        "units": order.units_ordered,
    })
}

fn scope(change: &Change) -> Value {
    let lines: Vec<Value> = change
        .lines
        .iter()
        .take(LINES_NAMED)
        .map(|line| json!({ "number": line.line_number, "sku": words::quoted(&line.sku), "quantity": line.quantity }))
        .collect();
    json!({
        "number": words::quoted(&change.number),
        "whole_order": change.kind == ChangeKind::CancelOrder,
        "lines": lines,
        "more_lines": change.lines.len().saturating_sub(LINES_NAMED),
    })
}

fn committed(change: &Change, before: &OrderPicture, after: &OrderPicture) -> Value {
    json!({
        "order": { "number": words::quoted(&change.order_number) },
        "change": scope(change),
        "totals": { "before": before.total.to_string(), "after": after.total.to_string() },
        "money_moves": change.settlement != Settlement::None,
    })
}

fn proposal(change: &Change) -> Value {
    json!({
        "order": { "number": words::quoted(&change.order_number) },
        "change": scope(change),
        "proposal": {
            "by": words::quoted(&change.asked_by),
            "gives_back": change.gives_back.to_string(),
            "expires_at": change.open_until.as_deref().map(words::minute),
        },
    })
}

fn sent_back(order: &OrderPicture, returned: &Returned) -> Value {
    let lines: Vec<Value> = returned
        .lines
        .iter()
        .take(LINES_NAMED)
        .map(|line| {
            json!({
                "number": line.line_number,
                "sku": words::quoted(&line.sku),
                "expected": line.expected,
                "received": line.received,
                "rejected": line.rejected,
            })
        })
        .collect();
    json!({
        "order": { "number": words::quoted(&order.number) },
        "return": {
            "number": words::quoted(&returned.number),
            "lines": lines,
            "more_lines": returned.lines.len().saturating_sub(LINES_NAMED),
            "expires_at": words::minute(&returned.expires_at),
        },
    })
}

fn amounts(change: &Change, holds: impl Fn(&Refund) -> bool) -> Vec<String> {
    change.refunds.iter().filter(|refund| holds(refund)).map(|refund| refund.amount.to_string()).collect()
}

fn money(change: &Change) -> Value {
    let is = |state, releases| move |it: &Refund| it.state == state && it.releases_authorisation == releases;
    json!({
        "order": { "number": words::quoted(&change.order_number) },
        "change": scope(change),
        "issued": amounts(change, is(RefundState::Succeeded, false)),
        "released": amounts(change, is(RefundState::Succeeded, true)),
        "owed": change.owed.is_positive().then(|| change.owed.to_string()),
    })
}

fn delayed(change: &Change) -> Value {
    json!({
        "order": { "number": words::quoted(&change.order_number) },
        "change": scope(change),
        "pending": amounts(change, |it| it.state == RefundState::Pending),
    })
}

/// What an outsider is asked or told; it goes to the address that its profile names, and to nobody else.
pub fn letter(letter: &Letter) -> Value {
    json!({ "letter": {
        "number": words::quoted(&letter.external_number),
        "units": letter.units,
        "reason": words::quoted(&letter.reason),
        "note": words::quoted(&letter.note),
        "deadline_at": words::minute(&letter.deadline_at),
        "task_id": letter.task_id.as_str(),
        "upstream": letter.upstream,
    } })
}

/// An order to which money is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    pub order_id: String,
    pub amount: String,
    /// The day it was last told to have changed.
    pub since: String,
}

/// What is owed on a day: the first orders, and how many there are.
pub fn digest(day: &str, owed: &[Owed], count: i64) -> Value {
    let orders: Vec<Value> = owed
        .iter()
        .map(|it| json!({ "id": it.order_id.as_str(), "amount": it.amount.as_str(), "since": it.since.as_str() }))
        .collect();
    let named = i64::try_from(orders.len()).expect("a digest names few orders");
    json!({ "day": day, "orders": orders, "count": count, "more": (count - named).max(0) })
}

#[cfg(test)]
mod tests;
