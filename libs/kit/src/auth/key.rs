//! The keys that tokens are checked by, read from a JWK set. What could verify too much is refused at the start: a token
//! signed by the empty secret would hold for everybody who guesses that it is empty.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::AuthError;

/// A secret is as long as what it makes: a shorter one is tried out faster than a signature.
const SECRET_BYTES_MIN: usize = 32;
/// Shorter moduli can be factored with money.
const MODULUS_BITS_MIN: usize = 2_048;
/// Longer ones only cost time.
const MODULUS_BITS_MAX: usize = 8_192;
const ED25519_BYTES: usize = 32;

/// A key is for one algorithm: what a token's own header claims never chooses how it is checked.
#[derive(Clone)]
pub(super) struct Key {
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// The keys of a set by their ids; a set of one may leave its key without.
pub(super) fn keys(text: &str) -> Result<HashMap<String, Key>, AuthError> {
    let set: JwkSet = serde_json::from_str(text).map_err(AuthError::KeySet)?;
    let mut keys = HashMap::new();
    for jwk in &set.keys {
        let key_id = jwk.common.key_id.clone().unwrap_or_default();
        let unusable = |problem: String| AuthError::Key { key_id: key_id.clone(), problem };
        if key_id.is_empty() && set.keys.len() > 1 {
            return Err(unusable("it has no kid, and there are others".to_owned()));
        }
        let key = key(jwk).map_err(unusable)?;
        if keys.insert(key_id.clone(), key).is_some() {
            return Err(unusable("another key has the same kid".to_owned()));
        }
    }
    Ok(keys)
}

fn key(jwk: &Jwk) -> Result<Key, String> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err("its use is not sig".to_owned());
    }
    let operations = jwk.common.key_operations.as_ref();
    if operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
        return Err("its key_ops do not have verify".to_owned());
    }
    let (algorithm, named, key) = match &jwk.algorithm {
        AlgorithmParameters::OctetKey(secret) => {
            (Algorithm::HS256, KeyAlgorithm::HS256, shared(&secret.value)?)
        }
        AlgorithmParameters::RSA(public) => {
            (Algorithm::RS256, KeyAlgorithm::RS256, rsa(&public.n, &public.e)?)
        }
        AlgorithmParameters::OctetKeyPair(public) if public.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA, ed25519(&public.x)?)
        }
        _ => return Err("it is neither a secret (oct) nor an RSA key nor one of Ed25519".to_owned()),
    };
    match jwk.common.key_algorithm {
        Some(said) if said != named => Err(format!("its alg is not {named}, which its kind is for")),
        Some(_) | None => Ok(Key { algorithm, key }),
    }
}

fn shared(secret: &str) -> Result<DecodingKey, String> {
    let secret = bytes("k", secret)?;
    if secret.len() < SECRET_BYTES_MIN {
        let length = secret.len();
        return Err(format!("its secret has {length} bytes; {SECRET_BYTES_MIN} are the least"));
    }
    Ok(DecodingKey::from_secret(&secret))
}

fn rsa(modulus: &str, exponent: &str) -> Result<DecodingKey, String> {
    let (n, e) = (number("n", modulus)?, number("e", exponent)?);
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(MODULUS_BITS_MIN..=MODULUS_BITS_MAX).contains(&bits) {
        return Err(format!("its modulus has {bits} bits, not {MODULUS_BITS_MIN} to {MODULUS_BITS_MAX}"));
    }
    // By an exponent of one every number is its own signature.
    if e.len() == 1 && e[0] < 3 || e.last().is_none_or(|last| last % 2 == 0) {
        return Err("its exponent is not an odd number from 3 on".to_owned());
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn ed25519(public: &str) -> Result<DecodingKey, String> {
    let public = bytes("x", public)?;
    if public.len() != ED25519_BYTES {
        return Err(format!("its x has {} bytes, not {ED25519_BYTES}", public.len()));
    }
    Ok(DecodingKey::from_ed_der(&public))
}

fn bytes(name: &str, text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|problem| format!("its {name} is no base64url: {problem}"))
}

/// Big-endian, without the zeros that some write before it.
fn number(name: &str, text: &str) -> Result<Vec<u8>, String> {
    let bytes = bytes(name, text)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}
