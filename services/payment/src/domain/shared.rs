//! A payment that several orders share: one authorisation at the gateway, of which each order holds a part as a tender of
//! its own. What becomes of one part never touches another.

use std::collections::BTreeSet;

use types::{Currency, PaymentId, Reason, Refusal, Tenant, Timestamp};

use super::account::Account;
use super::gateway::{Holding, Statement};
use super::moment::Moment;
use super::origin::Origin;
use super::payment::Proof;
use super::placing::{ExternalPayment, Tender};
use super::split::Form;

/// The name that stands in the place of a tender's gateway; its token is then the shared payment's id.
pub const GATEWAY: &str = "shared";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPayment {
    pub shared_payment_id: PaymentId,
    pub gateway: String,
    pub gateway_reference: String,
    pub currency: Currency,
    pub authorised_minor: i64,
    /// Captured as a whole before it was shared.
    pub captured: bool,
    /// The sums over all parts.
    pub allotted_minor: i64,
    pub captured_minor: i64,
    pub voided_minor: i64,
    pub refunded_minor: i64,
    pub created_at: Timestamp,
}

/// Which shared payment a tender is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub shared_payment_id: PaymentId,
    pub captured: bool,
}

/// What the other orders' parts account for in the gateway's book of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Siblings {
    pub captured_minor: i64,
    /// Their refunds and disputes, by our ids and by the gateway's.
    pub references: BTreeSet<String>,
}

impl SharedPayment {
    /// Gives an order its part: all parts together are never more than was authorised.
    pub fn allot(&mut self, tender: &Tender, currency: Currency) -> Result<Tender, Refusal> {
        if currency != self.currency {
            let refusal = Refusal::new(Reason::CurrencyMismatch, "the shared payment has another currency");
            return Err(refusal.detail("shared_currency", self.currency));
        }
        let left = self.authorised_minor - self.allotted_minor;
        if tender.amount_minor > left {
            let refusal =
                Refusal::new(Reason::ExceedsAuthorised, "so much is not left of the shared payment");
            return Err(refusal
                .detail("shared_payment_id", &self.shared_payment_id)
                .detail("left_minor", left)
                .detail("asked_minor", tender.amount_minor));
        }
        self.allotted_minor += tender.amount_minor;
        let part = Part { shared_payment_id: self.shared_payment_id.clone(), captured: self.captured };
        Ok(Tender {
            gateway: self.gateway.clone(),
            token: self.gateway_reference.clone(),
            part: Some(part),
            ..tender.clone()
        })
    }
}

impl SharedPayment {
    /// What of the gateway's word contradicts it; for people. No part of it may be gone or spoken for.
    pub fn disproof(&self, tenant: &Tenant, holding: &Holding) -> Option<String> {
        if holding.order_id.is_some() || holding.tenant.as_ref().is_some_and(|named| named != tenant.as_str())
        {
            return Some("the gateway has it as somebody else's".to_owned());
        }
        if holding.currency != self.currency {
            return Some(format!("the gateway has it in {}", holding.currency.code()));
        }
        let (captured, open) =
            if self.captured { (self.authorised_minor, 0) } else { (0, self.authorised_minor) };
        let found = (holding.captured_minor, holding.open_minor, holding.refunded_minor);
        (found != (captured, open, 0)).then(|| {
            format!(
                "the gateway has captured {}, holds {} uncaptured and has given {} back",
                found.0, found.1, found.2
            )
        })
    }
}

impl Siblings {
    /// The gateway's book of the whole, less what is the other orders'.
    pub fn left_out_of(&self, statement: &Statement) -> Statement {
        let theirs = |reference: &str| self.references.contains(reference);
        let mut own = statement.clone();
        own.captured_minor = (own.captured_minor - self.captured_minor).max(0);
        own.refunds.retain(|refund| {
            let ours = refund.refund_id.as_ref().is_some_and(|id| theirs(id.as_str()));
            !ours && !theirs(&refund.gateway_reference)
        });
        own.disputes.retain(|dispute| !theirs(&dispute.gateway_reference));
        own
    }
}

impl Account {
    /// Writes this order's part down. No gateway is asked: the whole was agreed to before.
    pub(super) fn take_part(
        &mut self,
        tender: &Tender,
        part: &Part,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let external = ExternalPayment {
            payment_id: tender.payment_id.clone(),
            gateway: tender.gateway.clone(),
            reference: tender.token.clone(),
            authorised_minor: tender.amount_minor,
            captured_minor: if part.captured { tender.amount_minor } else { 0 },
            attested: false,
        };
        self.bring_in(&external, origin, moment)?;
        let payment = self.payments.get_mut(&tender.payment_id).expect("it was just brought in");
        // The whole was read at the gateway when it was written down.
        payment.proof = Proof::Known;
        payment.shared_payment_id = Some(part.shared_payment_id.clone());
        payment.capture_now = tender.capture_now && !part.captured;
        Ok(())
    }

    /// A part that is just being captured is passed over: nothing is asked of the gateway for it until that has ended, and
    /// somebody is told.
    pub(super) fn report_part_in_capture(&mut self, refund_id: &types::RefundId, form: Form) {
        let refund = &self.refunds[refund_id];
        let payment = self.payment(&refund.payment_id);
        let (Form::InFlight, Some(shared)) = (form, &payment.shared_payment_id) else { return };
        let message =
            "this order's part of a shared payment is being captured; it is given back when that has ended";
        let cause = Refusal::new(Reason::StateConflict, message)
            .detail("shared_payment_id", shared)
            .detail("payment_id", &payment.payment_id)
            .detail("amount_minor", refund.amount_minor);
        let change_order_id = refund.change_order_id.clone();
        self.raise_attention("refund", refund_id.clone().as_str(), change_order_id, cause);
    }
}
