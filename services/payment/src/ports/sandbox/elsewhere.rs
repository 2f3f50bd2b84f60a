//! Payments that came to this gateway from other systems, and what it says of any payment that it is asked about by name.

use std::future::pending;

use storage::DbError;
use types::{PaymentId, Tenant};

use super::store::charge::{self, Charge};
use super::{Behaviour, Effect, Outcome, Sandbox, store};
use crate::domain::gateway::{self, Holding, Reading};

/// One of the charges is there already, and another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeRefused {
    #[error("the gateway has another charge under the name {0:?}")]
    NameTaken(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Sandbox {
    /// Another system makes these charges. One that is there already is the same charge, or refuses all.
    pub async fn charge_elsewhere(&self, charges: &[Charge]) -> Result<(), ChargeRefused> {
        let now = self.clock.now();
        let references: Vec<&str> = charges.iter().map(|charge| charge.reference.as_str()).collect();
        let there = self
            .database
            .write("sandbox.charge_elsewhere", async |mut tx| {
                charge::insert(&mut tx, charges, now).await?;
                let there = charge::find(&mut tx, &references).await?;
                Ok((tx, there))
            })
            .await?;
        match charges.iter().find(|charge| !there.contains(charge)) {
            Some(other) => Err(ChargeRefused::NameTaken(other.reference.clone())),
            None => Ok(()),
        }
    }

    /// What the book has under a name. A name that this gateway never gave is nobody's.
    pub async fn read_elsewhere(&self, tenant: &Tenant, name: &str) -> Reading {
        if Behaviour::of(name) == Behaviour::LoseAuthorisation {
            return pending().await;
        }
        match self.holding(tenant, name).await {
            Ok(Some(holding)) => Reading::Holds(holding),
            Ok(None) => Reading::Refuted { detail: "the gateway has no payment of this name".to_owned() },
            Err(problem) => {
                tracing::warn!(%problem, "the sandbox gateway did not answer");
                Reading::Silent { detail: "the gateway is not available".to_owned() }
            }
        }
    }

    pub(super) async fn holding(&self, tenant: &Tenant, name: &str) -> Result<Option<Holding>, DbError> {
        let mut tx = self.database.read().await?;
        if let Some(charge) = charge::find(&mut tx, &[name]).await?.pop() {
            return Ok(Some(charge.holding()));
        }
        let Some(payment_id) = store::payment_of(name) else { return Ok(None) };
        let effects = store::of_payment(&mut tx, tenant, &payment_id).await?;
        Ok(own(tenant, &payment_id, &effects))
    }
}

impl Charge {
    fn holding(self) -> Holding {
        Holding {
            reference: self.reference,
            currency: self.currency,
            captured_minor: self.captured_minor,
            open_minor: self.authorised_minor - self.captured_minor,
            refunded_minor: self.refunded_minor,
            tenant: self.tenant.map(|tenant| tenant.as_str().to_owned()),
            order_id: self.order_id,
        }
    }
}

/// A payment that we asked this gateway for: its order stands in the metadata.
fn own(tenant: &Tenant, payment_id: &PaymentId, effects: &[Effect]) -> Option<Holding> {
    let asked = effects.iter().find(|effect| effect.kind == gateway::Effect::Authorise)?;
    let sum = |kind: gateway::Effect| -> i64 {
        let its = effects.iter().filter(|effect| effect.kind == kind && effect.outcome == Outcome::Applied);
        its.map(|effect| effect.amount_minor).sum()
    };
    let captured_minor = sum(gateway::Effect::Capture);
    let given_back = sum(gateway::Effect::Void) + sum(gateway::Effect::Lower);
    Some(Holding {
        reference: store::reference(payment_id.as_str()),
        currency: asked.currency,
        captured_minor,
        open_minor: sum(gateway::Effect::Authorise) - captured_minor - given_back,
        refunded_minor: sum(gateway::Effect::Refund),
        tenant: Some(tenant.as_str().to_owned()),
        order_id: Some(asked.order_id.clone()),
    })
}
