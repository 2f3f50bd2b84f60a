//! Deeds with money: given back beside units, tried again, taken late, or moved at the gateway itself.

use anyhow::Result;
use proto::payment::v1::{
    CapturePaymentRequest, Payment, PaymentState, Refund, RefundState, ResolveRefundRequest,
    RetryRefundRequest,
};

use super::life::SIMULATOR;
use super::living::{At, Outcome, chosen, heard, some};
use crate::scenarios::refund_only::refund;

impl At<'_> {
    pub async fn goodwill(self, choice: u32) -> Result<Outcome> {
        heard(refund(self.shop, &self.order_id(), some(choice, 700), "").await)
    }

    async fn failed(self, choice: u32) -> Result<Option<Refund>> {
        let refunds = self.shop.refunds(&self.order_id()).await?.into_iter();
        let failed = |refund: &Refund| {
            matches!(refund.state(), RefundState::Declined | RefundState::Reversed | RefundState::Manual)
        };
        Ok(chosen(choice, refunds.filter(failed).collect()))
    }

    pub async fn retry_refund(self, choice: u32) -> Result<Outcome> {
        let Some(failed) = self.failed(choice).await? else { return Ok(Outcome::Nothing) };
        let Some(other) = chosen(choice >> 2, self.living.payments().await?) else {
            return Ok(Outcome::Nothing);
        };
        let request = RetryRefundRequest {
            request_id: self.shop.request_id(),
            refund_id: failed.refund_id,
            payment_id: other.payment_id,
        };
        heard(self.shop.clients.refunds().retry_refund(request).await)
    }

    pub async fn resolve_refund(self, choice: u32) -> Result<Outcome> {
        let Some(failed) = self.failed(choice).await? else { return Ok(Outcome::Nothing) };
        let request = ResolveRefundRequest {
            request_id: self.shop.request_id(),
            refund_id: failed.refund_id,
            reference: "transfer 7".to_owned(),
            note: String::new(),
        };
        heard(self.shop.clients.refunds().resolve_refund(request).await)
    }

    pub async fn capture(self, choice: u32) -> Result<Outcome> {
        let payments = self.living.payments().await?.into_iter();
        let open = payments.filter(|payment| payment.state() == PaymentState::Authorised).collect();
        let Some(payment) = chosen(choice, open) else { return Ok(Outcome::Nothing) };
        let left = payment.authorised_minor - payment.captured_minor - payment.voided_minor;
        let amount_minor = if choice.is_multiple_of(3) { some(choice >> 2, left) } else { left };
        let request = CapturePaymentRequest {
            request_id: self.shop.request_id(),
            payment_id: payment.payment_id,
            amount_minor,
        };
        heard(self.shop.clients.payments().capture_payment(request).await)
    }

    /// A captured payment of the gateway that has a dashboard, and what is left of it.
    async fn at_gateway(self, choice: u32) -> Result<Option<(Payment, i64)>> {
        let payments = self.living.payments().await?.into_iter();
        let left = payments.filter(|payment| payment.gateway == SIMULATOR).map(|payment| {
            let left = payment.captured_minor
                - payment.refunded_minor
                - payment.returning_minor
                - payment.disputed_minor;
            (payment, left)
        });
        Ok(chosen(choice, left.filter(|(_, left)| *left > 0).collect()))
    }

    pub async fn refund_at_dashboard(self, choice: u32) -> Result<Outcome> {
        let Some((payment, left)) = self.at_gateway(choice).await? else { return Ok(Outcome::Nothing) };
        let id = self.shop.request_id();
        let amount_minor = some(choice >> 2, left);
        let done = self.living.simulator.refund(&payment.payment_id, &id, amount_minor).await?;
        Ok(if done { Outcome::Done } else { Outcome::Refused(String::new()) })
    }

    /// Opens the payment's one dispute, or ends it.
    pub async fn dispute(self, choice: u32, state: &str) -> Result<Outcome> {
        let payments = self.living.payments().await?.into_iter();
        let fits = |payment: &Payment| {
            let disputed = payment.disputed_minor > 0;
            payment.gateway == SIMULATOR
                && payment.captured_minor > payment.refunded_minor + payment.returning_minor
                && disputed == (state != "open")
        };
        let Some(payment) = chosen(choice, payments.filter(fits).collect()) else {
            return Ok(Outcome::Nothing);
        };
        let id = payment.payment_id.as_str();
        let amount_minor = if state == "open" {
            some(choice >> 2, payment.captured_minor - payment.refunded_minor - payment.returning_minor)
        } else {
            payment.disputed_minor
        };
        let done = self.living.simulator.dispute(id, amount_minor, state).await?;
        Ok(if done { Outcome::Done } else { Outcome::Refused(String::new()) })
    }
}
