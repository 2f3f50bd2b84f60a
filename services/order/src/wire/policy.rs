//! Policies and reasons.

use proto::order::v1 as wire;
use types::text::display;

use super::shared::actor;
use crate::domain::policy::{Capability, Edition, Policy, Selector, Shelf, preset};
use crate::domain::reason::{CancelReason, Family};

/// A version of a policy as it stands on a tenant's shelf; without its document in lists.
pub fn policy(shelf: &Shelf, policy: &Policy, with_document: bool) -> wire::Policy {
    let key = (policy.policy_id.clone(), policy.version);
    let stored = shelf.policies.get(&key);
    let in_force = shelf.choices.iter().filter(|(_, chosen)| **chosen == key);
    wire::Policy {
        policy_id: policy.policy_id.clone(),
        version: policy.version,
        policy_version: policy.version_text(),
        preset: stored.is_none() && preset(&policy.policy_id).is_some(),
        summary: display(&policy.document.summary),
        document: if with_document { policy.document.to_text() } else { String::new() },
        created_by: stored.map(|stored| actor(&stored.created_by)),
        created_at: stored.map_or_else(String::new, |stored| stored.created_at.to_string()),
        in_force_for: in_force.map(|(selector, _)| self::selector(selector)).collect(),
    }
}

fn selector(selector: &Selector) -> wire::PolicySelector {
    let kind = match selector {
        Selector::Tenant => wire::PolicySelectorKind::Tenant,
        Selector::Channel(_) => wire::PolicySelectorKind::Channel,
        Selector::Supplier(_) => wire::PolicySelectorKind::Supplier,
    };
    wire::PolicySelector { kind: kind.into(), value: display(selector.as_texts().1) }
}

pub fn cancel_reason(reason: &CancelReason, language: &str) -> wire::CancelReason {
    let family = match reason.family {
        Family::NoLongerNeeded => wire::ReasonFamily::NoLongerNeeded,
        Family::CannotBeCompleted => wire::ReasonFamily::CannotBeCompleted,
    };
    wire::CancelReason {
        code: reason.code.clone(),
        family: family.into(),
        labels: reason.labels.clone(),
        note_required: reason.note_required,
        retired: !reason.active,
        integration_codes: reason.mapping.clone(),
        label: reason.label(language).to_owned(),
    }
}

pub fn tenant_capabilities(edition: &Edition) -> wire::TenantCapabilities {
    let capability = |capability: Capability| match capability {
        Capability::PartialCancellation => wire::Capability::PartialCancellation,
        Capability::CancelAfterShip => wire::Capability::CancelAfterShip,
        Capability::Batches => wire::Capability::Batches,
        Capability::Proposals => wire::Capability::Proposals,
        Capability::Rules => wire::Capability::Rules,
        Capability::Restoring => wire::Capability::Restoring,
        Capability::Goodwill => wire::Capability::Goodwill,
    };
    let capabilities = Capability::ALL.into_iter().map(|known| wire::TenantCapability {
        capability: capability(known).into(),
        included: !edition.withheld.contains(&known),
    });
    wire::TenantCapabilities { edition: display(&edition.name), capabilities: capabilities.collect() }
}
