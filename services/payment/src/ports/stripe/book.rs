//! Reading Stripe's own book: what was done with one payment, by us and by others.

use serde::de::DeserializeOwned;
use serde_json::Value;
use types::RefundId;

use super::api::{Charge, Dispute, Failure, List, PaymentIntent, Refund};
use super::{Stripe, amount, authorised, id, is_charge, payment_field, refunded};
use crate::domain::gateway::{Answer, DisputeState, FoundDispute, FoundRefund, Statement, Task};

/// Stripe's largest page, and how many of them are read: a payment of more refunds is not a payment.
const PAGE: usize = 100;
const PAGES_MAX: usize = 20;

impl Stripe {
    /// By our id in the metadata, through Stripe's search. What it finds is true; it may find a new
    /// payment a minute late, and sending the same key meanwhile does no harm.
    pub(super) async fn find_authorisation(&self, task: &Task) -> Result<Option<Answer>, Failure> {
        if !task.authorisation.is_empty() {
            let path = format!("/v1/payment_intents/{}", id(&task.authorisation)?);
            return Ok(Some(authorised(&self.api.get(&path).await?)));
        }
        let query = format!("metadata%5B%27payment_id%27%5D%3A%27{}%27", id(task.subject.key())?);
        let path = format!("/v1/payment_intents/search?limit=1&query={query}");
        let found: List<PaymentIntent> = self.api.get(&path).await.map_err(|failure| match failure {
            // A gateway without the search has not said that there is no payment.
            Failure::Missing(detail) | Failure::Refused(detail) | Failure::Ambiguous(detail) => {
                Failure::Ambiguous(detail)
            }
        })?;
        Ok(found.data.first().map(authorised))
    }

    /// By our id in the metadata, among the refunds of the payment.
    pub(super) async fn find_refund(&self, task: &Task) -> Result<Option<Answer>, Failure> {
        let (given_back, _) = self.refunds(&task.authorisation).await?;
        let ours = given_back.iter().find(|refund| our_id(refund) == Some(task.subject.key()));
        Ok(ours.map(refunded))
    }

    pub(super) async fn read_statement(&self, task: &Task) -> Result<Statement, Failure> {
        let currency = task.currency;
        let minor = |amount| {
            amount::from_stripe(currency, amount).map_err(|refused| Failure::Ambiguous(refused.to_string()))
        };
        let (given_back, dropped) = self.refunds(&task.authorisation).await?;
        let dropped = dropped.iter().map(|refund| refund.amount).sum();
        let captured_minor = minor(self.captured_amount(task, dropped).await?)?;
        let mut refunds = Vec::new();
        for refund in given_back {
            refunds.push(FoundRefund {
                refund_id: our_id(&refund).and_then(|id| RefundId::parse(id).ok()),
                amount_minor: minor(refund.amount)?,
                answer: refunded(&refund),
                gateway_reference: refund.id,
            });
        }
        let mut disputes = Vec::new();
        for dispute in self.disputes(task).await? {
            disputes.push(FoundDispute {
                state: state_of(&dispute),
                amount_minor: minor(dispute.amount)?,
                gateway_reference: dispute.id,
            });
        }
        Ok(Statement { captured_minor, refunds, disputes })
    }

    /// Where the object does not tell, it is the whole amount without what was dropped.
    async fn captured_amount(&self, task: &Task, dropped: i64) -> Result<i64, Failure> {
        let reference = id(&task.authorisation)?;
        if is_charge(reference) {
            let charge: Charge = self.api.get(&format!("/v1/charges/{reference}")).await?;
            let whole = if charge.captured { charge.amount - dropped } else { 0 };
            return Ok(charge.amount_captured.unwrap_or(whole));
        }
        let intent: PaymentIntent = self.api.get(&format!("/v1/payment_intents/{reference}")).await?;
        let whole = if intent.status == "succeeded" { intent.amount - dropped } else { 0 };
        Ok(intent.amount_received.unwrap_or(whole))
    }

    /// What was given back; and beside it what only looks so: a capture of less than was authorised
    /// lists the rest as a refund of the charge that is none of the payment intent.
    pub(super) async fn refunds(&self, authorisation: &str) -> Result<(Vec<Refund>, Vec<Refund>), Failure> {
        let field = payment_field(authorisation);
        let path = format!("/v1/refunds?{field}={}", id(authorisation)?);
        let all = self.pages(&path, |refund: &Refund| refund.id.clone()).await?;
        let by_intent = field == "payment_intent";
        Ok(all.into_iter().partition(|refund| !(by_intent && refund.payment_intent.is_null())))
    }

    async fn disputes(&self, task: &Task) -> Result<Vec<Dispute>, Failure> {
        let path =
            format!("/v1/disputes?{}={}", payment_field(&task.authorisation), id(&task.authorisation)?);
        match self.pages(&path, |dispute: &Dispute| dispute.id.clone()).await {
            // Stripe answers an empty list; a fake that knows no disputes knows of none.
            Err(Failure::Missing(_)) => Ok(Vec::new()),
            read => read,
        }
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        id_of: impl Fn(&T) -> String,
    ) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let page: List<T> = self.api.get(&format!("{path}&limit={PAGE}{after}")).await?;
            let last = page.data.last().map(&id_of);
            all.extend(page.data);
            match last {
                Some(last) if page.has_more => after = format!("&starting_after={}", id(&last)?),
                _ => return Ok(all),
            }
        }
        Err(Failure::Ambiguous("the payment has more entries than are read".to_owned()))
    }
}

fn our_id(refund: &Refund) -> Option<&str> {
    refund.metadata.get("refund_id").and_then(Value::as_str)
}

/// A warning is not a dispute that took money; it counts from when it becomes one.
fn state_of(dispute: &Dispute) -> DisputeState {
    match dispute.status.as_str() {
        "won" | "warning_closed" | "prevented" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        _ => DisputeState::Open,
    }
}
