//! A client's mutation on its way through group commit.

use kit::{Failure, Principal};
use prost::Message;
use storage::RequestKey;
use types::{Fingerprint, Refusal, RequestId};

use crate::ops::{Action, Inventory, RequestCommand, Resource};

/// Runs a mutation. `body` is the request without its id: it says whether a repeat under the same id is the same request.
pub async fn run(
    inventory: &Inventory,
    caller: &Principal,
    method: &str,
    request_id: &str,
    body: &impl Message,
    action: Action,
) -> Result<Resource, Failure> {
    let request_id = RequestId::parse(request_id).map_err(Refusal::from)?;
    let command = RequestCommand {
        key: RequestKey {
            tenant: caller.tenant.clone(),
            subject: caller.subject(),
            method: method.to_owned(),
            request_id,
        },
        fingerprint: Fingerprint::of(&[&body.encode_to_vec()]),
        action,
        traceparent: kit::telemetry::traceparent(),
    };
    Ok(inventory.request(command).await??)
}
