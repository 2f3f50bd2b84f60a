//! Who asks, as far as it matters that it is the same one again.

use std::fmt;

use crate::{Fingerprint, FingerprintError};

/// One caller: its issuer, user and organisation, whatever role they come in. Kept as a digest, so that it has one
/// length whatever the names are, and is compared as a whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Fingerprint);

impl Subject {
    /// A caller from outside. `issuer` is who vouches for it: without it, two issuers' users of one name were one.
    pub fn of(issuer: &str, user: &str, organisation: &str) -> Self {
        Self(Fingerprint::of(&[issuer.as_bytes(), user.as_bytes(), organisation.as_bytes()]))
    }

    /// A part of ours that asks of itself, such as a clock. No issuer can vouch for one: it has fewer parts.
    pub fn internal(name: &str) -> Self {
        Self(Fingerprint::of(&[name.as_bytes()]))
    }

    /// Reads a stored subject.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        Fingerprint::parse(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for Subject {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
