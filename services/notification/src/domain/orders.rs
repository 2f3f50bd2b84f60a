//! What the life of an order tells.

use types::Reason;

use super::event::{Cause, OrderPicture, OrderState};
use super::message::{Audience, Message, Template};
use super::words;

/// An order that starts confirmed is confirmed in the same breath; otherwise the confirmation is told when it comes.
pub fn placed(order: &OrderPicture) -> Vec<Message> {
    match order.state {
        OrderState::Confirmed => confirmed(order),
        OrderState::Placing
        | OrderState::PlacementFailed
        | OrderState::Pending
        | OrderState::Processing
        | OrderState::PartiallyShipped
        | OrderState::Shipped
        | OrderState::OutForDelivery
        | OrderState::PartiallyDelivered
        | OrderState::Delivered
        | OrderState::Cancelled
        | OrderState::Returned
        | OrderState::ClosedMixed => {
            let number = words::quoted(&order.number);
            vec![
                Message::new(
                    Template::OrderPlaced,
                    Audience::Buyer,
                    format!("We have your order {number}"),
                    format!(
                        "Your order {number} over {} was placed. You will be told when it is confirmed.",
                        order.total
                    ),
                ),
                Message::new(
                    Template::OrderPlaced,
                    Audience::Supplier,
                    format!("Order {number} waits for confirmation"),
                    format!("Order {number} was placed: {}. It is not confirmed yet.", contents(order)),
                ),
            ]
        }
    }
}

pub fn placement_failed(order: &OrderPicture, cause: &Cause) -> Vec<Message> {
    let number = words::quoted(&order.number);
    let template = Template::OrderPlacementFailed;
    let cancelled = Reason::parse(&cause.reason) == Some(Reason::CancelledWhilePlacing);
    let (subject, body) = if cancelled {
        (
            format!("Order {number} was cancelled"),
            format!("Your order {number} was cancelled before it was placed. Nothing will be delivered."),
        )
    } else {
        (
            format!("Order {number} could not be placed"),
            format!(
                "Your order {number} could not be placed: {}. Nothing will be delivered.",
                words::cause_for_parties(cause)
            ),
        )
    };
    vec![
        Message::new(template, Audience::Buyer, subject, body),
        Message::new(
            template,
            Audience::Staff,
            format!("Order {number} was not placed"),
            format!("The placement of order {number} was put back: {}.", words::cause_for_staff(cause)),
        ),
    ]
}

/// A state that another event already told of is not told again here: the first one by the order's placement, a
/// cancelled one by its change order.
pub fn progressed(order: &OrderPicture, before: OrderState) -> Vec<Message> {
    if order.state == before {
        // Some quantities moved within the state; that is for those who follow the events.
        return Vec::new();
    }
    let number = words::quoted(&order.number);
    let to_buyer = |template, subject: String, body: String| {
        vec![Message::new(template, Audience::Buyer, subject, body)]
    };
    match order.state {
        // Work that begins implies the confirmation that nobody gave apart.
        OrderState::Confirmed | OrderState::Processing if before == OrderState::Pending => confirmed(order),
        OrderState::PartiallyShipped => to_buyer(
            Template::OrderPartiallyShipped,
            format!("A part of order {number} is on its way"),
            format!("A part of your order {number} has been shipped."),
        ),
        OrderState::Shipped => to_buyer(
            Template::OrderShipped,
            format!("Order {number} is on its way"),
            format!("Everything that remains of your order {number} has been shipped."),
        ),
        OrderState::OutForDelivery => to_buyer(
            Template::OrderOutForDelivery,
            format!("Order {number} is out for delivery"),
            format!("Your order {number} is out for delivery."),
        ),
        OrderState::PartiallyDelivered => to_buyer(
            Template::OrderPartiallyDelivered,
            format!("A part of order {number} was delivered"),
            format!("A part of your order {number} was reported as delivered."),
        ),
        OrderState::Delivered => to_buyer(
            Template::OrderDelivered,
            format!("Order {number} was delivered"),
            format!("Your order {number} was reported as delivered."),
        ),
        OrderState::Returned => to_buyer(
            Template::OrderReturned,
            format!("Order {number} was returned"),
            format!("Everything of your order {number} has come back to us."),
        ),
        OrderState::Confirmed
        | OrderState::Placing
        | OrderState::PlacementFailed
        | OrderState::Pending
        | OrderState::Processing
        | OrderState::Cancelled
        | OrderState::ClosedMixed => Vec::new(),
    }
}

fn confirmed(order: &OrderPicture) -> Vec<Message> {
    let number = words::quoted(&order.number);
    vec![
        Message::new(
            Template::OrderConfirmed,
            Audience::Buyer,
            format!("Order {number} is confirmed"),
            format!("Your order {number} over {} is confirmed.", order.total),
        ),
        Message::new(
            Template::OrderConfirmed,
            Audience::Supplier,
            format!("Order {number} is confirmed"),
            format!("Order {number} is confirmed: {}.", contents(order)),
        ),
    ]
}

fn contents(order: &OrderPicture) -> String {
    let lines =
        if order.line_count == 1 { "1 line".to_owned() } else { format!("{} lines", order.line_count) };
    format!("{lines}, {}, {}", words::units(order.units_ordered), order.total)
}
