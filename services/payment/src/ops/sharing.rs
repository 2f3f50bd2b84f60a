//! Writing down payments that several orders share.

use std::time::Duration;

use kit::Failure;
use storage::Database;
use types::{Reason, Refusal, Tenant};

use crate::domain::gateway::{PartialCapture, Reading};
use crate::domain::payment::Kind;
use crate::domain::shared::SharedPayment;
use crate::ports::gateway::Gateways;
use crate::store::{adoption, shared_payment};

/// Who writes them down; cheap to clone.
#[derive(Clone)]
pub struct Sharing {
    pub database: Database,
    pub gateways: Gateways,
    /// How long a gateway is waited for.
    pub patience: Duration,
}

impl Sharing {
    /// Writes one down. The gateway's reference makes a repeat the same one.
    pub async fn record(&self, tenant: &Tenant, wanted: SharedPayment) -> Result<SharedPayment, Failure> {
        may_be_shared(&self.gateways, &wanted)?;
        let known =
            self.database.reading(async |tx| shared_payment::named(tx, tenant, &wanted).await).await?;
        let kept = match known {
            Some(known) => known,
            None => self.write_down(tenant, wanted.clone()).await?,
        };
        let same = (kept.currency, kept.authorised_minor, kept.captured)
            == (wanted.currency, wanted.authorised_minor, wanted.captured);
        if !same {
            let refusal =
                Refusal::new(Reason::StateConflict, "this payment is shared already, with other amounts");
            return Err(refusal.detail("shared_payment_id", &kept.shared_payment_id).into());
        }
        Ok(kept)
    }

    /// The whole is read at the gateway once, before any order has a part of it.
    async fn write_down(&self, tenant: &Tenant, wanted: SharedPayment) -> Result<SharedPayment, Failure> {
        let read = self.gateways.read(tenant, &wanted.gateway, &wanted.gateway_reference);
        let read = tokio::time::timeout(self.patience, read).await;
        let holding = match read {
            Ok(Reading::Holds(holding)) => holding,
            Ok(Reading::Refuted { detail }) => return Err(not_verified(&wanted, &detail).into()),
            Ok(Reading::Silent { detail }) => return Err(Refusal::new(Reason::OutcomeUnknown, detail).into()),
            Err(_) => {
                let message = "the gateway did not answer in time";
                return Err(Refusal::new(Reason::OutcomeUnknown, message).into());
            }
        };
        if let Some(detail) = wanted.disproof(tenant, &holding) {
            return Err(not_verified(&wanted, &detail).into());
        }
        let wanted = SharedPayment { gateway_reference: holding.reference, ..wanted };
        let place = (self.gateways.account(&wanted.gateway).to_owned(), wanted.gateway_reference.clone());
        let kept = self
            .database
            .write("payment.record_shared_payment", |mut tx| {
                let (tenant, wanted, place) = (tenant.clone(), wanted.clone(), place.clone());
                async move {
                    let free = adoption::take(&mut tx, place, &tenant, &wanted.shared_payment_id).await?;
                    let kept = if free {
                        Some(shared_payment::record(&mut tx, &tenant, &wanted).await?)
                    } else {
                        // It may be this very one, under another of its names.
                        shared_payment::named(&mut tx, &tenant, &wanted).await?
                    };
                    Ok((tx, kept))
                }
            })
            .await?;
        let elsewhere =
            || not_verified(&wanted, "an order has this payment already, or somebody else shares it");
        kept.ok_or_else(|| elsewhere().into())
    }
}

fn not_verified(wanted: &SharedPayment, detail: &str) -> Refusal {
    Refusal::new(Reason::PaymentNotVerified, "the payment is not what it was said to be")
        .field("gateway_reference")
        .detail("gateway", &wanted.gateway)
        .detail("gateway_detail", detail)
}

/// Where the first capture drops what is left of an authorisation, one order's capture would take the others' away.
fn may_be_shared(gateways: &Gateways, wanted: &SharedPayment) -> Result<(), Refusal> {
    gateways.check(&wanted.gateway)?;
    let ours = Kind::named(&wanted.gateway) != Kind::Gateway;
    let drops = gateways
        .capabilities(&wanted.gateway)
        .is_some_and(|able| able.partial_capture == PartialCapture::DropsTheRest);
    if ours || (drops && !wanted.captured) {
        let message =
            "this gateway gives the rest back with the first capture, or is none: share what is captured";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("gateway"));
    }
    Ok(())
}
