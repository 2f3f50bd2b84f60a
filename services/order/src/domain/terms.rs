//! What belongs to a change beside units and price: what the caller says, and the terms on which the change was accepted.

use serde::{Deserialize, Serialize};
use types::money::telescope;
use types::{ChangeOrderId, LineId, PaymentId, RefundId, ReturnId};

use super::added_line::AddedLine;
use super::address::Address;
use super::order::ExternalReference;
use super::placing::NewTender;
use super::policy::{Grant, ShippingRule, TenderStrategy, Unconfirmed};
use super::quote::Moves;
use super::sides::Side;

/// What a caller says beside the units: acknowledgements, and choices that the policy leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    pub supplier_contacted: bool,
    /// The message in which the supplier was contacted; empty without one.
    pub supplier_contact_ref: String,
    pub confirmed: bool,
    /// Go on without acknowledgements and in spite of a shortfall. A person has to look afterwards.
    pub force: bool,
    /// How much of each delivery group's charge is to be refunded, where the policy lets the request choose.
    pub shipping: Vec<GroupReversal>,
    /// For settlement EXPLICIT.
    pub tenders: Vec<TenderRefund>,
    pub money: MoneyWish,
    /// For our own people; empty without one.
    pub staff_note: String,
    /// Who gets no mail about it.
    pub without_mail_to: Vec<Audience>,
}

/// Who is told of changes, as the notification service names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Buyer,
    Supplier,
    Client,
    Staff,
}

impl Audience {
    pub const ALL: [Self; 4] = [Self::Buyer, Self::Supplier, Self::Client, Self::Staff];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
            Self::Client => "client",
            Self::Staff => "staff",
        }
    }
}

/// What a caller asks for about the refund.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MoneyWish {
    /// What a gateway declines becomes store credit.
    pub store_credit_fallback: bool,
    /// Why the named tenders give back more than is owed; empty if they may not.
    pub over_refund_reason: String,
}

/// The terms on which a change was accepted, from the policy of that moment and the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word that was said, and stands in the stored text"
)]
pub struct Terms {
    pub shipping: ShippingRule,
    /// The shipping refund that the caller asked for, where the policy allows that.
    pub explicit_shipping: Vec<GroupReversal>,
    /// For settlement EXPLICIT.
    pub tenders: Vec<TenderRefund>,
    pub money: MoneyTerms,
    /// What happens if a partner does not answer.
    pub unconfirmed: Unconfirmed,
    /// Shipped units may be cancelled where they are.
    pub allow_shipped: bool,
    /// Units that are in a fulfilment must stay.
    pub only_unallocated: bool,
    /// Why the caller was allowed.
    pub grant: Option<Grant>,
    pub supplier_contacted: bool,
    pub supplier_contact_ref: String,
    pub confirmed: bool,
    pub forced: bool,
    pub without_mail_to: Vec<Audience>,
    /// The rule of the fee, if one was charged.
    pub fee_rule: String,
    pub fee: Fee,
    /// Lines that stay although everything eligible was requested, and why.
    pub skipped: Vec<Skipped>,
    /// The refund that the change tries again. The order's price stays as it is.
    pub retry_of: Option<RefundId>,
    /// The proposal that this one answers with another.
    pub counter_of: Option<ChangeOrderId>,
    /// Children of a bundle that were cancelled without their parent and refund nothing.
    pub without_parent: Vec<LineId>,
    /// The side that proposed it.
    pub proposed_by: Option<Side>,
    /// Lines that it adds.
    pub added: Vec<AddedLine>,
    /// The carts that sold the order, if nothing of it is left after the change.
    pub carts: Vec<ExternalReference>,
    /// The return whose units are accepted, and what becomes of them.
    pub return_id: Option<ReturnId>,
    pub came_back: Vec<CameBack>,
    /// What its quote promised.
    pub quoted: Option<Moves>,
    /// Pays out what is owed. The order's price stays as it is.
    pub pay_out: Option<PayOut>,
}

/// What only the parties of a proposal may see: no auditor, event or list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InConfidence {
    /// The author's tenders, unless the approver pays.
    pub pays: Vec<NewTender>,
    /// Where the goods are to go.
    pub address: Option<Address>,
}

/// How much of what is owed is paid out, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayOut {
    /// None means all of it, or the sum of the named tenders.
    pub amount_minor: Option<i64>,
    pub way: PayOutWay,
    /// By hand: how it was paid.
    pub reference: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayOutWay {
    Tenders,
    StoreCredit,
    ByHand,
}

/// What happens to returned units of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameBack {
    pub line_id: LineId,
    /// Units that go back to stock.
    pub restock: i64,
    /// Units that are written off.
    pub write_off: i64,
    /// Empty means the warehouse that they had left.
    pub warehouse_id: String,
}

/// The fee of a cancellation: an amount, and a share of the refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    pub amount_minor: i64,
    pub basis_points: i64,
}

impl Fee {
    /// A fee never exceeds the refund: nobody has to pay for cancelling.
    pub fn charge(self, given_back_minor: i64) -> i64 {
        let whole = 10_000;
        let share = telescope(given_back_minor, whole, 0, self.basis_points);
        (self.amount_minor + share).min(given_back_minor)
    }
}

/// How a change gives its money back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoneyTerms {
    pub strategy: TenderStrategy,
    /// What a gateway declines becomes store credit.
    pub store_credit_fallback: bool,
    /// Why more is refunded than is owed; empty otherwise.
    pub over_refund_reason: String,
}

/// How much of a delivery group's charge a change refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupReversal {
    pub delivery_group: String,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
}

/// The refund of one tender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenderRefund {
    pub payment_id: PaymentId,
    pub amount_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    pub line_id: LineId,
    pub line_number: i64,
    pub sku: String,
    /// UPPER_SNAKE name of the reason.
    pub reason: String,
    pub message: String,
}
