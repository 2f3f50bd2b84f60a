//! Real tokens, signed here, against a listener that believes one issuer. The keys are for these tests alone.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use kit::Principal;
use kit::answer::refusal;
use kit::config::Auth;
use kit::server::Server;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};
use types::Reason;

use crate::desk::{self, Desk, Running, ask};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const ED25519: &[u8] = include_bytes!("keys/ed25519.der");
const RSA: &[u8] = include_bytes!("keys/rsa.der");

fn auth() -> Auth {
    Auth {
        issuer: "https://id.example".to_owned(),
        audience: "countermand".to_owned(),
        keys: include_str!("keys/jwks.json").to_owned(),
        ..desk::auth()
    }
}

async fn desk(auth: Auth) -> Running {
    let desk = Desk::new(async |request: Request<_>| {
        let Principal { tenant, user, organisation, role, .. } = Principal::of(&request)?;
        Ok(format!("{tenant}|{user}|{organisation}|{role}"))
    });
    let builder = Server::builder("desk")
        .auth(&auth)
        .public("127.0.0.1:0".parse().unwrap(), desk.clone().routes())
        .internal("127.0.0.1:0".parse().unwrap(), desk.internal_routes());
    Running::of(builder.bind().await.unwrap())
}

async fn call(
    desk: &Running,
    authorization: Option<&str>,
    role: Option<&str>,
) -> Result<String, tonic::Status> {
    let mut request = Request::new(ask(""));
    for (name, value) in [("authorization", authorization), ("x-countermand-role", role)] {
        if let Some(value) = value {
            request.metadata_mut().insert(name, AsciiMetadataValue::try_from(value).unwrap());
        }
    }
    Ok(desk.client().list_gateway_effects(request).await?.into_inner().next_page_token)
}

/// Claims that hold, `seconds` before they expire.
#[expect(
    clippy::disallowed_methods,
    reason = "the library under test judges tokens by the clock of the machine"
)]
fn claims(seconds: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": "https://id.example", "aud": "countermand", "sub": "jo", "tenant": "acme", "org": "acme-retail",
        "role": "buyer", "exp": i64::try_from(now).unwrap() + seconds,
    })
}

/// How a token is signed here.
enum Signer<'a> {
    Secret(&'a [u8]),
    Ed25519,
    Rsa,
}

impl Signer<'_> {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Secret(_) => "HS256",
            Self::Ed25519 => "EdDSA",
            Self::Rsa => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Secret(secret) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::Ed25519 => {
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(ED25519).unwrap();
                key.sign(message).as_ref().to_vec()
            }
            Self::Rsa => {
                let key = RsaKeyPair::from_der(RSA).unwrap();
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn with_header(header: &Value, signer: &Signer<'_>, claims: &Value) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    format!("Bearer {message}.{}", BASE64.encode(signer.sign(message.as_bytes())))
}

fn signed(key_id: &str, signer: &Signer<'_>, claims: &Value) -> String {
    with_header(&json!({"typ": "JWT", "alg": signer.algorithm(), "kid": key_id}), signer, claims)
}

fn shared(claims: &Value) -> String {
    signed("shared", &Signer::Secret(SECRET), claims)
}

#[tokio::test]
async fn a_token_of_each_kind_says_who_calls() {
    let desk = desk(auth()).await;
    let claims = claims(60);
    let tokens =
        [shared(&claims), signed("ed", &Signer::Ed25519, &claims), signed("rsa", &Signer::Rsa, &claims)];
    for token in tokens {
        // A header beside it changes nothing.
        assert_eq!(call(&desk, Some(&token), Some("platform")).await.unwrap(), "acme|jo|acme-retail|buyer");
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_and_says_why() {
    let desk = desk(auth()).await;
    let with = |field: &str, value: Value| {
        let mut claims = claims(60);
        claims[field] = value;
        shared(&claims)
    };
    let mut without = claims(60);
    without.as_object_mut().unwrap().remove("exp");
    let good = shared(&claims(60));
    let other = Signer::Secret(b"another secret of thirty-two bytes!!");
    let expires = claims(60)["exp"].as_i64().unwrap();
    let critical = json!({"alg": "HS256", "kid": "shared", "crit": ["b64"], "b64": false});
    let table = [
        (shared(&claims(-60)), "expired"),
        (with("aud", json!("elsewhere")), "another audience"),
        (with("iss", json!("https://id.evil")), "another issuer"),
        (with("tenant", json!("NOT A TENANT")), "tenant"),
        (with("role", json!("")), "no name of a role"),
        (with("nbf", json!(4_000_000_000_u64)), "not valid yet"),
        (with("exp", json!(expires + 25 * 60 * 60)), "for longer than 86400 seconds"),
        (with("exp", json!(9_007_199_254_740_991_u64)), "for longer than 86400 seconds"),
        (with("iat", json!(expires - 25 * 60 * 60)), "for longer than 86400 seconds"),
        (with("iat", json!(-1)), "for longer than 86400 seconds"),
        (with("iat", json!(expires + 60)), "issued in the future"),
        (with("sub", json!("jo\u{200b}")), "not printable"),
        (with("sub", json!("jo\u{7f}")), "not printable"),
        (with("org", json!("\u{202e}acme")), "not printable"),
        (with("role", json!("staff\u{feff}")), "no name of a role"),
        (with_header(&critical, &Signer::Secret(SECRET), &claims(60)), "crit"),
        (shared(&without), "cannot be read"),
        (signed("shared", &other, &claims(60)), "signature"),
        (signed("unknown", &other, &claims(60)), "not signed by a key"),
        // The public key of a pair is no secret: it must not pass as one.
        (signed("rsa", &other, &claims(60)), "the key's algorithm"),
        (signed("ed", &Signer::Rsa, &claims(60)), "the key's algorithm"),
        (format!("{good}x"), "signature"),
        ("Basic am86c2VjcmV0".to_owned(), "\"Bearer\""),
        ("Bearer not.a.token".to_owned(), "not signed by a key"),
    ];
    for (authorization, says) in table {
        let status = call(&desk, Some(&authorization), None).await.unwrap_err();

        assert_eq!(status.code(), Code::Unauthenticated, "{says}");
        assert_eq!(refusal(&status).unwrap().reason, Reason::Unauthenticated);
        assert!(status.message().contains(says), "{says}: {}", status.message());
    }
}

#[tokio::test]
async fn a_token_without_a_signature_is_no_token() {
    let desk = desk(auth()).await;
    for algorithm in ["none", "None", "NONE"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": "shared"}).to_string();
        let token = format!("Bearer {}.{}.", BASE64.encode(header), BASE64.encode(claims(60).to_string()));

        let status = call(&desk, Some(&token), None).await.unwrap_err();

        assert_eq!(status.code(), Code::Unauthenticated, "{algorithm}");
    }
}

#[tokio::test]
async fn a_long_lifetime_is_believed_where_that_is_said() {
    let week = 7 * 24 * 60 * 60;
    let desk = desk(Auth { max_lifetime_s: week, ..auth() }).await;
    let exactly = {
        let mut claims = claims(60);
        claims["iat"] = json!(claims["exp"].as_u64().unwrap() - week);
        claims
    };

    assert!(call(&desk, Some(&shared(&exactly)), None).await.is_ok());
    assert!(call(&desk, Some(&shared(&claims(i64::try_from(week).unwrap() + 60))), None).await.is_err());
}

#[tokio::test]
async fn what_says_who_calls_is_said_once() {
    let strict = desk(auth()).await;
    let lenient = desk(Auth { development_headers: true, ..auth() }).await;
    let good = shared(&claims(60));
    let table = [
        (&strict, "authorization", good.as_str(), good.as_str()),
        (&strict, "authorization", good.as_str(), "Bearer not.a.token"),
        (&lenient, "x-countermand-role", "buyer", "staff"),
        (&lenient, "x-countermand-tenant", "acme", "other"),
        (&lenient, "x-countermand-user", "jo", "ann"),
    ];
    for (desk, name, first, second) in table {
        let mut request = Request::new(ask(""));
        for value in [first, second] {
            request.metadata_mut().append(name, AsciiMetadataValue::try_from(value).unwrap());
        }

        let status = desk.client().list_gateway_effects(request).await.unwrap_err();

        assert!(status.message().contains("once"), "{name}: {}", status.message());
    }
}

#[tokio::test]
async fn a_key_needs_no_alg_because_its_kind_has_one() {
    let mut keys: Value = serde_json::from_str(include_str!("keys/jwks.json")).unwrap();
    for key in keys["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("alg");
    }
    let desk = desk(Auth { keys: keys.to_string(), ..auth() }).await;
    let claims = claims(60);

    for token in
        [shared(&claims), signed("ed", &Signer::Ed25519, &claims), signed("rsa", &Signer::Rsa, &claims)]
    {
        assert!(call(&desk, Some(&token), None).await.is_ok());
    }
    // A secret of ours still is not a public key of theirs.
    assert!(call(&desk, Some(&signed("rsa", &Signer::Secret(SECRET), &claims)), None).await.is_err());
}

#[tokio::test]
async fn a_key_that_could_verify_too_much_is_refused_at_the_start() {
    let bytes = |count: usize| BASE64.encode(vec![0xab; count]);
    let secret = |kid: &str, count: usize| json!({"kty": "oct", "kid": kid, "k": bytes(count)});
    let rsa =
        |count: usize, exponent: &str| json!({"kty": "RSA", "kid": "r", "n": bytes(count), "e": exponent});
    let ed = |curve: &str, count: usize| json!({"kty": "OKP", "kid": "e", "crv": curve, "x": bytes(count)});
    let with = |mut key: Value, name: &str, value: Value| {
        key[name] = value;
        key
    };
    let table = [
        (json!([secret("k", 0)]), "has 0 bytes"),
        (json!([secret("k", 31)]), "has 31 bytes"),
        (json!([secret("k", 32), secret("k", 33)]), "the same kid"),
        (json!([secret("k", 32), with(secret("k", 33), "kid", json!(""))]), "no kid"),
        (json!([with(secret("k", 32), "alg", json!("RS256"))]), "its alg is not HS256"),
        (json!([with(secret("k", 64), "alg", json!("HS512"))]), "its alg is not HS256"),
        (json!([with(secret("k", 32), "use", json!("enc"))]), "its use is not sig"),
        (json!([with(secret("k", 32), "key_ops", json!(["sign"]))]), "do not have verify"),
        (json!([rsa(128, "AQAB")]), "has 1024 bits"),
        (json!([rsa(255, "AQAB")]), "has 2040 bits"),
        (json!([rsa(1_025, "AQAB")]), "has 8200 bits"),
        (json!([rsa(256, "AQ")]), "its exponent"),
        (json!([rsa(256, "Ag")]), "its exponent"),
        (json!([with(rsa(256, "AQAB"), "alg", json!("HS256"))]), "its alg is not RS256"),
        (json!([ed("Ed25519", 31)]), "has 31 bytes"),
        (json!([ed("X25519", 32)]), "neither a secret"),
        (
            json!([{"kty": "EC", "kid": "p", "crv": "P-256", "x": bytes(32), "y": bytes(32)}]),
            "neither a secret",
        ),
    ];
    for (keys, says) in table {
        let auth = Auth { keys: json!({"keys": keys}).to_string(), ..auth() };

        let Err(error) = Server::builder("desk").auth(&auth).bind().await else {
            panic!("{keys} was taken");
        };

        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}

#[tokio::test]
async fn headers_alone_are_believed_only_where_that_is_said() {
    let strict = desk(auth()).await;
    let lenient = desk(Auth { development_headers: true, ..auth() }).await;

    let refused = call(&strict, None, Some("staff")).await.unwrap_err();
    let spoiled = call(&lenient, Some("Bearer not.a.token"), Some("staff")).await.unwrap_err();

    assert_eq!((refused.code(), spoiled.code()), (Code::Unauthenticated, Code::Unauthenticated));
    assert_eq!(call(&lenient, None, Some("staff")).await.unwrap(), "default|anonymous||staff");
}

#[tokio::test]
async fn a_configuration_that_could_verify_nothing_is_refused() {
    let bind =
        async |auth: Auth| Server::builder("desk").auth(&auth).bind().await.err().map(|e| e.to_string());
    let table = [
        (Auth { keys: String::new(), ..auth() }, "need auth.issuer"),
        (Auth { audience: String::new(), ..auth() }, "need auth.issuer"),
        (Auth { keys: "{}".to_owned(), ..auth() }, "no JWK set"),
        (Auth { issuer: Principal::OURSELVES.to_owned(), ..auth() }, "how we name ourselves"),
        (Auth { keys_file: Some("/nowhere/jwks.json".into()), ..auth() }, "/nowhere/jwks.json"),
    ];
    for (auth, says) in table {
        let error = bind(auth).await.expect("it cannot be bound");

        assert!(error.contains(says), "{says}: {error}");
    }
}
