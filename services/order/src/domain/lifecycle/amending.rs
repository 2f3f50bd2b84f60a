//! Agreed changes beside cancelled units: added lines, lower prices, another address.
//!
//! Everything happens when the saga commits. Stock and money are reserved by the steps before, so an order whose change is compensated never had
//! the new lines.

use types::{Money, Reason, Refusal, Timestamp};

use super::{Defect, unlock};
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeType};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order};
use crate::domain::placing::NewTender;

/// What a change asks of the customer, as far as the order knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The rise of the order's price, less what is owed to the customer anyway, in minor units.
    pub to_pay_minor: i64,
    pub to_give_back_minor: i64,
}

/// How much the change raises the order's price, and whether that has to be paid first. What is owed to the customer counts as paid, because
/// we hold it.
pub fn difference(order: &Order, change: &ChangeOrder) -> Difference {
    if change.change_type == ChangeType::Address {
        // A change of address moves no money, whatever the price was when it was proposed.
        return Difference { to_pay_minor: 0, to_give_back_minor: 0 };
    }
    let kept = order.total_minor().max(0) + order.owed().minor;
    let wanted = change.new_total_minor.max(0);
    Difference { to_pay_minor: (wanted - kept).max(0), to_give_back_minor: (kept - wanted).max(0) }
}

/// A higher price is authorised; a lower one is refunded.
pub fn costs_more(order: &Order, change: &ChangeOrder) -> bool {
    change.new_total_minor.max(0) > order.total_minor().max(0)
}

/// Tenders pay exactly what is missing. The payment service knows how much that is, so only an offer that cannot be right is refused
/// here.
pub fn pays(order: &Order, change: &ChangeOrder, tenders: &[NewTender]) -> Result<(), Refusal> {
    let missing = difference(order, change).to_pay_minor;
    let offered: i64 = tenders.iter().map(|tender| tender.amount_minor).sum();
    if (missing == 0) == (offered == 0) {
        return Ok(());
    }
    let message = match Money::new(order.currency, missing)? {
        nothing if nothing.is_zero() => "nothing is to be paid for this change".to_owned(),
        missing => format!("the order comes to {missing} more, which has to be paid with the approval"),
    };
    Err(Refusal::new(Reason::TendersMismatch, message)
        .field("tenders")
        .detail("missing_minor", missing)
        .detail("offered_minor", offered))
}

/// Takes the agreed amounts off the lines. The units stay, at the lower price.
pub(super) fn lower_prices(order: &mut Order, change: &ChangeOrder) -> Result<(), Defect> {
    for cheaper in &change.lines {
        let line =
            order.line_mut(&cheaper.line_id).ok_or_else(|| Defect::UnknownLine(cheaper.line_id.clone()))?;
        let left = line.left_of(|base| base.goods_net_minor);
        if line.quantities.net() == 0 || cheaper.parts.amount > left {
            return Err(Defect::PriceMoved { accepted_minor: cheaper.parts.amount, repriced_minor: left });
        }
        line.lower_price(cheaper.parts.amount);
    }
    Ok(())
}

/// The pivot of a change of address.
pub fn commit_address(
    order: &mut Order,
    change: &mut ChangeOrder,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let before = order.summary();
    let mut readdressed = order.clone();
    readdressed.address.clone_from(&change.in_confidence.address);
    readdressed.version += 1;
    unlock(&mut readdressed, change)?;
    change.step(ChangeEvent::Decide)?;
    change.decided_at = Some(now);
    *order = readdressed;

    let summary = format!("change {} was committed; the goods go to another address", change.number);
    let entry = Entry::new(now, Actor::system(), "order.readdressed", summary)
        .about(change)
        .because(&change.reason_code, "");
    let fact = Fact::ChangeCommitted { change: Box::new(change.clone()), before, after: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}
