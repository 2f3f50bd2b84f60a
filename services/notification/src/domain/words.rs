//! Pieces of text that several messages share.

use types::{Reason, text};

use super::event::{Cause, Change, ChangeKind, Dropped};

/// Lines a message names; the rest is counted.
const LINES_NAMED: usize = 12;
/// Characters of a text that came from outside.
const QUOTED_MAX: usize = 300;

/// The beginning of a text, with a mark where it was cut.
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit - 1).chain(['…']).collect(),
    }
}

/// A text from outside inside a sentence of ours: on one line, bounded, and without controls that would reorder it.
pub fn quoted(outside: &str) -> String {
    let line: String = text::display(outside).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(line.trim(), QUOTED_MAX)
}

pub fn units(count: i64) -> String {
    if count == 1 { "1 unit".to_owned() } else { format!("{count} units") }
}

/// What the change cancels, as the object of a sentence.
pub fn scope(change: &Change) -> String {
    let order = quoted(&change.order_number);
    match change.kind {
        ChangeKind::CancelOrder
        | ChangeKind::ShippingAdjust
        | ChangeKind::RefundOnly
        | ChangeKind::Restore
        | ChangeKind::Payment
        | ChangeKind::AddItem
        | ChangeKind::Address
        | ChangeKind::Expire => format!("order {order}"),
        ChangeKind::CancelItems
        | ChangeKind::Withdrawal
        | ChangeKind::EditQuantity
        | ChangeKind::ReplaceItem
        | ChangeKind::PriceAdjust
        | ChangeKind::Return
        | ChangeKind::ShortShip => {
            let count = change.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.quantity));
            format!("{} of order {order}", units(count))
        }
    }
}

/// The change as a noun: "cancellation of order 1042".
pub fn deed(change: &Change) -> String {
    let what = match change.kind {
        ChangeKind::CancelOrder | ChangeKind::CancelItems => "cancellation",
        ChangeKind::Withdrawal => "withdrawal",
        ChangeKind::EditQuantity => "change of quantity",
        ChangeKind::ShippingAdjust => "change of shipping",
        ChangeKind::RefundOnly => "refund",
        ChangeKind::Restore => "restoration",
        ChangeKind::Payment => "payment",
        ChangeKind::AddItem => "addition",
        ChangeKind::ReplaceItem => "replacement",
        ChangeKind::PriceAdjust => "change of price",
        ChangeKind::Address => "change of address",
        ChangeKind::Return => "return",
        ChangeKind::ShortShip => "short shipment",
        ChangeKind::Expire => "expiry",
    };
    format!("{what} of {}", scope(change))
}

/// How a proposal ended, as the end of a sentence.
pub const fn dropped(how: Dropped) -> &'static str {
    match how {
        Dropped::Declined => "was declined",
        Dropped::Expired => "was not answered in time",
        Dropped::Withdrawn => "was withdrawn",
    }
}

/// An instant for people, to the minute.
pub fn minute(instant: &str) -> String {
    match instant.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.chars().take(5).collect::<String>()),
        None => quoted(instant),
    }
}

/// The lines of the change: "3 × PEN-1 (line 1), 1 × CUP (line 2)".
pub fn lines(change: &Change) -> String {
    let mut named: Vec<String> = change
        .lines
        .iter()
        .take(LINES_NAMED)
        .map(|line| format!("{} × {} (line {})", line.quantity, quoted(&line.sku), line.line_number))
        .collect();
    let rest = change.lines.len().saturating_sub(LINES_NAMED);
    if rest > 0 {
        named.push(format!("and {rest} more lines"));
    }
    named.join(", ")
}

/// A cause for those who work here: the published reason and its sentence.
pub fn cause_for_staff(cause: &Cause) -> String {
    format!("{}: {}", quoted(&cause.reason), quoted(&cause.message))
}

/// A cause for those who do not: its sentence is written for developers and may name what is none of theirs.
pub fn cause_for_parties(cause: &Cause) -> &'static str {
    let Some(reason) = Reason::parse(&cause.reason) else {
        return "it could not be carried out";
    };
    if matches!(reason, Reason::ShippedFirst | Reason::InTransit) {
        "the goods had already been shipped"
    } else if matches!(reason, Reason::Delivered) {
        "the goods had already been delivered"
    } else if matches!(reason, Reason::NothingToCancel) {
        "nothing was left to cancel"
    } else if matches!(reason, Reason::QuantityExceedsAvailable) {
        "fewer units could be cancelled than were asked for"
    } else if matches!(reason, Reason::Withdrawn) {
        "the request was withdrawn"
    } else if matches!(reason, Reason::InsufficientStock) {
        "not all of the goods are in stock"
    } else if matches!(reason, Reason::PaymentDeclined) {
        "the payment was declined"
    } else if matches!(reason, Reason::CancelledWhilePlacing) {
        "it was cancelled before it was placed"
    } else {
        "it could not be carried out"
    }
}
