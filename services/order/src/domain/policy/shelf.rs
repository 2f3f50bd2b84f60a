//! Everything a tenant has written about policies and reasons, as of one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Grants, Reason, Refusal, Role, RoleMap, Timestamp};

use super::presets::{DEFAULT, PRESET_VERSION, presets};
use super::{Document, Edition, Policy, Selector};
use crate::domain::order::{Actor, ExternalReference, Order};
use crate::domain::reason::{CancelReason, Catalogue};

/// The most versions of policies a tenant may keep: all of them are at hand whenever something is decided.
const VERSIONS_MAX: usize = 1_000;
const CHOICES_MAX: usize = 1_000;
const REASONS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// Moves with everything that is written on it; 0 for a tenant that never wrote anything.
    pub revision: i64,
    pub policies: BTreeMap<(String, i64), Stored>,
    pub choices: BTreeMap<Selector, (String, i64)>,
    pub catalogue: Catalogue,
    /// How many reasons of the catalogue are the tenant's own.
    pub own_reasons: usize,
    pub edition: Edition,
    /// The role map in force, and its version; 0 while the tenant has written none.
    pub roles: Arc<RoleMap>,
    pub roles_version: i64,
    /// The presets beside this tenant's roles.
    pub presets: Vec<Policy>,
}

/// A version of a policy that a tenant wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub policy: Policy,
    pub created_by: Actor,
    pub created_at: Timestamp,
}

impl Default for Shelf {
    fn default() -> Self {
        Self::begun_with(Arc::new(RoleMap::shipped()))
    }
}

impl Shelf {
    /// The shelf of a tenant that has written nothing.
    pub fn begun_with(roles: Arc<RoleMap>) -> Self {
        Self {
            revision: 0,
            policies: BTreeMap::new(),
            choices: BTreeMap::new(),
            catalogue: Catalogue::with([]),
            own_reasons: 0,
            edition: Edition::default(),
            presets: presets(&roles),
            roles,
            roles_version: 0,
        }
    }

    /// Puts another role map in force, as of a version.
    #[must_use]
    pub fn under(mut self, roles: Arc<RoleMap>, version: i64) -> Self {
        for policy in
            self.presets.iter_mut().chain(self.policies.values_mut().map(|stored| &mut stored.policy))
        {
            policy.roles = Arc::clone(&roles);
        }
        Self { roles, roles_version: version, ..self }
    }

    /// Writes roles over those of the same name.
    pub fn grant(self, writer: &str, granted: &[(Role, Grants)]) -> Result<Self, Refusal> {
        let writer = Role::parse(writer)?;
        let roles = self.roles.may_become(&writer, granted)?;
        let (version, revision) = (self.roles_version + 1, self.revision + 1);
        Ok(Self { revision, ..self.under(Arc::new(roles), version) })
    }

    fn preset(&self, policy_id: &str) -> Option<&Policy> {
        self.presets.iter().find(|policy| policy.policy_id == policy_id)
    }

    fn default_policy(&self) -> &Policy {
        self.preset(DEFAULT).expect("the default is a preset")
    }

    /// The policy of an order: its supplier's, else its channel's, else the tenant's, else the default.
    pub fn policy_of(&self, supplier: &str, references: &[ExternalReference]) -> &Policy {
        if self.choices.is_empty() {
            return self.default_policy();
        }
        let by_channel =
            || references.iter().find_map(|name| self.chosen(&Selector::Channel(name.system.clone())));
        self.chosen(&Selector::Supplier(supplier.to_owned()))
            .or_else(by_channel)
            .or_else(|| self.chosen(&Selector::Tenant))
            .unwrap_or(self.default_policy())
    }

    pub fn of(&self, order: &Order) -> &Policy {
        self.policy_of(&order.parties.supplier, &order.references)
    }

    /// Refuses a reason that the policy of an order does not offer.
    pub fn check_reason(&self, order: &Order, code: &str, note: &str) -> Result<(), Refusal> {
        self.of(order).document.reason.check_given(&self.catalogue, code, note, "")
    }

    fn chosen(&self, selector: &Selector) -> Option<&Policy> {
        let (policy_id, version) = self.choices.get(selector)?;
        self.find(policy_id, *version)
    }

    /// A version of a policy, preset or stored; the latest one for version 0.
    pub fn find(&self, policy_id: &str, version: i64) -> Option<&Policy> {
        let version = if version == 0 { self.latest(policy_id) } else { version };
        if version == PRESET_VERSION
            && let Some(preset) = self.preset(policy_id)
        {
            return Some(preset);
        }
        self.policies.get(&(policy_id.to_owned(), version)).map(|stored| &stored.policy)
    }

    fn latest(&self, policy_id: &str) -> i64 {
        let stored =
            self.policies.keys().filter(|(known, _)| known == policy_id).map(|(_, version)| *version);
        stored.max().unwrap_or(if self.preset(policy_id).is_some() { PRESET_VERSION } else { 0 })
    }

    /// Adds the next version of a policy. It is in force once somebody chooses it.
    pub fn write(
        &mut self,
        policy_id: &str,
        document: Document,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Stored, Refusal> {
        room("versions of policies", self.policies.len(), VERSIONS_MAX)?;
        let version = self.latest(policy_id) + 1;
        let policy =
            Policy { policy_id: policy_id.to_owned(), version, document, roles: Arc::clone(&self.roles) };
        let stored = Stored { policy, created_by: actor.clone(), created_at: now };
        self.policies.insert((policy_id.to_owned(), version), stored.clone());
        self.revision += 1;
        Ok(stored)
    }

    /// Puts orders under a version of a policy.
    pub fn choose(&mut self, selector: Selector, policy_id: &str, version: i64) -> Result<Policy, Refusal> {
        room("choices of policies", self.choices.len(), CHOICES_MAX)?;
        let policy = self.find(policy_id, version).cloned();
        let policy =
            policy.ok_or_else(|| Refusal::not_found("Policy", format!("{policy_id} version {version}")))?;
        self.choices.insert(selector, (policy.policy_id.clone(), policy.version));
        self.revision += 1;
        Ok(policy)
    }

    /// Writes a reason over the one of the same code, a seed included.
    pub fn offer(&mut self, reason: CancelReason) -> Result<(), Refusal> {
        room("reasons", self.own_reasons, REASONS_MAX)?;
        self.catalogue.put(reason);
        self.own_reasons += 1;
        self.revision += 1;
        Ok(())
    }

    /// Puts the tenant on an edition.
    pub fn put_on(&mut self, edition: Edition) {
        self.edition = edition;
        self.revision += 1;
    }
}

fn room(what: &str, used: usize, most: usize) -> Result<(), Refusal> {
    if used < most {
        return Ok(());
    }
    let message = format!("a tenant keeps at most {most} {what}");
    Err(Refusal::new(Reason::StateConflict, message).detail("max", most))
}
