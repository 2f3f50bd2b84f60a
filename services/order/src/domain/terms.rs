//! What is agreed beside units and price: what the caller says with a request, and on what terms it was accepted.

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
    /// Go on without acknowledgements and in spite of a shortfall; somebody has to look afterwards.
    pub force: bool,
    /// What of each delivery group's charge is to be given back, where the policy lets the request say.
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

/// What a caller wants of the money beside where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MoneyWish {
    /// What a gateway declines becomes store credit.
    pub store_credit_fallback: bool,
    /// Why the tenders named give back more than is owed; empty where they may not.
    pub over_refund_reason: String,
}

/// On what terms a change was accepted: what the policy of that moment and the caller said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word that was said, and stands in the stored text"
)]
pub struct Terms {
    pub shipping: ShippingRule,
    /// What the caller wanted given back of the shipping, where the policy let it say.
    pub explicit_shipping: Vec<GroupReversal>,
    /// For settlement EXPLICIT.
    pub tenders: Vec<TenderRefund>,
    pub money: MoneyTerms,
    /// What a partner's silence comes to.
    pub unconfirmed: Unconfirmed,
    /// Shipped units may be taken where they are.
    pub allow_shipped: bool,
    /// Units that a fulfilment has must stay.
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
    /// Lines that stay although all that is eligible was asked for, and why.
    pub skipped: Vec<Skipped>,
    /// The refund that a change tries again, without taking anything more off the order.
    pub retry_of: Option<RefundId>,
    /// The proposal that this one answers with another.
    pub counter_of: Option<ChangeOrderId>,
    /// Children of a bundle that were cancelled without their parent and bring nothing back.
    pub without_parent: Vec<LineId>,
    /// The side that proposed it.
    pub proposed_by: Option<Side>,
    /// Lines that come with it.
    pub added: Vec<AddedLine>,
    /// The carts that sold the order, if nothing of it is left after the change.
    pub carts: Vec<ExternalReference>,
    /// The return whose units are accepted, and what becomes of them.
    pub return_id: Option<ReturnId>,
    pub came_back: Vec<CameBack>,
    /// What its quote promised that moves.
    pub quoted: Option<Moves>,
    /// What is owed is paid out, and nothing more taken off the order.
    pub pay_out: Option<PayOut>,
}

/// What a proposal says that is nobody's but its parties': no auditor, event or list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InConfidence {
    /// What its author pays, unless whoever approves it does.
    pub pays: Vec<NewTender>,
    /// Where the goods are to go.
    pub address: Option<Address>,
}

/// How much of what is owed is paid out, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayOut {
    /// None is all of it, or what the tenders named come to.
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

/// What becomes of the units of a line that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameBack {
    pub line_id: LineId,
    /// They can be sold again.
    pub restock: i64,
    /// They cannot.
    pub write_off: i64,
    /// Empty is the warehouse that they had left.
    pub warehouse_id: String,
}

/// What cancelling costs: an amount, and a share of what is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    pub amount_minor: i64,
    pub basis_points: i64,
}

impl Fee {
    /// A fee never exceeds what the change gives back: nobody has to pay for cancelling.
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
    /// Why more goes back than is owed; empty where it does not.
    pub over_refund_reason: String,
}

/// What of a delivery group's charge a change gives back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupReversal {
    pub delivery_group: String,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
}

/// What one tender is to give back.
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
