//! [`Verifier`]: a caller's identity from a signed token.
//!
//! A token is believed for what it says only after its signature was checked by a configured key, with the algorithm
//! that the *key* is for: what the token's own header claims never chooses how it is checked.

mod key;
mod provider;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde::Deserialize;
use types::{Clock, Grants, Reason, Role, Tenant, text};

use self::key::Key;
use crate::config::Auth;
use crate::failure::Failure;
use crate::principal::{NAME_LENGTH_MAX, Principal};
use crate::secret_file;

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
    #[error("auth.issuer is how we name ourselves; no other issuer may have that name")]
    Issuer,
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
    lifetime_max: Duration,
}

/// What we read of a token; everything else in it is somebody else's.
#[derive(Debug, Deserialize)]
struct Claims {
    tenant: String,
    sub: String,
    #[serde(default)]
    org: String,
    role: String,
    exp: f64,
    /// Without it a token is judged by what is left of it.
    iat: Option<f64>,
}

impl Verifier {
    /// The verifier of a configuration; none where tokens are not switched on.
    pub(crate) fn of(auth: &Auth) -> Result<Option<Self>, AuthError> {
        let text = match &auth.keys_file {
            Some(path) => secret_file::read_text(path)
                .map_err(|source| AuthError::KeysFile { path: path.clone(), source })?,
            None => auth.keys.clone(),
        };
        if text.is_empty() && auth.issuer.is_empty() && auth.audience.is_empty() {
            return Ok(None);
        }
        if text.is_empty() || auth.issuer.is_empty() || auth.audience.is_empty() {
            return Err(AuthError::Incomplete);
        }
        if auth.issuer == Principal::OURSELVES {
            return Err(AuthError::Issuer);
        }
        provider::install();
        let keys = key::keys(&text)?;
        if keys.is_empty() {
            return Err(AuthError::Incomplete);
        }
        Ok(Some(Self {
            keys,
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            leeway_s: auth.leeway_s,
            lifetime_max: Duration::from_secs(auth.max_lifetime_s),
        }))
    }

    /// Who a token says the caller is, if it holds.
    pub(crate) fn verify(&self, token: &str) -> Result<Principal, Failure> {
        let unknown = || invalid("it is not signed by a key that is known here");
        let header = decode_header(token).map_err(|_| unknown())?;
        if header.crit.is_some() {
            // Whoever wrote it wants it refused by all who do not know what it names, and none of it is known here.
            return Err(invalid("it has a crit header"));
        }
        let key = self.key_of(&header).ok_or_else(unknown)?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = self.leeway_s;
        let verified = decode::<Claims>(token, &key.key, &validation);
        let claims = verified.map_err(|error| invalid(why(&error)))?.claims;
        self.check_lifetime(&claims)?;
        let tenant =
            Tenant::parse(&claims.tenant).map_err(|_| invalid("its tenant is no name of a tenant"))?;
        if claims.sub.is_empty() {
            return Err(invalid("it names no user"));
        }
        for name in [&claims.sub, &claims.org] {
            if name.len() > NAME_LENGTH_MAX || !text::is_plain(name) {
                return Err(invalid("a name in it is too long or not printable"));
            }
        }
        let role = Role::parse(&claims.role).map_err(|_| invalid("its role is no name of a role"))?;
        Ok(Principal {
            tenant,
            issuer: self.issuer.clone(),
            user: claims.sub,
            organisation: claims.org,
            role,
            grants: Grants::NONE,
        })
    }

    /// A token that is valid for years is a password that nobody can change.
    fn check_lifetime(&self, claims: &Claims) -> Result<(), Failure> {
        let (now, leeway) = (seconds(Clock::System.now().unix_micros()), self.leeway_s);
        let leeway = Duration::from_secs(leeway).as_secs_f64();
        let from = claims.iat.unwrap_or(now);
        if from > now + leeway {
            return Err(invalid("it was issued in the future"));
        }
        if claims.exp - from > self.lifetime_max.as_secs_f64() + leeway {
            let most = self.lifetime_max.as_secs();
            return Err(invalid(&format!("it is valid for longer than {most} seconds")));
        }
        Ok(())
    }

    /// The key the token names; without a name the only one there is.
    fn key_of(&self, header: &Header) -> Option<&Key> {
        match &header.kid {
            Some(key_id) => self.keys.get(key_id),
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        }
    }
}

/// The token of a call, if it brings one; a header that is none is refused, and so are two: whoever stands between may
/// read the one, and we the other.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("authorization is said more than once"));
    }
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let fits = scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES_MAX;
        fits.then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| invalid("authorization is not \"Bearer\" and a token"))
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

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 fit a double's 53 bits until the year 2255"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn invalid(why: &str) -> Failure {
    Failure::new(Reason::Unauthenticated, format!("the token is not valid: {why}"))
}
