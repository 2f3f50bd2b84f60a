//! UpsertPolicy, GetPolicy, ListPolicies, ActivatePolicy.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::{Reason, Refusal};

use crate::api::convert::{missing, not_negative, request_id, required, unknown_value};
use crate::domain::policy::{Document, Policy, Selector, Shelf};
use crate::ops::Orders;
use crate::ops::use_cases::{ActivatePolicy, UpsertPolicy, Written};
use crate::wire::policy as shown;

const NAME_LENGTH_MAX: usize = 64;
const VALUE_LENGTH_MAX: usize = 128;
const DOCUMENT_BYTES_MAX: usize = 128 * 1024;

pub async fn upsert(
    orders: &Orders,
    request: Request<wire::UpsertPolicyRequest>,
) -> Result<wire::UpsertPolicyResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let request_id = request_id(&request.request_id)?;
    let upsert =
        UpsertPolicy { policy_id: policy_id(&request.policy_id)?, document: document(&request.document)? };
    let Written(written) = orders.ask(&caller, request_id, upsert).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let policy = by_version_text(&shelf, &written)?;
    Ok(wire::UpsertPolicyResponse { policy: Some(shown(&shelf, policy, true)) })
}

pub async fn get(
    orders: &Orders,
    request: Request<wire::GetPolicyRequest>,
) -> Result<wire::GetPolicyResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let policy_id = policy_id(&request.policy_id)?;
    let version = not_negative("version", request.version)?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let policy = shelf.find(&policy_id, version);
    let policy = policy.ok_or_else(|| Failure::not_found("Policy", &policy_id))?;
    Ok(wire::GetPolicyResponse { policy: Some(shown(&shelf, policy, true)) })
}

pub async fn list(
    orders: &Orders,
    request: Request<wire::ListPoliciesRequest>,
) -> Result<wire::ListPoliciesResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let shelf = orders.shelf(&caller.tenant).await?;
    let mut all: Vec<&Policy> =
        shelf.presets.iter().chain(shelf.policies.values().map(|stored| &stored.policy)).collect();
    all.sort_by_key(|policy| (&policy.policy_id, policy.version));
    let policies = all.into_iter().map(|policy| shown(&shelf, policy, false)).collect();
    Ok(wire::ListPoliciesResponse { policies })
}

pub async fn activate(
    orders: &Orders,
    request: Request<wire::ActivatePolicyRequest>,
) -> Result<wire::ActivatePolicyResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let request_id = request_id(&request.request_id)?;
    let activate = ActivatePolicy {
        policy_id: policy_id(&request.policy_id)?,
        version: not_negative("version", request.version)?,
        selector: selector(request.selector.as_ref())?,
    };
    let Written(chosen) = orders.ask(&caller, request_id, activate).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let policy = by_version_text(&shelf, &chosen)?;
    Ok(wire::ActivatePolicyResponse { policy: Some(shown(&shelf, policy, true)) })
}

/// The version that a command has written, by the text that stands for it.
fn by_version_text<'a>(shelf: &'a Shelf, text: &str) -> Result<&'a Policy, Failure> {
    let named = text.rsplit_once('-').and_then(|(name, version)| Some((name, version.parse().ok()?)));
    let policy = named.and_then(|(name, version)| shelf.find(name, version));
    policy.ok_or_else(|| Failure::internal("a policy that was just written is not there"))
}

pub(super) fn policy_id(given: &str) -> Result<String, Refusal> {
    let name = required("policy_id", NAME_LENGTH_MAX, given)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if name.bytes().all(plain) {
        return Ok(name);
    }
    let message = "a policy is named by lower-case letters, digits, '-' and '_'";
    Err(Refusal::new(Reason::FieldInvalid, message).field("policy_id"))
}

pub(super) fn document(given: &str) -> Result<Document, Refusal> {
    if given.len() > DOCUMENT_BYTES_MAX {
        let message = format!("a document has at most {DOCUMENT_BYTES_MAX} bytes");
        return Err(Refusal::new(Reason::FieldTooLong, message).field("document"));
    }
    Document::parse_new(given)
        .map_err(|error| Refusal::new(Reason::FieldInvalid, error.to_string()).field("document"))
}

fn selector(given: Option<&wire::PolicySelector>) -> Result<Selector, Refusal> {
    let given = given.ok_or_else(|| missing("selector", "say which orders are to be under the policy"))?;
    let value = || required("selector.value", VALUE_LENGTH_MAX, &given.value);
    match wire::PolicySelectorKind::try_from(given.kind) {
        Ok(wire::PolicySelectorKind::Tenant) if given.value.is_empty() => Ok(Selector::Tenant),
        Ok(wire::PolicySelectorKind::Tenant) => {
            let message = "all orders of the tenant need no value";
            Err(Refusal::new(Reason::FieldInvalid, message).field("selector.value"))
        }
        Ok(wire::PolicySelectorKind::Channel) => Ok(Selector::Channel(value()?)),
        Ok(wire::PolicySelectorKind::Supplier) => Ok(Selector::Supplier(value()?)),
        Ok(wire::PolicySelectorKind::Unspecified) => {
            Err(missing("selector.kind", "say which orders are to be under the policy"))
        }
        Err(_) => Err(unknown_value("selector.kind", given.kind)),
    }
}
