//! What a tenant allows: a document of rules, versioned, which an operator changes without a build.
//!
//! ```text
//!   preset or stored document ──parse──▶ Policy ──standing(order, actor)──▶ Standing ──check(request)──▶ yes or a refusal
//! ```
//!
//! The document says who may cancel what at which state of an order, what has to be acknowledged, what it costs and what
//! happens to money, shipping and bundles. It never says how units or money move: quantities, prices and the saga hold
//! under every policy.

mod document;
mod edition;
mod presets;
mod shelf;
mod standing;
mod windows;

use self::document::TAKEN_AWAY;
pub use self::document::{
    Bundle, Contact, Document, DocumentError, Effect, FeeRule, Goodwill, MatrixRule, ReasonRule, Scope,
    ShippingRule, TenderStrategy, Tenders, Unconfirmed, Units, UnknownReason,
};
pub use self::edition::{Capability, Edition};
pub use self::presets::{DEFAULT, PRESET_VERSION, PRESETS, default_policy, preset};
pub use self::shelf::{Shelf, Stored};
pub use self::standing::{Ack, Grant, Standing, Warning, grant, standing};
pub use self::windows::{Expiry, Returns};

use std::sync::Arc;

pub use types::Permission;
use types::{Grants, Role, RoleMap};

/// A document in force, under its name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub policy_id: String,
    pub version: i64,
    pub document: Document,
    /// The tenant's role map: a document can only take away from it.
    pub roles: Arc<RoleMap>,
}

impl Policy {
    /// The text that every decision stores, such as "marketplace-1".
    pub fn version_text(&self) -> String {
        format!("{}-{}", self.policy_id, self.version)
    }

    /// What somebody of this role is granted by the tenant, before the document takes anything away.
    pub fn grants(&self, role: &str) -> Grants {
        Role::parse(role).map_or(Grants::NONE, |role| self.roles.grants(&role))
    }

    /// Whether somebody of this role holds a permission: by the role map, and by the document, where a role that is not
    /// named holds nothing.
    pub fn permits(&self, role: &str, permission: Permission) -> bool {
        let left = self.document.roles.get(role).is_some_and(|held| held.contains(&permission));
        left && self.grants(role).holds(permission)
    }

    /// What somebody of this role could do: what the role map grants, with what the document leaves of it.
    pub fn ability(&self, role: &Role) -> Ability {
        let granted = self.roles.grants(role);
        let is_withheld = |permission: &Permission| {
            TAKEN_AWAY.contains(permission) && !self.permits(role.as_str(), *permission)
        };
        let (taken_away, left) = granted.permissions.iter().partition(is_withheld);
        Ability { granted, left, taken_away }
    }

    /// How much of an order a role may select; "*" is every role that is not named.
    pub fn scope_of(&self, role: &str) -> Scope {
        let scope = &self.document.scope;
        scope.get(role).or_else(|| scope.get("*")).copied().unwrap_or(Scope::Lines)
    }
}

/// What a role comes to under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ability {
    /// By the role map alone.
    pub granted: Grants,
    pub left: Vec<Permission>,
    pub taken_away: Vec<Permission>,
}

/// Which orders a tenant puts under a policy; the narrowest choice that fits an order wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Orders that this organisation supplies.
    Supplier(String),
    /// Orders with a reference of this external system.
    Channel(String),
    /// All orders of the tenant.
    Tenant,
}

impl Selector {
    /// The texts that are stored: what it goes by, and its value.
    pub fn as_texts(&self) -> (&'static str, &str) {
        match self {
            Self::Supplier(organisation) => ("supplier", organisation),
            Self::Channel(system) => ("channel", system),
            Self::Tenant => ("tenant", ""),
        }
    }

    pub fn parse(by: &str, value: String) -> Option<Self> {
        match by {
            "supplier" => Some(Self::Supplier(value)),
            "channel" => Some(Self::Channel(value)),
            "tenant" => Some(Self::Tenant),
            _ => None,
        }
    }
}
