//! One order of a file, as another system knows it, and whether it can be brought in.

use proto::common::v1::{ExternalReference, Wait};
use proto::order::v1::{
    CreateOrderRequest, ExternalPaymentInput, LineInput, LineTax, Parties, ShippingInput,
};
use serde::Deserialize;
use types::{Currency, Fingerprint};

use crate::{amounts, render};

const QUANTITY_MAX: i64 = 1_000_000;
pub const LINES_MAX: usize = 1_000;

/// Amounts are decimal text in major units, such as "3.95".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// The order's name in its own system; brings it in once.
    pub reference: String,
    /// The order's number here; the reference when empty.
    pub number: String,
    pub currency: String,
    /// When it was placed there (RFC 3339).
    pub placed_at: String,
    pub customer: String,
    pub buyer: String,
    pub supplier: String,
    pub router: String,
    pub contact: String,
    pub lines: Vec<Line>,
    /// Off the whole order.
    pub discount: String,
    pub shipping: String,
    pub shipping_tax: String,
    pub payments: Vec<Payment>,
    /// Why units were cancelled: a code of `countermand reasons list`.
    pub reason: String,
    pub note: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    pub sku: String,
    pub description: String,
    /// Units ordered; those below are among them.
    pub quantity: i64,
    pub unit_price: String,
    pub discount: String,
    pub tax: String,
    /// The price contains the tax.
    pub tax_included: bool,
    pub shipped: i64,
    /// Of the shipped ones.
    pub delivered: i64,
    pub cancelled: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payment {
    pub gateway: String,
    /// The gateway's name of it.
    pub reference: String,
    pub authorised: String,
    pub captured: String,
    /// Given back already, of what was captured.
    pub refunded: String,
}

/// Units of a line, by its number.
pub type Units = Vec<(i64, i64)>;

/// An order that can be brought in.
#[derive(Debug, Clone)]
pub struct Checked {
    pub currency: Currency,
    /// All but its request id.
    pub request: CreateOrderRequest,
    /// Ordered, shipped and cancelled units of each line, in their order.
    pub units: Vec<(i64, i64, i64)>,
    pub delivered: Units,
    /// What was given back of each payment, in their order.
    pub refunded: Vec<i64>,
    pub total_minor: i64,
    pub reason: String,
    pub note: String,
}

impl Checked {
    pub fn reference(&self) -> &ExternalReference {
        &self.request.external_references[0]
    }

    /// Short, and the same for the same order of the same system.
    pub fn fingerprint(&self) -> String {
        let ExternalReference { system, reference } = self.reference();
        Fingerprint::of(&[system.as_bytes(), reference.as_bytes()]).as_str()[..32].to_owned()
    }

    pub fn shipped(&self) -> Units {
        numbered(&self.units, |(_, shipped, _)| shipped)
    }

    pub fn cancelled(&self) -> Units {
        numbered(&self.units, |(_, _, cancelled)| cancelled)
    }

    /// Where it stands, in words.
    pub fn state(&self) -> &'static str {
        let sum = |of: fn(&(i64, i64, i64)) -> i64| self.units.iter().map(of).sum::<i64>();
        let (ordered, shipped, cancelled) =
            (sum(|units| units.0), sum(|units| units.1), sum(|units| units.2));
        match (shipped, cancelled) {
            (0, 0) => "open",
            (0, cancelled) if cancelled == ordered => "cancelled",
            (0, _) => "partly cancelled",
            (shipped, 0) if shipped == ordered => "shipped",
            (_, 0) => "partly shipped",
            (_, _) => "partly shipped and cancelled",
        }
    }
}

/// Those that are more than 0.
fn numbered(units: &[(i64, i64, i64)], of: fn((i64, i64, i64)) -> i64) -> Units {
    let numbered = (1_i64..).zip(units).map(|(number, units)| (number, of(*units)));
    numbered.filter(|(_, units)| *units > 0).collect()
}

impl Record {
    /// What would be refused, said before anything is asked; each with what to do about it.
    pub fn check(self, system: &str) -> Result<Checked, String> {
        if self.reference.is_empty() {
            return Err("it has no reference; give the order's name in its own system".to_owned());
        }
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return Err(format!("it has {} lines; an order has 1 to {LINES_MAX}", self.lines.len()));
        }
        let currency = Currency::parse(&self.currency)
            .map_err(|_| format!("{:?} is no currency; write a code such as GBP", self.currency))?;
        let minor = |field: &str, text: &str| minor(currency, field, text);
        let mut total = 0;
        let (mut lines, mut units, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
        for (number, line) in (1_i64..).zip(&self.lines) {
            let (input, amount) = line.check(currency).map_err(|why| format!("its line {number} {why}"))?;
            total += amount;
            units.push((line.quantity, line.shipped, line.cancelled));
            if line.delivered > 0 {
                delivered.push((number, line.delivered));
            }
            lines.push(input);
        }
        let order_discount_minor = minor("discount", &self.discount)?;
        let shipping = ShippingInput {
            amount_minor: minor("shipping", &self.shipping)?,
            tax_minor: minor("shipping_tax", &self.shipping_tax)?,
            ..ShippingInput::default()
        };
        total += shipping.amount_minor + shipping.tax_minor - order_discount_minor;
        let (external_payments, refunded) = self.paid(currency, total)?;
        let number = if self.number.is_empty() { self.reference.clone() } else { self.number };
        let parties = Parties {
            buyer: self.buyer,
            supplier: self.supplier,
            source_router: self.router,
            client_contact: self.contact,
        };
        let request = CreateOrderRequest {
            number,
            currency_code: currency.code().to_owned(),
            lines,
            order_discount_minor,
            shipping: if shipping == ShippingInput::default() { Vec::new() } else { vec![shipping] },
            external_payments,
            parties: if parties == Parties::default() { None } else { Some(parties) },
            customer_id: self.customer,
            external_references: vec![ExternalReference {
                system: system.to_owned(),
                reference: self.reference,
            }],
            wait: Wait::Completed.into(),
            placed_at: self.placed_at,
            ..CreateOrderRequest::default()
        };
        let reason = if self.reason.is_empty() { "CUSTOMER_REQUEST".to_owned() } else { self.reason };
        Ok(Checked {
            currency,
            request,
            units,
            delivered,
            refunded,
            total_minor: total,
            reason,
            note: self.note,
        })
    }

    fn paid(&self, currency: Currency, total: i64) -> Result<(Vec<ExternalPaymentInput>, Vec<i64>), String> {
        let (mut payments, mut refunds) = (Vec::new(), Vec::new());
        for payment in &self.payments {
            let name = &payment.reference;
            if payment.gateway.is_empty() || name.is_empty() {
                return Err(
                    "a payment has no gateway or no reference; both are needed to refund it".to_owned()
                );
            }
            let captured_minor = minor(currency, "captured", &payment.captured)?;
            let authorised_minor = match payment.authorised.as_str() {
                "" => captured_minor,
                authorised => minor(currency, "authorised", authorised)?,
            };
            let refunded = minor(currency, "refunded", &payment.refunded)?;
            if captured_minor > authorised_minor {
                return Err(format!("payment {name} captured more than was authorised; correct one of them"));
            }
            if refunded > captured_minor {
                return Err(format!("payment {name} refunded more than was captured; correct one of them"));
            }
            payments.push(ExternalPaymentInput {
                gateway: payment.gateway.clone(),
                reference: name.clone(),
                authorised_minor,
                captured_minor,
                attested: true,
            });
            refunds.push(refunded);
        }
        let paid: i64 = payments.iter().map(|payment| payment.authorised_minor).sum();
        if paid != total {
            let (paid, total) = (render::money(currency.code(), paid), render::money(currency.code(), total));
            return Err(format!(
                "its payments authorise {paid} and it came to {total}; they have to agree as they were when it was placed"
            ));
        }
        Ok((payments, refunds))
    }
}

impl Line {
    /// The line as it is asked for, and what it came to.
    fn check(&self, currency: Currency) -> Result<(LineInput, i64), String> {
        let Self { quantity, shipped, delivered, cancelled, .. } = *self;
        if self.sku.is_empty() {
            return Err("has no sku".to_owned());
        }
        if !(1..=QUANTITY_MAX).contains(&quantity) {
            return Err(format!("orders {quantity} units; write 1 to {QUANTITY_MAX}"));
        }
        if [shipped, delivered, cancelled].iter().any(|units| *units < 0) || delivered > shipped {
            return Err("delivers more than it shipped, or less than nothing".to_owned());
        }
        if shipped.saturating_add(cancelled) > quantity {
            return Err(format!(
                "shipped {shipped} and cancelled {cancelled} of {quantity} units; correct one of them"
            ));
        }
        let gross =
            amounts::product(currency, &self.unit_price, quantity).map_err(|error| format!("{error:#}"))?;
        let line_discount_minor = minor(currency, "discount", &self.discount)?;
        let tax = minor(currency, "tax", &self.tax)?;
        if line_discount_minor > gross {
            return Err("has a discount of more than its price".to_owned());
        }
        let input = LineInput {
            sku: self.sku.clone(),
            description: self.description.clone(),
            quantity,
            unit_price: self.unit_price.clone(),
            line_discount_minor,
            tax: (tax > 0).then_some(LineTax { amount_minor: tax, included: self.tax_included }),
            ..LineInput::default()
        };
        let on_top = if self.tax_included { 0 } else { tax };
        Ok((input, gross - line_discount_minor + on_top))
    }
}

fn minor(currency: Currency, field: &str, text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    amounts::minor(currency, text).map_err(|error| format!("{field}: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"reference": "1", "currency": "GBP", "shipping": "3.95", "discount": "1.00",
        "lines": [{"sku": "A", "quantity": 3, "unit_price": "3.39", "tax": "1.63", "tax_included": true, "shipped": 1},
                  {"sku": "B", "quantity": 2, "unit_price": "7.50", "discount": "1.50", "cancelled": 2}],
        "payments": [{"gateway": "sandbox", "reference": "ch_1", "captured": "26.62", "refunded": "12.93"}]}"#;

    fn check(text: &str) -> Result<Checked, String> {
        serde_json::from_str::<Record>(text).map_err(|error| error.to_string())?.check("shop")
    }

    #[test]
    fn a_record_says_what_was_paid_shipped_and_cancelled() {
        let order = check(ORDER).unwrap();
        assert_eq!((order.total_minor, &order.refunded[..]), (2_662, &[1_293][..]));
        assert_eq!((order.shipped(), order.cancelled()), (vec![(1, 1)], vec![(2, 2)]));
        assert_eq!((order.state(), order.request.number.as_str()), ("partly shipped and cancelled", "1"));
    }

    #[test]
    fn what_does_not_add_up_is_refused_with_what_to_do() {
        for (from, to, said) in [
            (r#""captured": "26.62""#, r#""captured": "26.60""#, "they have to agree"),
            (r#""shipped": 1"#, r#""shipped": 4"#, "its line 1 shipped 4 and cancelled 0 of 3 units"),
            (r#""refunded": "12.93""#, r#""refunded": "30.00""#, "refunded more than was captured"),
            (r#""reference": "1""#, r#""reference": """#, "it has no reference"),
            (r#""GBP""#, r#""pounds""#, "is no currency"),
            (r#""3.95""#, r#""3.955""#, "more decimals"),
            (r#""sku": "A""#, r#""sko": "A""#, "unknown field"),
        ] {
            let why = check(&ORDER.replacen(from, to, 1)).map(|_| ()).unwrap_err();
            assert!(why.contains(said), "{to}: {why}");
        }
    }
}
