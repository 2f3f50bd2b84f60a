//! Roles: their names, what each may do, and to which orders.
//!
//! ```text
//!   name ──▶ RoleMap ──▶ Grants { permissions, reach }     an unlisted role has none: it may do nothing
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::permission::{Permission, PermissionUnknown, Permissions};
use crate::{Reason, Refusal};

mod shipped;

const LENGTH_MAX: usize = 32;

/// The name of a role: 1 to 32 of `a-z`, `0-9`, `_` and `-`, after ASCII capitals were lowered. Nothing else is folded or
/// trimmed, so that no two texts that look alike are the same role by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    #[error("a role is 1 to {LENGTH_MAX} of a-z, 0-9, _ and -")]
    Name,
    #[error(transparent)]
    Permission(#[from] PermissionUnknown),
    #[error("{0:?} is no relation to an order; the relations are {RELATIONS}")]
    Relation(String),
    #[error("{0} is for workloads of the suite, not for roles")]
    ForPeers(Permission),
}

const RELATIONS: &str = "tenant, buyer, supplier, source_router, customer, creator and integration";

impl Role {
    pub fn parse(text: &str) -> Result<Self, RoleError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-');
        if (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(RoleError::Name)
        }
    }

    /// The role of work that the services do on nobody's direct request.
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// The role of an actor whose recorded role is no name of one: no map lists it.
    pub fn nobody() -> Self {
        Self(String::new())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Role {
    type Error = RoleError;

    fn try_from(text: String) -> Result<Self, RoleError> {
        Self::parse(&text)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.0
    }
}

impl From<RoleError> for Refusal {
    fn from(error: RoleError) -> Self {
        Self::new(Reason::FieldInvalid, error.to_string())
    }
}

/// What a caller can be to an order, or to what belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Belongs to those who run the place: everything of the tenant is theirs to see.
    Tenant,
    /// Acts for the organisation that bought.
    Buyer,
    /// Acts for the organisation that supplies.
    Supplier,
    /// Acts for the organisation that routed the order here.
    SourceRouter,
    /// Is the customer.
    Customer,
    /// Placed the order, acting for the same organisation as now.
    Creator,
    /// Acts for the partner that was asked.
    Integration,
}

impl Relation {
    pub const ALL: &[Self] = &[
        Self::Tenant,
        Self::Buyer,
        Self::Supplier,
        Self::SourceRouter,
        Self::Customer,
        Self::Creator,
        Self::Integration,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
            Self::SourceRouter => "source_router",
            Self::Customer => "customer",
            Self::Creator => "creator",
            Self::Integration => "integration",
        }
    }

    pub fn parse(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.iter().copied().find(|relation| relation.as_str() == text);
        found.ok_or_else(|| RoleError::Relation(text.chars().take(64).collect()))
    }
}

/// The relations by which a role sees an order at all.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach(u8);

impl Reach {
    pub const NONE: Self = Self(0);
    /// Everything of the tenant.
    pub const TENANT: Self = Self::by(&[Relation::Tenant]);

    pub const fn by(relations: &[Relation]) -> Self {
        let mut set = 0;
        let mut next = 0;
        while next < relations.len() {
            set |= 1 << relations[next] as u8;
            next += 1;
        }
        Self(set)
    }

    pub const fn includes(self, relation: Relation) -> bool {
        self.0 & (1 << relation as u8) != 0
    }

    pub const fn is_tenant(self) -> bool {
        self.includes(Relation::Tenant)
    }

    /// Whether whoever has the other reach has this one too.
    pub const fn is_within(self, other: Self) -> bool {
        other.is_tenant() || self.0 & !other.0 == 0
    }

    pub fn relations(self) -> impl Iterator<Item = Relation> {
        Relation::ALL.iter().copied().filter(move |relation| self.includes(*relation))
    }
}

impl FromIterator<Relation> for Reach {
    fn from_iter<T: IntoIterator<Item = Relation>>(relations: T) -> Self {
        relations.into_iter().fold(Self::NONE, |reach, relation| Self(reach.0 | Self::by(&[relation]).0))
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.relations().map(Relation::as_str)).finish()
    }
}

/// What a role may do, and to which orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Grants {
    pub permissions: Permissions,
    pub reach: Reach,
}

impl Grants {
    /// Of a role that is not listed.
    pub const NONE: Self = Self { permissions: Permissions::NONE, reach: Reach::NONE };

    pub const fn holds(self, permission: Permission) -> bool {
        self.permissions.holds(permission)
    }

    /// Grants by the texts of contracts and documents.
    pub fn named(sees: &[String], permissions: &[String]) -> Result<Self, RoleError> {
        let permissions = permissions.iter().map(|text| {
            let permission = Permission::parse(text)?;
            if permission.is_for_peers() { Err(RoleError::ForPeers(permission)) } else { Ok(permission) }
        });
        Ok(Self {
            permissions: permissions.collect::<Result<_, RoleError>>()?,
            reach: sees.iter().map(|text| Relation::parse(text)).collect::<Result<_, _>>()?,
        })
    }

    /// Work that the services do on nobody's direct request: what was accepted is carried out.
    pub fn of_the_house() -> Self {
        Self { permissions: Permissions::all(), reach: Reach::TENANT }
    }
}

/// Grants as they stand in configuration and in documents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The relations by which orders are seen; `tenant` is all of them.
    sees: Vec<String>,
    permissions: Vec<String>,
}

impl TryFrom<Written> for Grants {
    type Error = RoleError;

    fn try_from(written: Written) -> Result<Self, RoleError> {
        Self::named(&written.sees, &written.permissions)
    }
}

impl From<Grants> for Written {
    fn from(grants: Grants) -> Self {
        Self {
            sees: grants.reach.relations().map(|relation| relation.as_str().to_owned()).collect(),
            permissions: grants.permissions.iter().map(|granted| granted.as_str().to_owned()).collect(),
        }
    }
}

/// The roles of a tenant. Whoever is not in it may do nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleMap(BTreeMap<Role, Grants>);

impl RoleMap {
    /// The map that every tenant begins with.
    pub fn shipped() -> Self {
        Self(shipped::ROLES.iter().map(|(name, grants)| (Role((*name).to_owned()), *grants)).collect())
    }

    pub fn grants(&self, role: &Role) -> Grants {
        self.0.get(role).copied().unwrap_or(Grants::NONE)
    }

    pub fn lists(&self, role: &Role) -> bool {
        self.0.contains_key(role)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Role, Grants)> {
        self.0.iter().map(|(role, grants)| (role, *grants))
    }

    /// The map with these roles in place of their former selves.
    #[must_use]
    pub fn with(mut self, roles: impl IntoIterator<Item = (Role, Grants)>) -> Self {
        self.0.extend(roles);
        self
    }

    /// Refuses roles that would be given what the writer does not hold itself, and a map in which the writer could not
    /// take its step back.
    pub fn may_become(&self, writer: &Role, roles: &[(Role, Grants)]) -> Result<Self, Refusal> {
        let own = self.grants(writer);
        let own_work = roles.iter().position(|(role, _)| *role == Role::system());
        if let Some(place) = own_work {
            let message = "system is the role of the services' own work, and stays as it is";
            return Err(Refusal::new(Reason::FieldInvalid, message).field(format!("roles[{place}].role")));
        }
        for (place, (role, granted)) in roles.iter().enumerate() {
            let before = self.grants(role);
            // What a role has already is not granted again by leaving it there.
            let added = granted.permissions.beyond(before.permissions);
            if let Some(missing) = added.beyond(own.permissions).iter().next() {
                let message = format!("{writer} does not hold {missing}, so it cannot grant it to {role}");
                return Err(Refusal::new(Reason::PermissionDenied, message)
                    .field(format!("roles[{place}].permissions"))
                    .detail("permission", missing));
            }
            if !granted.reach.is_within(own.reach) && !granted.reach.is_within(before.reach) {
                let message = format!("{role} would see orders that {writer} does not see");
                return Err(
                    Refusal::new(Reason::PermissionDenied, message).field(format!("roles[{place}].sees"))
                );
            }
        }
        let next = self.clone().with(roles.iter().cloned());
        if next.grants(writer).holds(Permission::RolesEdit) {
            Ok(next)
        } else {
            let message = format!("{writer} would lose roles.edit and could not take this back");
            Err(Refusal::new(Reason::FieldInvalid, message).field("roles"))
        }
    }
}

#[cfg(test)]
mod tests;
