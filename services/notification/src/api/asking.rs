//! Who asks, and under which request id.

use kit::{Failure, Principal};
use storage::RequestKey;
use tonic::Request;
use types::{Fingerprint, Refusal, RequestId};

use crate::ops::webhooks::Asked;

pub fn operator<T>(request: &Request<T>) -> Result<Principal, Failure> {
    let caller = Principal::of(request)?.clone();
    Ok(caller)
}

/// A change under its request id; `content` says whether a repeat is the same request.
pub fn asked(caller: &Principal, method: &str, request_id: &str, content: &[&str]) -> Result<Asked, Refusal> {
    let request_id = RequestId::parse(request_id).map_err(Refusal::from)?;
    let content: Vec<&[u8]> = content.iter().map(|part| part.as_bytes()).collect();
    let key = RequestKey {
        tenant: caller.tenant.clone(),
        subject: caller.subject(),
        method: method.to_owned(),
        request_id,
    };
    Ok(Asked { key, fingerprint: Fingerprint::of(&content) })
}
