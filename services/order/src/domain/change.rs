//! A change of an order: what is asked for, how it is priced, and how far it has come.

use serde::{Deserialize, Serialize};
use types::{
    ChangeOrderId, Currency, Fingerprint, LineId, OrderId, Quantity, RefundId, Refusal, SagaId, Tenant,
    Timestamp,
};

pub use super::change_state::{ChangeEvent, ChangeState, IllegalTransition};
use super::order::{Actor, OrderState};
use super::outside::Leg;
pub use super::terms::{
    Audience, CameBack, Fee, GroupReversal, InConfidence, MoneyTerms, MoneyWish, PayOut, PayOutWay, Said,
    Skipped, TenderRefund, Terms,
};

/// A requested change: parsed, but not yet checked against an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    pub order_id: OrderId,
    pub selection: Selection,
    /// None means what the policy says.
    pub settlement: Option<Settlement>,
    pub label_action: LabelAction,
    pub channel: Channel,
    pub reason_code: String,
    pub note: String,
    pub said: Said,
    /// Of the canonical request; what a quote and a request id are bound to.
    pub content: Fingerprint,
}

/// Which units a change takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything that can be cancelled. The answer names the rest, which stays.
    AllEligible,
    /// Everything that is still open, or nothing.
    Everything,
    /// Exactly these, or nothing; each line once.
    Items(Vec<SelectedLine>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLine {
    pub line: LineKey,
    pub quantity: Quantity,
    /// Overrides the change's reason for this line, unless empty.
    pub reason_code: String,
    /// Overrides the change's note for this line, unless empty.
    pub note: String,
    /// For a bundle's parent: exactly these units of its children, instead of all that belong to the parent's units.
    pub children: Option<Vec<(LineKey, i64)>>,
}

/// How a request names a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKey {
    Id(LineId),
    Number(i64),
}

impl ChangeRequest {
    pub fn change_type(&self) -> ChangeType {
        match self.selection {
            Selection::AllEligible => ChangeType::AllEligible,
            Selection::Everything => ChangeType::CancelOrder,
            Selection::Items(_) => ChangeType::CancelItems,
        }
    }
}

/// A stored change with everything that belongs to it. Amounts are in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOrder {
    pub tenant: Tenant,
    pub change_order_id: ChangeOrderId,
    pub order_id: OrderId,
    pub number: String,
    pub change_type: ChangeType,
    pub state: ChangeState,
    pub saga_id: SagaId,
    pub settlement: Settlement,
    pub label_action: LabelAction,
    pub channel: Channel,
    /// The state of the order when the change was accepted.
    pub stage: OrderState,
    pub reason_code: String,
    pub note: String,
    pub requested_by: Actor,
    /// The quote it was submitted with; empty without one.
    pub quote_id: String,
    pub policy_version: String,
    /// The rule of the policy that allowed it.
    pub rule: String,
    pub terms: Terms,
    pub in_confidence: InConfidence,
    /// Until when it may be answered, while it is REQUESTED.
    pub expires_at: Option<Timestamp>,
    /// What the customer gets back. Fixed when the change is accepted.
    pub amounts: Parts,
    /// What the order costs after the change.
    pub new_total_minor: i64,
    /// Why it was rejected, or is compensating.
    pub cause: Option<Refusal>,
    pub refund_owed_minor: i64,
    /// The exceptions that it ended with: what is still owed or undone, and why.
    pub exceptions: Vec<Refusal>,
    /// As the payment service last told them.
    pub refunds: Vec<Refund>,
    pub version: i64,
    pub created_at: Timestamp,
    /// When the pivot was committed.
    pub decided_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The delivery groups of which units had left when it was decided. Their charge is not refunded, whatever ships later.
    pub shipped_groups: Vec<String>,
    /// How many attention items are open for it.
    pub attention_open: i64,
    /// By line number.
    pub lines: Vec<ChangeLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    pub line_id: LineId,
    pub line_number: i64,
    pub sku: String,
    pub quantity: i64,
    pub reason_code: String,
    pub note: String,
    /// Goods and tax of these units. Shipping belongs to a delivery group and is part of the change's amounts only.
    pub parts: Parts,
}

/// An amount explained: `amount = gross - discount + tax + shipping + shipping_tax - fee`, where
/// included tax is inside gross. Every part is at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    pub gross: i64,
    /// The line's own discount and its share of the order's discount.
    pub discount: i64,
    pub goods_net: i64,
    pub tax: i64,
    pub tax_included: bool,
    pub shipping: i64,
    pub shipping_tax: i64,
    pub fee: i64,
    pub amount: i64,
}

impl Parts {
    /// The sum of several lines. If some include their tax and others do not, the tax of the sum is the tax beside the prices; included tax then
    /// shows only on its lines. A line without tax counts on neither side.
    pub fn sum_of(lines: &[ChangeLine]) -> Self {
        let tax_included = Self::all_tax_included(lines);
        lines.iter().map(|line| line.parts).fold(Self { tax_included, ..Self::default() }, |sum, line| Self {
            gross: sum.gross + line.gross,
            discount: sum.discount + line.discount,
            goods_net: sum.goods_net + line.goods_net,
            tax: sum.tax + if line.tax_included == tax_included { line.tax } else { 0 },
            tax_included,
            shipping: sum.shipping + line.shipping,
            shipping_tax: sum.shipping_tax + line.shipping_tax,
            fee: sum.fee + line.fee,
            amount: sum.amount + line.amount,
        })
    }

    /// Whether the tax of these lines together is inside their prices; it is not stored beside a sum.
    pub fn all_tax_included(lines: &[ChangeLine]) -> bool {
        let mut taxed = lines.iter().filter(|line| line.parts.tax > 0).peekable();
        taxed.peek().is_some() && taxed.all(|line| line.parts.tax_included)
    }

    /// The sum of the parts. It equals `amount` in every explanation.
    pub fn explained(self) -> i64 {
        let tax_beside = if self.tax_included { 0 } else { self.tax };
        self.gross - self.discount + tax_beside + self.shipping + self.shipping_tax - self.fee
    }
}

/// A refund or released authorisation, as the payment service last told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    pub refund_id: RefundId,
    /// Lower-case refund state of the payment service, such as "succeeded".
    pub state: String,
    pub amount_minor: i64,
    pub void_of_authorisation: bool,
}

/// A change as it is shown, with data of its order and its saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeView {
    /// Who outside was told of it.
    pub legs: Vec<Leg>,
    pub change: ChangeOrder,
    pub order_number: String,
    pub currency: Currency,
    pub steps: Steps,
}

/// How far the saga of a change has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    /// The current step; empty after the last one.
    pub current: String,
    pub done: i32,
    pub total: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeType {
    CancelOrder,
    CancelItems,
    AllEligible,
    /// Agreed by both sides: fewer units.
    EditQuantity,
    /// Agreed by both sides: a lower delivery charge.
    ShippingAdjust,
    /// A refund without units.
    RefundOnly,
    /// A consumer's statutory right.
    Withdrawal,
    /// Restores a wholly cancelled order. The change's lines and amounts are what the order gets back.
    Restore,
    /// Pays what is missing of a restored order.
    Payment,
    /// Agreed by both sides: one more line.
    AddItem,
    /// Agreed by both sides: units are exchanged for other goods.
    ReplaceItem,
    /// Agreed by both sides: lines get cheaper and keep their units. The change's lines name those units.
    PriceAdjust,
    /// Agreed by both sides: another address.
    Address,
    /// Units that came back from the buyer and were accepted.
    Return,
    /// A short shipment: units that do not exist and cannot be shipped.
    ShortShip,
    /// Nobody paid in time, or the authorisation lapsed.
    Expire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Void and refund whatever was paid beyond the new total.
    Auto,
    /// Move no money; what is owed is shown.
    None,
    /// Refund the named amounts to the named tenders. What is not named stays owed.
    Explicit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelAction {
    Keep,
    Void,
}

/// How a change was asked for. The rules are the same for every channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The order's own page.
    Details,
    /// A step of the order's timeline.
    Timeline,
    Api,
    /// A stored rule.
    Rule,
    /// The payment gateway.
    Psp,
    /// A stored batch.
    Batch,
}

impl ChangeType {
    pub const ALL: [Self; 16] = [
        Self::CancelOrder,
        Self::CancelItems,
        Self::AllEligible,
        Self::EditQuantity,
        Self::ShippingAdjust,
        Self::RefundOnly,
        Self::Withdrawal,
        Self::Restore,
        Self::Payment,
        Self::Return,
        Self::ShortShip,
        Self::Expire,
        Self::AddItem,
        Self::ReplaceItem,
        Self::PriceAdjust,
        Self::Address,
    ];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CancelOrder => "cancel_order",
            Self::CancelItems => "cancel_items",
            Self::AllEligible => "all_eligible",
            Self::EditQuantity => "edit_quantity",
            Self::ShippingAdjust => "shipping_adjust",
            Self::RefundOnly => "refund_only",
            Self::Withdrawal => "withdrawal",
            Self::Restore => "restore",
            Self::Payment => "payment",
            Self::AddItem => "add_item",
            Self::ReplaceItem => "replace_item",
            Self::PriceAdjust => "price_adjust",
            Self::Address => "address",
            Self::Return => "return",
            Self::ShortShip => "short_ship",
            Self::Expire => "expire",
        }
    }

    /// Whether the units of its lines leave the order: held while it is EXECUTING, cancelled by the pivot.
    pub const fn takes_units(self) -> bool {
        match self {
            Self::CancelOrder
            | Self::CancelItems
            | Self::AllEligible
            | Self::EditQuantity
            | Self::Withdrawal
            | Self::ShortShip
            | Self::Expire
            | Self::ReplaceItem => true,
            Self::ShippingAdjust
            | Self::RefundOnly
            | Self::Restore
            | Self::Payment
            | Self::Return
            | Self::AddItem
            | Self::PriceAdjust
            | Self::Address => false,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Settlement {
    pub const ALL: [Self; 3] = [Self::Auto, Self::None, Self::Explicit];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Explicit => "explicit",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|settlement| settlement.as_str() == text)
    }
}

impl Channel {
    pub const ALL: [Self; 6] = [Self::Details, Self::Timeline, Self::Api, Self::Rule, Self::Psp, Self::Batch];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Timeline => "timeline",
            Self::Api => "api",
            Self::Rule => "rule",
            Self::Psp => "psp",
            Self::Batch => "batch",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

impl LabelAction {
    pub const ALL: [Self; 2] = [Self::Keep, Self::Void];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Void => "void",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}
