//! What Stripe has of a payment that another system made there.

use serde_json::{Map, Value};
use types::{Currency, OrderId};

use super::api::{Charge, Failure, PaymentIntent};
use super::{Stripe, amount, id, is_charge};
use crate::domain::gateway::{Holding, Reading};

impl Stripe {
    pub async fn read_elsewhere(&self, reference: &str) -> Reading {
        match self.holding(reference).await {
            Ok(holding) => Reading::Holds(holding),
            Err(Failure::Refused(detail) | Failure::Missing(detail)) => Reading::Refuted { detail },
            Err(Failure::Ambiguous(detail)) => Reading::Silent { detail },
        }
    }

    /// A charge of a payment intent is that payment intent: one payment has one name here.
    async fn holding(&self, reference: &str) -> Result<Holding, Failure> {
        let reference = id(reference)?;
        if !is_charge(reference) {
            return self.intent_held(reference).await;
        }
        let charge: Charge = self.api.get(&format!("/v1/charges/{reference}")).await?;
        let intent = charge.payment_intent.get("id").unwrap_or(&charge.payment_intent);
        match intent.as_str() {
            Some(intent) => self.intent_held(id(intent)?).await,
            None => charge_held(reference, &charge),
        }
    }

    async fn intent_held(&self, reference: &str) -> Result<Holding, Failure> {
        let intent: PaymentIntent = self.api.get(&format!("/v1/payment_intents/{reference}")).await?;
        let (given_back, dropped) = self.refunds(reference).await?;
        let dropped: i64 = dropped.iter().map(|refund| refund.amount).sum();
        let refunded: i64 = given_back.iter().map(|refund| refund.amount).sum();
        let (captured, open) = match intent.status.as_str() {
            "succeeded" => (intent.amount_received.unwrap_or(intent.amount - dropped), 0),
            "requires_capture" => (0, intent.amount),
            "processing" => {
                return Err(Failure::Ambiguous("Stripe is still processing it".to_owned()));
            }
            other => return Err(Failure::Refused(format!("Stripe's payment is in state {other:?}"))),
        };
        held(reference, &intent.currency, [captured, open, refunded], &intent.metadata)
    }
}

fn charge_held(reference: &str, charge: &Charge) -> Result<Holding, Failure> {
    if charge.status.as_deref().is_some_and(|status| status != "succeeded") {
        return Err(Failure::Refused("Stripe's charge has not succeeded".to_owned()));
    }
    let amounts = if charge.captured {
        [charge.amount_captured.unwrap_or(charge.amount), 0, charge.amount_refunded]
    } else {
        // What was given back before the capture was never taken.
        [0, charge.amount - charge.amount_refunded, 0]
    };
    held(reference, &charge.currency, amounts, &charge.metadata)
}

fn held(
    reference: &str,
    currency: &str,
    amounts: [i64; 3],
    metadata: &Map<String, Value>,
) -> Result<Holding, Failure> {
    let currency = Currency::parse(&currency.to_ascii_uppercase())
        .map_err(|_| Failure::Refused(format!("{currency:?} is no currency")))?;
    let minor = |amount| {
        amount::from_stripe(currency, amount).map_err(|refused| Failure::Refused(refused.to_string()))
    };
    let said = |key: &str| metadata.get(key).and_then(Value::as_str);
    Ok(Holding {
        reference: reference.to_owned(),
        currency,
        captured_minor: minor(amounts[0])?,
        open_minor: minor(amounts[1])?,
        refunded_minor: minor(amounts[2])?,
        tenant: said("tenant").map(str::to_owned),
        // Another system's own numbers are not ours to judge.
        order_id: said("order_id").and_then(|text| OrderId::parse(text).ok()),
    })
}
