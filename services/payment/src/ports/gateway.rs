//! What a gateway must be able to do. An adapter is a variant here.
//!
//! Its contract: a key that was applied is never applied again, however often and by whomever it is
//! sent; what became of a key can be asked; and what changes after an answer (a pending refund's end,
//! a late failure) is told by [`Gateway::notices`] until it is heard. No adapter says that something
//! was done because a call did not fail: "no answer" is an answer of its own.

use storage::DbError;
use types::{RefundId, Tenant};

use super::sandbox::Sandbox;
use crate::domain::gateway::{Answer, Task};

#[derive(Clone)]
pub enum Gateway {
    /// The built-in one; it stands in for every gateway that a tender names.
    Sandbox(Sandbox),
}

/// A change that a gateway reports by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub tenant: Tenant,
    pub refund_id: RefundId,
    pub answer: Answer,
}

impl Gateway {
    /// Asks for the effect. May take for ever: the caller has a limit.
    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        match self {
            Self::Sandbox(sandbox) => sandbox.call(tenant, task).await,
        }
    }

    /// What became of a key; none if the gateway never got it.
    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        match self {
            Self::Sandbox(sandbox) => sandbox.query(tenant, task).await,
        }
    }

    /// Changes that were not heard yet, the oldest first, at most a page of them.
    pub async fn notices(&self) -> Result<Vec<Notice>, DbError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.notices().await,
        }
    }

    /// The notice is recorded with us and need not be repeated.
    pub async fn heard(&self, notice: &Notice) -> Result<(), DbError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.heard(&notice.tenant, notice.refund_id.as_str()).await,
        }
    }
}
