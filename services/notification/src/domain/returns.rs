//! What the way back of goods tells. That money went back for them is told by the change that accepted them.

use super::event::{OrderPicture, ReturnLine, ReturnMove, Returned};
use super::message::{Audience, Message, Template};
use super::words;

pub fn progressed(order: &OrderPicture, returned: &Returned, how: ReturnMove) -> Vec<Message> {
    let (number, order) = (words::quoted(&returned.number), words::quoted(&order.number));
    let units = |count: fn(&ReturnLine) -> i64| {
        words::units(returned.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(count(line))))
    };
    let (template, subject, body) = match how {
        ReturnMove::Opened => (
            Template::ReturnOpened,
            format!("A return of order {order} is open"),
            format!(
                "{number}: {} of order {order} may be sent back until {}.",
                units(|line| line.expected),
                words::minute(&returned.expires_at)
            ),
        ),
        ReturnMove::Received => (
            Template::ReturnReceived,
            format!("Goods of order {order} have come back"),
            format!("{number}: {} of order {order} arrived here so far.", units(|line| line.received)),
        ),
        ReturnMove::Rejected => (
            Template::ReturnRejected,
            format!("Goods of order {order} were not accepted"),
            format!(
                "{number}: {} of order {order} were not accepted so far; nothing is paid for them.",
                units(|line| line.rejected)
            ),
        ),
        ReturnMove::Ended => (
            Template::ReturnEnded,
            format!("The return of order {order} has ended"),
            format!("{number}: nothing more of order {order} may be sent back with it."),
        ),
    };
    [Audience::Buyer, Audience::Supplier, Audience::Staff]
        .map(|audience| Message::new(template, audience, &subject, &body))
        .into()
}
