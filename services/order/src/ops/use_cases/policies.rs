//! What a tenant writes about policies, reasons, its edition and its roles.

use prost::Message as _;
use proto::events::v1::RolesChanged;
use storage::{NewEvent, role_map};
use types::{Fingerprint, Grants, Refusal, Role, RoleMap};

use super::{Resource, UseCase, Work};
use crate::domain::policy::{Document, Edition, Selector, Shelf};
use crate::domain::reason::CancelReason;

/// Adds the next version of a policy.
pub struct UpsertPolicy {
    pub policy_id: String,
    pub document: Document,
}

/// Puts orders under a version of a policy.
pub struct ActivatePolicy {
    pub policy_id: String,
    pub version: i64,
    pub selector: Selector,
}

pub struct UpsertReason(pub CancelReason);

pub struct SetEdition(pub Edition);

/// Writes roles over those of the same name, and tells the other services of the whole map.
pub struct UpsertRoles(pub Vec<(Role, Grants)>);

/// What was written, by name: the text of a version such as "ours-2", the code of a reason, the name of an edition.
#[derive(Debug)]
pub struct Written(pub String);

impl Resource for Written {
    fn resource_id(&self) -> String {
        self.0.clone()
    }
}

impl UseCase for UpsertPolicy {
    const METHOD: &'static str = "UpsertPolicy";
    type Answer = Written;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.policy_id.as_bytes(), self.document.to_text().as_bytes()])
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Written, Refusal> {
        let mut kept = Shelf::clone(&work.shelf());
        let (actor, now) = (&work.asked.actor, work.books.now);
        let stored = kept.write(&self.policy_id, self.document.clone(), actor, now)?;
        let version = stored.policy.version_text();
        work.books.policies.written.policies.push((work.asked.tenant.clone(), stored));
        work.books.policies.put(&work.asked.tenant, kept);
        Ok(Written(version))
    }
}

impl UseCase for ActivatePolicy {
    const METHOD: &'static str = "ActivatePolicy";
    type Answer = Written;

    fn content(&self) -> Fingerprint {
        let (by, value) = self.selector.as_texts();
        let version = self.version.to_be_bytes();
        Fingerprint::of(&[self.policy_id.as_bytes(), &version, by.as_bytes(), value.as_bytes()])
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Written, Refusal> {
        let mut kept = Shelf::clone(&work.shelf());
        let policy = kept.choose(self.selector.clone(), &self.policy_id, self.version)?;
        let version = policy.version_text();
        let key = (work.asked.tenant.clone(), self.selector.clone());
        work.books.policies.written.choices.insert(key, (policy.policy_id, policy.version));
        work.books.policies.put(&work.asked.tenant, kept);
        Ok(Written(version))
    }
}

impl UseCase for UpsertReason {
    const METHOD: &'static str = "UpsertReason";
    type Answer = Written;

    fn content(&self) -> Fingerprint {
        let text = serde_json::to_string(&self.0).expect("texts always have a JSON form");
        Fingerprint::of(&[text.as_bytes()])
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Written, Refusal> {
        let reason = &self.0;
        let mut kept = Shelf::clone(&work.shelf());
        kept.offer(reason.clone())?;
        let key = (work.asked.tenant.clone(), reason.code.clone());
        work.books.policies.written.reasons.insert(key, reason.clone());
        work.books.policies.put(&work.asked.tenant, kept);
        Ok(Written(reason.code.clone()))
    }
}

impl UseCase for SetEdition {
    const METHOD: &'static str = "SetTenantCapabilities";
    type Answer = Written;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[format!("{:?}", self.0).as_bytes()])
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Written, Refusal> {
        let edition = &self.0;
        let mut kept = Shelf::clone(&work.shelf());
        kept.put_on(edition.clone());
        work.books.policies.written.editions.insert(work.asked.tenant.clone(), edition.clone());
        work.books.policies.put(&work.asked.tenant, kept);
        Ok(Written(edition.name.clone()))
    }
}

impl UseCase for UpsertRoles {
    const METHOD: &'static str = "UpsertRoles";
    type Answer = Written;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[format!("{:?}", self.0).as_bytes()])
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Written, Refusal> {
        let kept = Shelf::clone(&work.shelf()).grant(&work.asked.actor.role, &self.0)?;
        let (tenant, version) = (work.asked.tenant.clone(), kept.roles_version);
        let event = RolesChanged { version, roles: kit::roles::to_wire(&kept.roles) };
        work.books.tell_beside(NewEvent {
            tenant: tenant.clone(),
            event_id: work.books.ids.mint(),
            aggregate_type: kit::roles::AGGREGATE,
            aggregate_id: tenant.to_string(),
            aggregate_seq: version,
            kind: "countermand.events.v1.RolesChanged",
            payload: event.encode_to_vec(),
            traceparent: work.asked.traceparent.clone(),
            occurred_at: work.books.now,
        });
        let roles = RoleMap::clone(&kept.roles);
        work.books.policies.role_maps.push(role_map::Written { tenant: tenant.clone(), version, roles });
        work.books.policies.put(&tenant, kept);
        Ok(Written(version.to_string()))
    }
}
