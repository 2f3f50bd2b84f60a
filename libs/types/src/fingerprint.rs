//! Recognising a request that was seen before.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const HEX_LENGTH: usize = 64;

/// SHA-256 of some byte strings, in lower-case hex. Two requests with one fingerprint are the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is {HEX_LENGTH} lower-case hexadecimal digits")]
pub struct FingerprintError;

impl Fingerprint {
    /// Each part is hashed behind its length, so that moving a byte from one part to the next
    /// changes the fingerprint.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut hex = String::with_capacity(HEX_LENGTH);
        for byte in hasher.finalize() {
            for digit in [byte >> 4, byte & 15] {
                hex.push(
                    char::from_digit(u32::from(digit), 16).expect("four bits are one hexadecimal digit"),
                );
            }
        }
        Self(hex)
    }

    /// Of amounts by name, in whatever order they were found: what of each tender moves is one fact on both sides.
    pub fn of_amounts(amounts: &BTreeMap<String, i64>) -> Self {
        let texts: Vec<String> =
            amounts.iter().flat_map(|(name, minor)| [name.clone(), minor.to_string()]).collect();
        Self::of(&texts.iter().map(String::as_bytes).collect::<Vec<_>>())
    }

    /// Reads a stored fingerprint.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let hexadecimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == HEX_LENGTH && hexadecimal {
            Ok(Self(text.to_owned()))
        } else {
            Err(FingerprintError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Fingerprint {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        Self::parse(&text)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}
