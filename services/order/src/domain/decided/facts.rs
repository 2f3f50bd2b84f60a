//! The stored form of the facts. Names are short and figures are lists, because there is one row for every change.

use serde::{Deserialize, Serialize};
use types::{LineId, Quantity, QuantityError, Timestamp, UnitPrice};

use crate::domain::change::{
    ChangeRequest, GroupReversal, LabelAction, LineKey, SelectedLine, Selection, Settlement,
};
use crate::domain::order::{Group, InBundle, Line, LineAmounts, Order, Placement, Progress};
use crate::domain::price_base::PriceBase;
use crate::domain::quantities::Quantities;

/// Stands for a note that was given. Its text decides nothing and is not kept.
const NOTED: &str = "noted";

/// The order as it stood, and what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub(super) order: OrderFacts,
    pub(super) request: RequestFacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderFacts {
    pub(super) placing: bool,
    pub(super) created_at: Timestamp,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) processing_at: Option<Timestamp>,
    /// User and organisation of whoever made the order.
    pub(super) creator: (String, String),
    pub(super) buyer: String,
    pub(super) supplier: String,
    pub(super) source_router: String,
    /// What it was placed for, what was taken off, fees, goodwill.
    pub(super) money: [i64; 4],
    pub(super) lines: Vec<LineFacts>,
    pub(super) groups: Vec<GroupFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineFacts {
    id: LineId,
    number: i64,
    sku: String,
    group: String,
    /// Ordered, open, pending, pending and shipped, cancelled, fulfilled, cancelled after shipping, returned, delivered.
    units: [i64; 9],
    /// Gross, line discount, order discount, goods net, tax, shipping, shipping tax.
    paid: [i64; 7],
    tax_included: bool,
    reversed: i64,
    /// Allocated, deallocated, submitted, shipped, unshipped.
    moved: [i64; 5],
    /// The parent's line number, and units in one unit of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<(i64, i64)>,
    /// What agreements took off its price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bases: Vec<PriceBase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GroupFacts {
    name: String,
    /// Shipping, its tax, and what of each was given back.
    charge: [i64; 4],
    ever_shipped: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "a request's marks are stored one by one, as they were given"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RequestFacts {
    pub(super) select: Select,
    pub(super) settlement: Option<Settlement>,
    pub(super) void_label: bool,
    pub(super) reason: String,
    pub(super) noted: bool,
    pub(super) supplier_contacted: bool,
    pub(super) confirmed: bool,
    pub(super) forced: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) shipping: Vec<GroupReversal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Select {
    AllEligible,
    Everything,
    Items(Vec<ItemFacts>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ItemFacts {
    line: String,
    units: i64,
    reason: String,
    noted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    children: Option<Vec<(String, i64)>>,
}

impl Facts {
    pub fn of(order: &Order, request: &ChangeRequest) -> Self {
        Self { order: OrderFacts::of(order), request: RequestFacts::of(request) }
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers always have a JSON form")
    }

    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl OrderFacts {
    fn of(order: &Order) -> Self {
        Self {
            placing: order.placement == Placement::Placing,
            created_at: order.created_at,
            confirmed_at: order.confirmed_at,
            processing_at: order.processing_at,
            creator: (order.created_by.user.clone(), order.created_by.organisation.clone()),
            buyer: order.parties.buyer.clone(),
            supplier: order.parties.supplier.clone(),
            source_router: order.parties.source_router.clone(),
            money: [order.placed_minor, order.reversed_minor, order.fees_minor, order.goodwill_minor],
            lines: order.lines.iter().map(LineFacts::of).collect(),
            groups: order.groups.iter().map(GroupFacts::of).collect(),
        }
    }
}

impl LineFacts {
    fn of(line: &Line) -> Self {
        let (units, paid, moved) = (line.quantities, line.amounts, line.progress);
        Self {
            id: line.line_id.clone(),
            number: line.line_number,
            sku: line.sku.clone(),
            group: line.delivery_group.clone(),
            units: [
                units.ordered,
                units.open,
                units.cancel_pending,
                units.cancel_pending_shipped,
                units.cancelled,
                units.fulfilled,
                units.cancelled_after_ship,
                units.returned,
                units.delivered,
            ],
            paid: [
                paid.gross,
                paid.line_discount,
                paid.order_discount,
                paid.goods_net,
                paid.tax,
                paid.shipping,
                paid.shipping_tax,
            ],
            tax_included: paid.tax_included,
            reversed: line.reversed_minor,
            moved: [moved.allocated, moved.deallocated, moved.submitted, moved.shipped, moved.unshipped],
            bundle: line.bundle.map(|place| (place.parent, place.ratio)),
            bases: line.bases.clone(),
        }
    }

    pub(super) fn line(&self) -> Line {
        let [
            ordered,
            open,
            cancel_pending,
            pending_shipped,
            cancelled,
            fulfilled,
            after_ship,
            returned,
            delivered,
        ] = self.units;
        let [gross, line_discount, order_discount, goods_net, tax, shipping, shipping_tax] = self.paid;
        let [allocated, deallocated, submitted, shipped, unshipped] = self.moved;
        Line {
            line_id: self.id.clone(),
            line_number: self.number,
            sku: self.sku.clone(),
            description: String::new(),
            unit_price: UnitPrice::parse("0").expect("nothing is a price"),
            warehouse_id: None,
            delivery_group: self.group.clone(),
            quantities: Quantities {
                ordered,
                open,
                cancel_pending,
                cancel_pending_shipped: pending_shipped,
                cancelled,
                fulfilled,
                cancelled_after_ship: after_ship,
                returned,
                delivered,
            },
            amounts: LineAmounts {
                gross,
                line_discount,
                order_discount,
                goods_net,
                tax,
                tax_included: self.tax_included,
                shipping,
                shipping_tax,
            },
            reversed_minor: self.reversed,
            progress: Progress { allocated, deallocated, submitted, shipped, unshipped },
            bundle: self.bundle.map(|(parent, ratio)| InBundle { parent, ratio }),
            own_stock: false,
            bases: self.bases.clone(),
        }
    }
}

impl GroupFacts {
    fn of(group: &Group) -> Self {
        Self {
            name: group.delivery_group.clone(),
            charge: [
                group.shipping_minor,
                group.shipping_tax_minor,
                group.shipping_reversed_minor,
                group.shipping_tax_reversed_minor,
            ],
            ever_shipped: group.ever_shipped,
        }
    }

    pub(super) fn group(&self) -> Group {
        let [shipping_minor, shipping_tax_minor, shipping_reversed_minor, shipping_tax_reversed_minor] =
            self.charge;
        Group {
            delivery_group: self.name.clone(),
            shipping_minor,
            shipping_tax_minor,
            shipping_reversed_minor,
            shipping_tax_reversed_minor,
            ever_shipped: self.ever_shipped,
        }
    }
}

impl RequestFacts {
    fn of(request: &ChangeRequest) -> Self {
        let said = &request.said;
        Self {
            select: Select::of(&request.selection),
            settlement: request.settlement,
            void_label: request.label_action == LabelAction::Void,
            reason: request.reason_code.clone(),
            noted: !request.note.is_empty(),
            supplier_contacted: said.supplier_contacted || !said.supplier_contact_ref.is_empty(),
            confirmed: said.confirmed,
            forced: said.force,
            shipping: said.shipping.clone(),
        }
    }
}

impl Select {
    fn of(selection: &Selection) -> Self {
        match selection {
            Selection::AllEligible => Self::AllEligible,
            Selection::Everything => Self::Everything,
            Selection::Items(items) => Self::Items(items.iter().map(ItemFacts::of).collect()),
        }
    }

    pub(super) fn selection(&self) -> Result<Selection, QuantityError> {
        Ok(match self {
            Self::AllEligible => Selection::AllEligible,
            Self::Everything => Selection::Everything,
            Self::Items(items) => {
                Selection::Items(items.iter().map(ItemFacts::item).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl ItemFacts {
    fn of(item: &SelectedLine) -> Self {
        let children = |children: &Vec<(LineKey, i64)>| {
            children.iter().map(|(key, units)| (key_text(key), *units)).collect()
        };
        Self {
            line: key_text(&item.line),
            units: item.quantity.get(),
            reason: item.reason_code.clone(),
            noted: !item.note.is_empty(),
            children: item.children.as_ref().map(children),
        }
    }

    fn item(&self) -> Result<SelectedLine, QuantityError> {
        let children = |children: &Vec<(String, i64)>| {
            children.iter().map(|(text, units)| (key(text), *units)).collect()
        };
        Ok(SelectedLine {
            line: key(&self.line),
            quantity: Quantity::parse(self.units)?,
            reason_code: self.reason.clone(),
            note: note(self.noted),
            children: self.children.as_ref().map(children),
        })
    }
}

pub(super) fn note(noted: bool) -> String {
    if noted { NOTED.to_owned() } else { String::new() }
}

fn key_text(key: &LineKey) -> String {
    match key {
        LineKey::Id(line_id) => line_id.to_string(),
        LineKey::Number(number) => number.to_string(),
    }
}

/// A line's number, or else its id; 0 is the number of no line.
fn key(text: &str) -> LineKey {
    match LineId::parse(text) {
        Ok(line_id) => LineKey::Id(line_id),
        Err(_) => LineKey::Number(text.parse().unwrap_or_default()),
    }
}
