//! [`Verifier`]: a caller's identity from a signed token.
//!
//! A token is believed for what it says only after its signature was checked by a configured key, with the algorithm
//! that the *key* names: what the token's own header claims never chooses how it is checked.

use std::collections::HashMap;
use std::path::PathBuf;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use types::{Reason, Tenant};

use crate::config::Auth;
use crate::failure::Failure;
use crate::principal::{NAME_LENGTH_MAX, Principal};

/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why no token could ever be verified with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("reading the keys of tokens from {}", path.display())]
    KeysFile { path: PathBuf, source: std::io::Error },
    #[error("auth.keys is no JWK set: {0}")]
    KeySet(serde_json::Error),
    #[error("the key {key_id:?} of auth.keys cannot be used: {problem}")]
    Key { key_id: String, problem: String },
    #[error("tokens need auth.issuer, auth.audience and at least one key")]
    Incomplete,
}

/// Checks tokens of one issuer for one audience.
#[derive(Clone)]
pub(crate) struct Verifier {
    keys: HashMap<String, Key>,
    issuer: String,
    audience: String,
    leeway_s: u64,
}

#[derive(Clone)]
struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// What we read of a token; everything else in it is somebody else's.
#[derive(Debug, Deserialize)]
struct Claims {
    tenant: String,
    sub: String,
    #[serde(default)]
    org: String,
    role: String,
}

impl Verifier {
    /// The verifier of a configuration; none where tokens are not switched on.
    pub(crate) fn of(auth: &Auth) -> Result<Option<Self>, AuthError> {
        let text = match &auth.keys_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| AuthError::KeysFile { path: path.clone(), source })?,
            None => auth.keys.clone(),
        };
        if text.is_empty() && auth.issuer.is_empty() && auth.audience.is_empty() {
            return Ok(None);
        }
        if text.is_empty() || auth.issuer.is_empty() || auth.audience.is_empty() {
            return Err(AuthError::Incomplete);
        }
        let set: JwkSet = serde_json::from_str(&text).map_err(AuthError::KeySet)?;
        let keys = set.keys.iter().map(key).collect::<Result<HashMap<_, _>, _>>()?;
        if keys.is_empty() {
            return Err(AuthError::Incomplete);
        }
        Ok(Some(Self {
            keys,
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            leeway_s: auth.leeway_s,
        }))
    }

    /// Who a token says the caller is, if it holds.
    pub(crate) fn verify(&self, token: &str) -> Result<Principal, Failure> {
        let key =
            self.key_of(token).ok_or_else(|| invalid("it is not signed by a key that is known here"))?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = self.leeway_s;
        let verified = decode::<Claims>(token, &key.key, &validation);
        let claims = verified.map_err(|error| invalid(why(&error)))?.claims;
        let tenant =
            Tenant::parse(&claims.tenant).map_err(|_| invalid("its tenant is no name of a tenant"))?;
        for name in [&claims.sub, &claims.role] {
            if name.is_empty() {
                return Err(invalid("it names no user or no role"));
            }
        }
        for name in [&claims.sub, &claims.org, &claims.role] {
            let plain = name.len() <= NAME_LENGTH_MAX && !name.chars().any(char::is_control);
            if !plain {
                return Err(invalid("a name in it is too long or not printable"));
            }
        }
        Ok(Principal { tenant, user: claims.sub, organisation: claims.org, role: claims.role })
    }

    /// The key the token names; without a name the only one there is.
    fn key_of(&self, token: &str) -> Option<&Key> {
        match decode_header(token).ok()?.kid {
            Some(key_id) => self.keys.get(&key_id),
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        }
    }
}

/// The token of a call, if it brings one; a header that is none is refused.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let fits = scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES_MAX;
        fits.then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| invalid("authorization is not \"Bearer\" and a token"))
}

/// A key says for which algorithm it is; one that does not could be used for another than it was made for.
fn key(jwk: &Jwk) -> Result<(String, Key), AuthError> {
    let key_id = jwk.common.key_id.clone().unwrap_or_default();
    let unusable = |problem: String| AuthError::Key { key_id: key_id.clone(), problem };
    let algorithm = match jwk.common.key_algorithm {
        Some(KeyAlgorithm::HS256) => Algorithm::HS256,
        Some(KeyAlgorithm::RS256) => Algorithm::RS256,
        Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
        _ => return Err(unusable("its alg is not HS256, RS256 or EdDSA".to_owned())),
    };
    let key = DecodingKey::from_jwk(jwk).map_err(|error| unusable(error.to_string()))?;
    Ok((key_id, Key { algorithm, key }))
}

/// The part of a library's error that tells a caller something and an attacker nothing.
fn why(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidIssuer => "it is from another issuer",
        ErrorKind::InvalidSignature => "its signature does not hold",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "it is not signed by the key's algorithm"
        }
        _ => "it cannot be read",
    }
}

fn invalid(why: &str) -> Failure {
    Failure::new(Reason::Unauthenticated, format!("the token is not valid: {why}"))
}
