//! [`Principal`]: who is calling on the public listener.
//!
//! It comes from the caller's credentials and never from a request field: from a token that was verified, or,
//! when `auth.development_headers` is on, from the `x-countermand-*` headers, which anybody can write.
//! A call with neither is UNAUTHENTICATED.

use http::HeaderMap;
use types::{Reason, Tenant};

use crate::failure::Failure;

const TENANT: &str = "x-countermand-tenant";
const USER: &str = "x-countermand-user";
const ORGANISATION: &str = "x-countermand-org";
const ROLE: &str = "x-countermand-role";
pub(crate) const NAME_LENGTH_MAX: usize = 128;
/// The roles of those who deal with the place instead of running it.
const PARTIES: [&str; 4] = ["buyer", "supplier", "customer", "guest"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub tenant: Tenant,
    pub user: String,
    /// The organisation the user acts for; empty when the caller named none.
    pub organisation: String,
    pub role: String,
}

impl Principal {
    /// The caller of the request a handler is answering.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Failure> {
        request.extensions().get().ok_or_else(unauthenticated)
    }

    /// Some calls show what concerns everybody, or steer what belongs to nobody alone: they are for those who run the
    /// place, not for the parties of its business.
    pub fn operators_only(&self) -> Result<(), Failure> {
        if PARTIES.contains(&self.role.as_str()) {
            return Err(
                Failure::new(Reason::PermissionDenied, "this is for operators").detail("role", &self.role)
            );
        }
        Ok(())
    }

    /// Reads the development headers; what is absent has a default, what is malformed is refused.
    pub(crate) fn from_development_headers(headers: &HeaderMap) -> Result<Self, Failure> {
        let tenant = match text(headers, TENANT)? {
            None => Tenant::default(),
            Some(text) => Tenant::parse(text)
                .map_err(|error| Failure::invalid(TENANT, Reason::FieldInvalid, error.to_string()))?,
        };
        Ok(Self {
            tenant,
            user: text(headers, USER)?.unwrap_or("anonymous").to_owned(),
            organisation: text(headers, ORGANISATION)?.unwrap_or_default().to_owned(),
            role: text(headers, ROLE)?.unwrap_or("staff").to_owned(),
        })
    }
}

pub(crate) fn unauthenticated() -> Failure {
    Failure::new(Reason::Unauthenticated, "the caller is not known; no credentials are accepted here")
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| malformed(name))?.trim();
    if text.is_empty() || text.len() > NAME_LENGTH_MAX {
        return Err(malformed(name));
    }
    Ok(Some(text))
}

fn malformed(name: &'static str) -> Failure {
    let message = format!("{name} must be 1 to {NAME_LENGTH_MAX} visible ASCII characters");
    Failure::invalid(name, Reason::FieldInvalid, message)
}
