//! Who asks, and under which name, from what the gate knows of the caller.

use kit::{Failure, Principal};
use storage::RequestKey;
use types::{Fingerprint, Permission, RequestId};

use crate::domain::order::Actor;
use crate::domain::quote::Bearer;
use crate::ops::command::Asked;

pub fn asked(principal: &Principal, method: &str, request_id: RequestId, content: &[&[u8]]) -> Asked {
    Asked {
        tenant: principal.tenant.clone(),
        fingerprint: Fingerprint::of(content),
        actor: actor(principal),
        reach: principal.grants.reach,
        key: request_key(principal, method, request_id),
        traceparent: kit::telemetry::traceparent(),
    }
}

pub fn request_key(principal: &Principal, method: &str, request_id: RequestId) -> RequestKey {
    RequestKey {
        tenant: principal.tenant.clone(),
        subject: principal.subject(),
        method: method.to_owned(),
        request_id,
    }
}

/// Whose quotes a caller may come with.
pub fn bearer(principal: &Principal) -> Bearer {
    if principal.holds(Permission::QuoteAny) { Bearer::Anyone } else { Bearer::Subject(principal.subject()) }
}

/// Who calls, as it is recorded.
pub fn actor(principal: &Principal) -> Actor {
    Actor {
        user: principal.user.clone(),
        organisation: principal.organisation.clone(),
        role: principal.role.to_string(),
    }
}

pub fn unexpected() -> Failure {
    Failure::internal("a command was answered by another command's answer")
}
