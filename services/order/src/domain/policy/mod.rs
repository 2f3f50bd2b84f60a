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

pub use self::document::{
    Bundle, Contact, Document, DocumentError, Effect, FeeRule, Goodwill, MatrixRule, Permission, ReasonRule,
    Scope, ShippingRule, TenderStrategy, Tenders, Unconfirmed, Units, UnknownReason,
};
pub use self::edition::{Capability, Edition};
pub use self::presets::{DEFAULT, PRESET_VERSION, PRESETS, default_policy, preset};
pub use self::shelf::{Shelf, Stored};
pub use self::standing::{Ack, Grant, Standing, Warning, grant, standing};
pub use self::windows::{Expiry, Returns};

/// A document in force, under its name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub policy_id: String,
    pub version: i64,
    pub document: Document,
}

impl Policy {
    /// The text that every decision stores, such as "marketplace-1".
    pub fn version_text(&self) -> String {
        format!("{}-{}", self.policy_id, self.version)
    }

    /// Whether somebody of this role holds a permission; a role that is not named has what "*" has.
    pub fn permits(&self, role: &str, permission: Permission) -> bool {
        named_or_any(&self.document.roles, role).is_some_and(|held| held.contains(&permission))
    }

    pub fn scope_of(&self, role: &str) -> Scope {
        named_or_any(&self.document.scope, role).copied().unwrap_or(Scope::Lines)
    }
}

/// The value of a role, or of everybody else's "*".
fn named_or_any<'a, T>(by_role: &'a std::collections::BTreeMap<String, T>, role: &str) -> Option<&'a T> {
    by_role.get(role).or_else(|| by_role.get("*"))
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
