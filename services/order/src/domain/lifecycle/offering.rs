//! What a proposal of each kind means: units that are taken off, lines that are added, prices that are lowered.

use std::collections::BTreeSet;

use types::{Ids, Quantity, Reason, Refusal, Timestamp};

use crate::domain::added_line::{AddedLine, room_for};
use crate::domain::address::Address;
use crate::domain::change::{
    ChangeLine, ChangeRequest, ChangeType, Channel, GroupReversal, InConfidence, LineKey, Parts, Terms,
};
use crate::domain::order::{Line, Order};
use crate::domain::placing::{NewLine, NewTender};
use crate::domain::policy::{Document, ShippingRule};
use crate::domain::{pricing, selection};

/// What a proposal asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// The quantities that these lines are to have, which may be more than now.
    Quantities(Vec<(LineKey, i64)>),
    Items(Vec<NewLine>),
    /// The quantities that lines are to have, and the lines that are added.
    Replacement {
        left: Vec<(LineKey, i64)>,
        items: Vec<NewLine>,
    },
    /// The amount that is taken off each of these lines.
    Prices(Vec<(LineKey, i64)>),
    /// The amount that is taken off delivery groups' charges.
    Shipping(Vec<GroupReversal>),
    Address(Address),
}

/// A request for a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub proposed: Proposed,
    pub reason_code: String,
    pub note: String,
    pub expires_at: Timestamp,
    /// The author's tenders for a higher price.
    pub pays: Vec<NewTender>,
    /// The version of the price that the author has seen.
    pub pricing_version: Option<i64>,
}

impl Proposal {
    pub(super) fn in_confidence(&self) -> InConfidence {
        let address = match &self.proposed {
            Proposed::Address(address) => Some(address.clone()),
            Proposed::Quantities(_)
            | Proposed::Items(_)
            | Proposed::Replacement { .. }
            | Proposed::Prices(_)
            | Proposed::Shipping(_) => None,
        };
        InConfidence { pays: self.pays.clone(), address }
    }
}

/// A proposal that is possible for this order.
pub(super) struct Offer {
    pub kind: ChangeType,
    /// The units that are taken off, or that get cheaper.
    pub lines: Vec<ChangeLine>,
    pub terms: Terms,
}

pub(super) fn offer(
    order: &Order,
    proposal: &Proposal,
    policy: &Document,
    ids: &Ids,
) -> Result<Offer, Refusal> {
    let kept = Terms { shipping: policy.shipping, ..Terms::default() };
    let offer = match &proposal.proposed {
        Proposed::Quantities(lines) => {
            let (going, added) = moved(order, lines, ids)?;
            let lines = priced(order, &going, proposal, policy)?;
            Offer { kind: ChangeType::EditQuantity, lines, terms: Terms { added, ..kept } }
        }
        Proposed::Items(items) => {
            let added = coming(order, items, ids)?;
            Offer { kind: ChangeType::AddItem, lines: Vec::new(), terms: Terms { added, ..kept } }
        }
        Proposed::Replacement { left, items } => {
            let (going, more) = moved(order, left, ids)?;
            if !more.is_empty() {
                let message = "a line that is replaced is left with fewer units";
                return Err(Refusal::new(Reason::FieldInvalid, message).field("lines[0].new_quantity"));
            }
            let lines = priced(order, &going, proposal, policy)?;
            let added = coming(order, items, ids)?;
            Offer { kind: ChangeType::ReplaceItem, lines, terms: Terms { added, ..kept } }
        }
        Proposed::Prices(off) => {
            // A lower price refunds nothing of the delivery.
            let terms = Terms { shipping: ShippingRule::None, ..Terms::default() };
            Offer { kind: ChangeType::PriceAdjust, lines: cheaper(order, off)?, terms }
        }
        Proposed::Shipping(wanted) => {
            pricing::within_what_is_left(order, wanted)?;
            let terms = Terms {
                shipping: ShippingRule::Explicit,
                explicit_shipping: wanted.clone(),
                ..Terms::default()
            };
            Offer { kind: ChangeType::ShippingAdjust, lines: Vec::new(), terms }
        }
        Proposed::Address(address) => {
            may_readdress(order)?;
            if order.address.as_ref() == Some(address) {
                let message = "the goods go to this address already";
                return Err(Refusal::new(Reason::FieldInvalid, message).field("address"));
            }
            let terms = Terms { shipping: ShippingRule::None, ..Terms::default() };
            Offer { kind: ChangeType::Address, lines: Vec::new(), terms }
        }
    };
    room_for(order, &offer.terms.added)?;
    Ok(offer)
}

/// Units that are taken off, by line number.
type Going = Vec<(i64, Quantity)>;

/// The units that are taken off and the lines that are added, so that these quantities result.
fn moved(order: &Order, lines: &[(LineKey, i64)], ids: &Ids) -> Result<(Going, Vec<AddedLine>), Refusal> {
    let (mut going, mut added) = (Vec::new(), Vec::new());
    for (index, (line, new_quantity)) in each_once(order, lines)?.into_iter().enumerate() {
        let at = format!("lines[{index}].new_quantity");
        let net = line.quantities.net();
        let units = Quantity::parse((new_quantity - net).abs()).map_err(|_| {
            Refusal::new(Reason::FieldInvalid, "the quantity stays as it is").field(at.clone())
        })?;
        if new_quantity < net {
            going.push((line.line_number, units));
        } else {
            let more = AddedLine::more_of(line, units, order.currency, ids.mint());
            added.push(more.map_err(|refusal| refusal.field(at))?);
        }
    }
    Ok((going, added))
}

/// The named lines, each once, with what the request says of each.
fn each_once<'a>(order: &'a Order, lines: &[(LineKey, i64)]) -> Result<Vec<(&'a Line, i64)>, Refusal> {
    let mut seen = BTreeSet::new();
    let found = lines.iter().enumerate().map(|(index, (key, said))| {
        let at = format!("lines[{index}].line_number");
        let line = selection::find(order, key)
            .ok_or_else(|| Refusal::not_found("Line", format!("{key:?}")).field(at.clone()))?;
        if seen.insert(line.line_number) {
            return Ok((line, *said));
        }
        let message = format!("line {} is named twice", line.line_number);
        Err(Refusal::new(Reason::FieldInvalid, message).field(at))
    });
    found.collect()
}

fn priced(
    order: &Order,
    going: &Going,
    proposal: &Proposal,
    policy: &Document,
) -> Result<Vec<ChangeLine>, Refusal> {
    if going.is_empty() {
        return Ok(Vec::new());
    }
    let (reason, note) = (&proposal.reason_code, &proposal.note);
    let request = ChangeRequest::of_lines(&order.order_id, going, Channel::Api, reason, note);
    Ok(pricing::price_change(order, &request, policy)?.lines)
}

fn coming(order: &Order, items: &[NewLine], ids: &Ids) -> Result<Vec<AddedLine>, Refusal> {
    let lines = items.iter().enumerate().map(|(index, item)| {
        AddedLine::of_item(item, order.currency, ids.mint())
            .map_err(|(field, refusal)| refusal.field(format!("items[{index}].{field}")))
    });
    lines.collect()
}

fn cheaper(order: &Order, off: &[(LineKey, i64)]) -> Result<Vec<ChangeLine>, Refusal> {
    let lines = each_once(order, off)?.into_iter().enumerate().map(|(index, (line, off_minor))| {
        worth_so_much(line, off_minor)
            .map_err(|refusal| refusal.field(format!("lines[{index}].off_minor")))?;
        let parts = Parts {
            gross: off_minor,
            goods_net: off_minor,
            tax_included: line.amounts.tax_included,
            amount: off_minor,
            ..Parts::default()
        };
        Ok(ChangeLine { parts, ..pricing::plain_line(line, line.quantities.net()) })
    });
    let mut lines: Vec<ChangeLine> = lines.collect::<Result<_, Refusal>>()?;
    lines.sort_by_key(|line| line.line_number);
    Ok(lines)
}

/// At most the rest of a line's price can be taken off it.
pub(super) fn worth_so_much(line: &Line, off_minor: i64) -> Result<(), Refusal> {
    let left = if line.quantities.net() == 0 { 0 } else { line.left_of(|base| base.goods_net_minor) };
    if off_minor <= left {
        return Ok(());
    }
    let message = format!("{left} is left of the price of line {}; {off_minor} is more", line.line_number);
    Err(Refusal::new(Reason::AmountOutOfRange, message).detail("left_minor", left))
}

/// Refuses a new address once a unit has left, is with a partner or has a label: those carry the old address.
pub(super) fn may_readdress(order: &Order) -> Result<(), Refusal> {
    let units = order.units();
    if units.fulfilled + units.cancelled_after_ship > 0 {
        let message = "something of the order was shipped to the address it has";
        return Err(Refusal::new(Reason::ShippedFirst, message));
    }
    if units.open == 0 {
        let message = "nothing of the order is to be sent";
        return Err(Refusal::new(Reason::NothingToCancel, message));
    }
    if order.outside.has_label() {
        let message = "a carrier's label has the address it has; void it first";
        return Err(Refusal::new(Reason::StateConflict, message));
    }
    if let Some(handed) = order.outside.handed.first() {
        let message = format!("{} has goods of the order and its address", handed.integration);
        return Err(Refusal::new(Reason::StateConflict, message).detail("integration", &handed.integration));
    }
    Ok(())
}
