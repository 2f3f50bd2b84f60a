//! Payloads of order's events, read into what they mean here.

use prost::{DecodeError, Message};
use proto::common::v1 as common;
use proto::events::v1 as wire;
use proto::order::v1 as order;
use types::{AttentionId, ChangeOrderId, IdError, Money, MoneyError, OrderId};

use super::recipients::mail_address;
use crate::domain::{
    AttentionItem, Audience, Cause, Change, ChangeKind, ChangeLine, Dropped, Event, Letter, Note,
    OrderPicture, OrderState, Readers, Refund, RefundState, ReturnLine, ReturnMove, Returned, Settlement,
};
use crate::ops::Noted;

/// Why an event has no meaning here. None of it is the network's fault: only another version helps.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Unreadable {
    #[error("this version knows no event of this type")]
    Unknown,
    #[error("the payload is not of its type: {0}")]
    Malformed(#[from] DecodeError),
    #[error("the payload has no {0}")]
    Missing(&'static str),
    #[error("the payload's {field} is {number}, which this version does not know")]
    Newer { field: &'static str, number: i32 },
    #[error("the payload's {field} is {text:?}, which this version does not know")]
    Unnamed { field: &'static str, text: String },
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

const PACKAGE: &str = "countermand.events.v1.";

pub fn read(kind: &str, payload: &[u8]) -> Result<Event, Unreadable> {
    match kind.strip_prefix(PACKAGE).unwrap_or_default() {
        "OrderPlaced" => {
            let event = wire::OrderPlaced::decode(payload)?;
            let elsewhere = event.placed_elsewhere;
            Ok(Event::OrderPlaced { order: picture("order", event.order)?, elsewhere })
        }
        "ContactNamed" => {
            let event = wire::ContactNamed::decode(payload)?;
            Ok(Event::ContactNamed { order_id: OrderId::parse(&event.order_id)? })
        }
        "OrderPlacementFailed" => {
            let event = wire::OrderPlacementFailed::decode(payload)?;
            let cause = cause(event.cause.ok_or(Unreadable::Missing("cause"))?);
            Ok(Event::OrderPlacementFailed { order: picture("order", event.order)?, cause })
        }
        "OrderProgressed" => {
            let event = wire::OrderProgressed::decode(payload)?;
            Ok(Event::OrderProgressed { before: state(event.before)?, order: picture("order", event.order)? })
        }
        name if name.starts_with("ChangeOrder") => of_change(name, payload),
        "OrderFolderChanged" => {
            let event = wire::OrderFolderChanged::decode(payload)?;
            Ok(Event::FolderChanged { order: picture("order", event.order)? })
        }
        "OrderExpiring" => {
            let event = wire::OrderExpiring::decode(payload)?;
            Ok(Event::OrderExpiring { order: picture("order", event.order)? })
        }
        "ReturnProgressed" => {
            let event = wire::ReturnProgressed::decode(payload)?;
            let returned = Box::new(returned(event.order_return.ok_or(Unreadable::Missing("order_return"))?));
            let order = picture("order", event.order)?;
            Ok(Event::ReturnProgressed { order, returned, how: return_move(&event.what)? })
        }
        "OrderMessageAdded" => {
            let event = wire::OrderMessageAdded::decode(payload)?;
            let readers = readers(event.visibility)?;
            let written_by = event.author.map(|author| author.role).unwrap_or_default();
            let note = Note { text: event.text, written_by, readers };
            Ok(Event::MessageAdded { order: picture("order", event.order)?, note })
        }
        "PartnerMailRequested" => letter(wire::PartnerMailRequested::decode(payload)?),
        "AttentionOpened" => attention(wire::AttentionOpened::decode(payload)?),
        _ => Err(Unreadable::Unknown),
    }
}

fn of_change(name: &str, payload: &[u8]) -> Result<Event, Unreadable> {
    match name {
        "ChangeOrderProposed" => {
            let event = wire::ChangeOrderProposed::decode(payload)?;
            Ok(Event::ChangeProposed { change: change(event.change_order)? })
        }
        "ChangeOrderDropped" => {
            let event = wire::ChangeOrderDropped::decode(payload)?;
            let how = dropped(event.change_order.as_ref().map_or(0, |change| change.state))?;
            Ok(Event::ChangeDropped { change: change(event.change_order)?, how })
        }
        "ChangeOrderAccepted" => {
            let event = wire::ChangeOrderAccepted::decode(payload)?;
            Ok(Event::ChangeAccepted { change: change(event.change_order)? })
        }
        "ChangeOrderCommitted" => {
            let event = wire::ChangeOrderCommitted::decode(payload)?;
            Ok(Event::ChangeCommitted {
                change: change(event.change_order)?,
                before: picture("before", event.before)?,
                after: picture("after", event.after)?,
            })
        }
        "ChangeOrderRejected" => {
            let event = wire::ChangeOrderRejected::decode(payload)?;
            Ok(Event::ChangeRejected { change: change(event.change_order)? })
        }
        "ChangeOrderCompleted" => {
            let event = wire::ChangeOrderCompleted::decode(payload)?;
            let change = change(event.change_order)?;
            Ok(Event::ChangeCompleted { change: going_by(change, event.movement)? })
        }
        _ => Err(Unreadable::Unknown),
    }
}

/// What an event says beside what it tells. It is read from any event, and nothing of it makes one unreadable.
pub fn noted(kind: &str, payload: &[u8], order_id: &str) -> Noted {
    let owed = wire::MovedOrder::decode(payload).ok().and_then(|event| owed(event.movement?, order_id));
    let parties = match kind.strip_prefix(PACKAGE) {
        Some("OrderPlaced") => parties(payload),
        Some(_) | None => Vec::new(),
    };
    let contact = match kind.strip_prefix(PACKAGE) {
        Some("ContactNamed") => contact(payload),
        Some(_) | None => None,
    };
    Noted { parties, owed, contact }
}

/// A telephone number is a contact as well, and nobody is mailed there.
fn contact(payload: &[u8]) -> Option<(Audience, String)> {
    let named = wire::ContactNamed::decode(payload).ok()?;
    let audience = if named.is_client { Audience::Client } else { Audience::Buyer };
    Some((audience, mail_address(&named.contact).ok()?))
}

/// What the order is owed now, when the event has changed it.
fn owed(movement: wire::OrderMovement, order_id: &str) -> Option<(OrderId, Money)> {
    let (after, delta) = (movement.after?.totals?, movement.delta?.totals?);
    let amount = Money::parse(&movement.currency_code, after.refund_owed_minor).ok()?;
    (delta.refund_owed_minor != 0).then_some((OrderId::parse(order_id).ok()?, amount))
}

fn parties(payload: &[u8]) -> Vec<(Audience, String)> {
    let placed = wire::OrderPlaced::decode(payload).ok().and_then(|event| event.order?.parties);
    let named =
        placed.map(|parties| [(Audience::Buyer, parties.buyer), (Audience::Supplier, parties.supplier)]);
    named.into_iter().flatten().filter(|(_, organisation)| !organisation.is_empty()).collect()
}

fn picture(field: &'static str, summary: Option<order::OrderSummary>) -> Result<OrderPicture, Unreadable> {
    let summary = summary.ok_or(Unreadable::Missing(field))?;
    let totals = summary.totals.ok_or(Unreadable::Missing("totals"))?;
    Ok(OrderPicture {
        order_id: OrderId::parse(&summary.order_id)?,
        number: summary.number,
        state: state(summary.state)?,
        total: Money::parse(&summary.currency_code, totals.total_minor)?,
        line_count: summary.line_count,
        units_ordered: summary.units_ordered,
    })
}

fn state(number: i32) -> Result<OrderState, Unreadable> {
    use order::OrderState as Wire;
    Ok(match Wire::try_from(number) {
        Ok(Wire::Placing) => OrderState::Placing,
        Ok(Wire::PlacementFailed) => OrderState::PlacementFailed,
        Ok(Wire::Pending) => OrderState::Pending,
        Ok(Wire::Confirmed) => OrderState::Confirmed,
        Ok(Wire::Processing) => OrderState::Processing,
        Ok(Wire::PartiallyShipped) => OrderState::PartiallyShipped,
        Ok(Wire::Shipped) => OrderState::Shipped,
        Ok(Wire::OutForDelivery) => OrderState::OutForDelivery,
        Ok(Wire::PartiallyDelivered) => OrderState::PartiallyDelivered,
        Ok(Wire::Delivered) => OrderState::Delivered,
        Ok(Wire::Cancelled) => OrderState::Cancelled,
        Ok(Wire::Returned) => OrderState::Returned,
        Ok(Wire::ClosedMixed) => OrderState::ClosedMixed,
        Ok(Wire::Unspecified) | Err(_) => return Err(Unreadable::Newer { field: "state", number }),
    })
}

fn change(change: Option<order::ChangeOrder>) -> Result<Box<Change>, Unreadable> {
    let change = change.ok_or(Unreadable::Missing("change_order"))?;
    let money = |minor| Money::parse(&change.currency_code, minor);
    let refunds = change.refunds.iter().map(|refund| {
        Ok(Refund {
            state: refund_state(&refund.state),
            amount: money(refund.amount_minor)?,
            releases_authorisation: refund.void_of_authorisation,
        })
    });
    let lines = change.lines.iter().map(|line| ChangeLine {
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: line.quantity,
    });
    Ok(Box::new(Change {
        change_order_id: ChangeOrderId::parse(&change.change_order_id)?,
        order_id: OrderId::parse(&change.order_id)?,
        kind: kind(change.r#type)?,
        settlement: settlement(change.settlement)?,
        lines: lines.collect(),
        refunds: refunds.collect::<Result<_, Unreadable>>()?,
        owed: money(change.refund_owed_minor)?,
        position: None,
        number: change.number,
        order_number: change.order_number,
        cause: change.cause.map(cause),
        exceptions: change.exceptions.into_iter().map(cause).collect(),
        asked_by: change.requested_by.map(|actor| actor.role).unwrap_or_default(),
        created_at: change.created_at,
        gives_back: money(change.amounts.unwrap_or_default().amount_minor)?,
        open_until: (change.state == order::ChangeOrderState::Requested as i32).then_some(change.expires_at),
        // An audience of a newer sender is none that is mailed from here.
        without_mail_to: change.without_mail_to.iter().filter_map(|name| Audience::parse(name)).collect(),
    }))
}

/// What is owed stands with the order, as the payment service told it: a change names the same.
fn going_by(change: Box<Change>, movement: Option<wire::OrderMovement>) -> Result<Box<Change>, Unreadable> {
    let Some(movement) = movement else { return Ok(change) };
    let totals = movement.after.and_then(|after| after.totals);
    let Some(totals) = totals.filter(|totals| !totals.position_pending) else { return Ok(change) };
    let owed = Money::parse(&movement.currency_code, totals.refund_owed_minor)?;
    Ok(Box::new(Change { owed, position: Some(totals.position_sequence), ..*change }))
}

fn kind(number: i32) -> Result<ChangeKind, Unreadable> {
    use order::ChangeOrderType as Wire;
    match Wire::try_from(number) {
        Ok(Wire::CancelOrder) => Ok(ChangeKind::CancelOrder),
        // All eligible lines are lines too: the change names each with its units.
        Ok(Wire::CancelItems | Wire::AllEligible) => Ok(ChangeKind::CancelItems),
        Ok(Wire::Withdrawal) => Ok(ChangeKind::Withdrawal),
        Ok(Wire::EditQuantity) => Ok(ChangeKind::EditQuantity),
        Ok(Wire::ShippingAdjust) => Ok(ChangeKind::ShippingAdjust),
        Ok(Wire::RefundOnly) => Ok(ChangeKind::RefundOnly),
        Ok(Wire::Restore) => Ok(ChangeKind::Restore),
        Ok(Wire::Return) => Ok(ChangeKind::Return),
        Ok(Wire::ShortShip) => Ok(ChangeKind::ShortShip),
        Ok(Wire::Expire) => Ok(ChangeKind::Expire),
        Ok(Wire::Payment) => Ok(ChangeKind::Payment),
        Ok(Wire::AddItem) => Ok(ChangeKind::AddItem),
        Ok(Wire::ReplaceItem) => Ok(ChangeKind::ReplaceItem),
        Ok(Wire::PriceAdjust) => Ok(ChangeKind::PriceAdjust),
        Ok(Wire::Address) => Ok(ChangeKind::Address),
        Ok(Wire::Unspecified) | Err(_) => Err(Unreadable::Newer { field: "type", number }),
    }
}

fn dropped(number: i32) -> Result<Dropped, Unreadable> {
    use order::ChangeOrderState as Wire;
    match Wire::try_from(number) {
        Ok(Wire::Declined) => Ok(Dropped::Declined),
        Ok(Wire::Expired) => Ok(Dropped::Expired),
        Ok(Wire::Withdrawn) => Ok(Dropped::Withdrawn),
        Ok(
            Wire::Unspecified
            | Wire::Draft
            | Wire::Requested
            | Wire::Executing
            | Wire::Unwinding
            | Wire::Rejected
            | Wire::Settling
            | Wire::Completed
            | Wire::CompletedWithExceptions,
        )
        | Err(_) => Err(Unreadable::Newer { field: "state", number }),
    }
}

fn readers(number: i32) -> Result<Readers, Unreadable> {
    use order::TimelineVisibility as Wire;
    match Wire::try_from(number) {
        Ok(Wire::Internal) => Ok(Readers::Staff),
        Ok(Wire::Parties) => Ok(Readers::Parties),
        Ok(Wire::Public) => Ok(Readers::Everybody),
        Ok(Wire::Unspecified) | Err(_) => Err(Unreadable::Newer { field: "visibility", number }),
    }
}

fn returned(returned: order::Return) -> Returned {
    let lines = returned.lines.into_iter().map(|line| ReturnLine {
        line_number: line.line_number,
        sku: line.sku,
        expected: line.expected,
        received: line.received,
        rejected: line.rejected,
    });
    Returned { lines: lines.collect(), number: returned.number, expires_at: returned.expires_at }
}

fn return_move(what: &str) -> Result<ReturnMove, Unreadable> {
    match what {
        "opened" => Ok(ReturnMove::Opened),
        "received" => Ok(ReturnMove::Received),
        "rejected" => Ok(ReturnMove::Rejected),
        "closed" | "expired" => Ok(ReturnMove::Ended),
        _ => Err(Unreadable::Unnamed { field: "what", text: what.to_owned() }),
    }
}

fn settlement(number: i32) -> Result<Settlement, Unreadable> {
    use order::Settlement as Wire;
    match Wire::try_from(number) {
        // An explicit split moves money by itself too, only not by the usual order.
        Ok(Wire::Unspecified | Wire::Auto | Wire::Explicit) => Ok(Settlement::Auto),
        Ok(Wire::None) => Ok(Settlement::None),
        Err(_) => Err(Unreadable::Newer { field: "settlement", number }),
    }
}

/// The states of a refund are the payment service's text; only three of them let a message claim anything.
fn refund_state(text: &str) -> RefundState {
    match text {
        "succeeded" => RefundState::Succeeded,
        "reversed" => RefundState::Reversed,
        "submitting" | "pending" | "unknown" => RefundState::Pending,
        _ => RefundState::Unsettled,
    }
}

fn cause(refusal: common::Refusal) -> Cause {
    Cause { reason: refusal.reason, message: refusal.message }
}

fn letter(event: wire::PartnerMailRequested) -> Result<Event, Unreadable> {
    let letter = Letter {
        order_id: OrderId::parse(&event.order_id)?,
        change_order_id: optional(&event.change_order_id, ChangeOrderId::parse)?,
        order_number: event.order_number,
        address: event.address,
        task_id: event.task_id,
        external_number: event.external_number,
        units: event.units,
        reason: event.reason,
        note: event.note,
        deadline_at: event.deadline_at,
        upstream: event.upstream,
    };
    Ok(Event::PartnerToMail { letter: Box::new(letter) })
}

fn attention(event: wire::AttentionOpened) -> Result<Event, Unreadable> {
    let item = AttentionItem {
        attention_id: AttentionId::parse(&event.attention_id)?,
        order_id: optional(&event.order_id, OrderId::parse)?,
        change_order_id: optional(&event.change_order_id, ChangeOrderId::parse)?,
        cause: cause(event.cause.ok_or(Unreadable::Missing("cause"))?),
    };
    Ok(Event::AttentionOpened { item })
}

fn optional<T>(text: &str, parse: fn(&str) -> Result<T, IdError>) -> Result<Option<T>, IdError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event that nobody reads here would hold up its order for ever.
    #[test]
    fn every_event_of_an_order_is_known() {
        let contract = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../proto/countermand/events/v1/events.proto"
        ));
        let events: Vec<&str> = contract
            .split("\nmessage ")
            .filter(|message| message.contains("OrderMovement movement = 15;"))
            .filter_map(|message| message.split(' ').next())
            .filter(|name| *name != "MovedOrder")
            .collect();

        assert!(events.len() >= 10, "{events:?}");
        for event in events {
            assert_ne!(read(&format!("{PACKAGE}{event}"), &[]), Err(Unreadable::Unknown), "{event}");
        }
    }
}
