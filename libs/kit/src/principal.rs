//! [`Principal`]: who is calling on the public listener.
//!
//! It comes from the caller's credentials and never from a request field: from a token that was verified, or,
//! when `auth.development_headers` is on, from the `x-countermand-*` headers, which anybody can write.
//! A call with neither is UNAUTHENTICATED.

use http::HeaderMap;
use types::{Grants, Permission, Reason, Role, Subject, Tenant, text};

use crate::access;
use crate::failure::Failure;
use crate::roles::Roles;

const TENANT: &str = "x-countermand-tenant";
const USER: &str = "x-countermand-user";
const ORGANISATION: &str = "x-countermand-org";
const ROLE: &str = "x-countermand-role";
pub(crate) const NAME_LENGTH_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub tenant: Tenant,
    /// Who vouches for the caller: the `iss` of the token; empty for development headers, which nobody vouches for.
    pub issuer: String,
    pub user: String,
    /// The organisation the user acts for; empty when the caller named none.
    pub organisation: String,
    pub role: Role,
    /// What the tenant's role map lets the role do; nothing where it does not list it.
    pub grants: Grants,
}

impl Principal {
    /// The issuer of what a part of ours asks in somebody's name or in its own: no token and no header can claim it.
    pub const OURSELVES: &'static str = "countermand:";

    /// The caller of the request a handler is answering.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Failure> {
        request.extensions().get().ok_or_else(unauthenticated)
    }

    /// The caller without the role: what a request id and a quote belong to.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.issuer, &self.user, &self.organisation)
    }

    pub fn holds(&self, permission: Permission) -> bool {
        self.grants.holds(permission)
    }

    /// Refuses a caller who lacks a permission that a request needs beside the one of its RPC.
    pub fn must_hold(&self, permission: Permission) -> Result<(), Failure> {
        if self.holds(permission) { Ok(()) } else { Err(access::missing(self, permission).into()) }
    }

    /// Whether everything of the tenant is there for the caller, whoever its parties are.
    pub fn sees_everything(&self) -> bool {
        self.grants.reach.is_tenant()
    }

    /// The caller with what the role map of the tenant grants.
    pub(crate) fn granted_by(self, roles: &Roles) -> Self {
        Self { grants: roles.of(&self.tenant).grants(&self.role), ..self }
    }

    /// Reads the development headers; what is absent has a default, what is malformed is refused.
    pub(crate) fn from_development_headers(headers: &HeaderMap) -> Result<Self, Failure> {
        let tenant = match name(headers, TENANT)? {
            None => Tenant::default(),
            Some(text) => Tenant::parse(text)
                .map_err(|error| Failure::invalid(TENANT, Reason::FieldInvalid, error.to_string()))?,
        };
        Ok(Self {
            tenant,
            issuer: String::new(),
            user: name(headers, USER)?.unwrap_or("anonymous").to_owned(),
            organisation: name(headers, ORGANISATION)?.unwrap_or_default().to_owned(),
            role: role(headers)?,
            grants: Grants::NONE,
        })
    }
}

pub(crate) fn unauthenticated() -> Failure {
    Failure::new(Reason::Unauthenticated, "the caller is not known; no credentials are accepted here")
}

fn name<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| malformed(name))?.trim();
    if values.next().is_some() || text.is_empty() || text.len() > NAME_LENGTH_MAX || !text::is_plain(text) {
        return Err(malformed(name));
    }
    Ok(Some(text))
}

/// A role whose name is none is refused as one that nobody listed.
fn role(headers: &HeaderMap) -> Result<Role, Failure> {
    if headers.get_all(ROLE).iter().count() > 1 {
        return Err(malformed(ROLE));
    }
    let given = headers.get(ROLE).map_or(b"staff".as_slice(), |value| value.as_bytes());
    let name = std::str::from_utf8(given).ok().and_then(|name| Role::parse(name).ok());
    name.ok_or_else(|| Failure::new(Reason::PermissionDenied, "the caller's role is no name of a role"))
}

fn malformed(name: &'static str) -> Failure {
    let message = format!("{name} must be 1 to {NAME_LENGTH_MAX} visible ASCII characters, said once");
    Failure::invalid(name, Reason::FieldInvalid, message)
}
