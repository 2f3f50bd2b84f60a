//! What is agreed beside units and price: what the caller says with a request, and on what terms it was accepted.

use serde::{Deserialize, Serialize};
use types::{ChangeOrderId, LineId, PaymentId, RefundId};

use super::policy::{Grant, ShippingRule, Unconfirmed};

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
    /// What a partner's silence comes to.
    pub unconfirmed: Unconfirmed,
    /// Shipped units may be taken where they are.
    pub allow_shipped: bool,
    /// Why the caller was allowed.
    pub grant: Option<Grant>,
    pub supplier_contacted: bool,
    pub supplier_contact_ref: String,
    pub confirmed: bool,
    pub forced: bool,
    /// The rule of the fee, if one was charged.
    pub fee_rule: String,
    /// Lines that stay although all that is eligible was asked for, and why.
    pub skipped: Vec<Skipped>,
    /// The refund that a change tries again, without taking anything more off the order.
    pub retry_of: Option<RefundId>,
    /// The proposal that this one answers with another.
    pub counter_of: Option<ChangeOrderId>,
    /// Children of a bundle that were cancelled without their parent and bring nothing back.
    pub without_parent: Vec<LineId>,
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
