//! What a carrier must be able to do. An adapter is a variant here.
//!
//! Its contract: a label's id is the key, and a label is voided once, however often and by whomever it is asked; what
//! was not decided is told when it is asked again. A lost answer is no answer.

use types::{LabelId, Tenant};

use super::sandbox::Sandbox;
use crate::domain::{CarrierAnswer, Label};

#[derive(Clone)]
pub enum Carrier {
    /// The built-in one.
    Sandbox(Sandbox),
}

impl Carrier {
    /// Asks to void the label, or what became of it. May take for ever: the caller has a limit.
    pub async fn void(&self, tenant: &Tenant, id: &LabelId, label: &Label) -> CarrierAnswer {
        match self {
            Self::Sandbox(sandbox) => sandbox.void(tenant, id, &label.token).await,
        }
    }
}
