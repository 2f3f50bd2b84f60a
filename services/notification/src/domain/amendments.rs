//! What changes tell that cancel nothing: proposals, agreed changes, refunds without units, restorations.

use super::event::{Change, ChangeKind, Dropped, OrderPicture};
use super::message::{Audience, Message, Template};
use super::words;

const EVERYBODY: [Audience; 3] = [Audience::Buyer, Audience::Supplier, Audience::Staff];

/// Nothing has changed: the other side is asked.
pub fn proposed(change: &Change) -> Vec<Message> {
    let (number, deed, lines) = (words::quoted(&change.number), words::deed(change), words::lines(change));
    let until = change.open_until.as_deref().map(words::minute).unwrap_or_default();
    let subject = format!("A change of order {} is proposed", words::quoted(&change.order_number));
    let body = format!(
        "{number}: the {} proposes a {deed} ({lines}). Nothing has changed yet; it can be answered until {until}.",
        words::quoted(&change.asked_by)
    );
    told(Template::AmendmentProposed, &subject, |_| body.clone())
}

/// The proposal has ended, and nothing has changed.
pub fn dropped(change: &Change, how: Dropped) -> Vec<Message> {
    let (number, deed) = (words::quoted(&change.number), words::deed(change));
    let subject = format!("A change of order {} comes to nothing", words::quoted(&change.order_number));
    let body = format!("{number}: the proposed {deed} {}. The order stands as before.", words::dropped(how));
    told(Template::AmendmentDropped, &subject, |_| body.clone())
}

pub fn accepted(change: &Change) -> Vec<Message> {
    let (number, deed, lines) = (words::quoted(&change.number), words::deed(change), words::lines(change));
    let subject = format!("A {deed} was requested");
    told(Template::ChangeRequested, &subject, |_| {
        format!("The request {number} for a {deed} was received ({lines}). It is not decided yet.")
    })
}

pub fn committed(change: &Change, before: &OrderPicture, after: &OrderPicture) -> Vec<Message> {
    let (number, lines) = (words::quoted(&change.number), words::lines(change));
    let totals = format!("The order's total is now {} (before: {}).", after.total, before.total);
    let order = words::quoted(&change.order_number);
    let (template, subject, body) = match change.kind {
        ChangeKind::Restore => (
            Template::OrderRestored,
            format!("Order {order} is restored"),
            format!("Order {order} is restored by {number}."),
        ),
        ChangeKind::ShortShip => (
            Template::OrderShortShipped,
            format!("A part of order {order} cannot be delivered"),
            format!("Units of order {order} do not exist and are not delivered ({number}): {lines}."),
        ),
        ChangeKind::Expire => (
            Template::OrderExpired,
            format!("Order {order} has expired"),
            format!("Order {order} was not paid in time and has expired ({number}): {lines}."),
        ),
        ChangeKind::Return => (
            Template::ReturnAccepted,
            format!("Returned goods of order {order} are accepted"),
            format!("Returned units of order {order} are accepted ({number}): {lines}."),
        ),
        ChangeKind::CancelOrder
        | ChangeKind::CancelItems
        | ChangeKind::Withdrawal
        | ChangeKind::EditQuantity
        | ChangeKind::ShippingAdjust
        | ChangeKind::RefundOnly
        | ChangeKind::Payment
        | ChangeKind::AddItem
        | ChangeKind::ReplaceItem
        | ChangeKind::PriceAdjust
        | ChangeKind::Address => {
            let deed = words::deed(change);
            let subject = format!("The {deed} is confirmed");
            (Template::ChangeConfirmed, subject, format!("The {deed} is confirmed ({number}): {lines}."))
        }
    };
    told(template, &subject, |_| format!("{body} {totals}"))
}

pub fn rejected(change: &Change) -> Vec<Message> {
    let (number, deed) = (words::quoted(&change.number), words::deed(change));
    told(Template::ChangeRejected, &format!("The {deed} was not possible"), |audience| {
        let why = match (audience, &change.cause) {
            (_, None) => "no cause was given".to_owned(),
            (Audience::Staff, Some(cause)) => words::cause_for_staff(cause),
            (Audience::Buyer | Audience::Supplier | Audience::Client, Some(cause)) => {
                words::cause_for_parties(cause).to_owned()
            }
        };
        format!("The request {number} for a {deed} was rejected: {why}. The order stands as before.")
    })
}

fn told(template: Template, subject: &str, body: impl Fn(Audience) -> String) -> Vec<Message> {
    EVERYBODY.map(|audience| Message::new(template, audience, subject, body(audience))).into()
}
