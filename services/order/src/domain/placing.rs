//! Making an order out of what was asked for: amounts are computed and divided once, and frozen.

use types::{Currency, Fingerprint, PaymentId, Quantity, Timestamp, UnitPrice};

use super::order::{ExternalReference, Order, Parties};

/// An order that was asked for: parsed field by field, its sums not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Minted when absent.
    pub number: Option<String>,
    pub currency: Currency,
    pub lines: Vec<NewLine>,
    pub order_discount_minor: i64,
    /// Beside the prices; divided over the lines.
    pub order_tax_minor: i64,
    /// Each delivery group at most once.
    pub shipping: Vec<NewShipping>,
    pub tenders: Vec<NewTender>,
    pub external_payments: Vec<NewExternalPayment>,
    pub parties: Parties,
    pub customer_id: String,
    pub references: Vec<ExternalReference>,
    /// Wait for ConfirmOrder instead of confirming by itself.
    pub confirm_later: bool,
    pub placed_at: Option<Timestamp>,
    /// Of the canonical request; what a request id is bound to.
    pub content: Fingerprint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub sku: String,
    pub description: String,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_discount_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub warehouse_id: Option<String>,
    pub delivery_group: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShipping {
    pub delivery_group: String,
    pub amount_minor: i64,
    pub tax_minor: i64,
}

/// A payment to authorise now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTender {
    pub gateway: String,
    pub payment_token: String,
    pub amount_minor: i64,
    pub capture_now: bool,
}

/// A payment made elsewhere before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExternalPayment {
    pub gateway: String,
    pub reference: String,
    pub authorised_minor: i64,
    /// At most the authorised amount.
    pub captured_minor: i64,
}

/// An order that was accepted, with what its saga needs beside it. The ids of its payments are
/// minted here, before the first step, so that even a lost answer can be undone by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub order: Order,
    pub tenders: Vec<(PaymentId, NewTender)>,
    pub external_payments: Vec<(PaymentId, NewExternalPayment)>,
    pub confirm_later: bool,
}
