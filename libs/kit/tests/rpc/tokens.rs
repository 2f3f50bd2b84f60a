//! Real tokens, signed here, against a listener that believes one issuer. The keys are for these tests alone.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kit::Principal;
use kit::answer::refusal;
use kit::config::Auth;
use kit::server::Server;
use serde_json::{Value, json};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};
use types::Reason;

use crate::desk::{Desk, Running, ask};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const ED25519: &[u8] = include_bytes!("keys/ed25519.der");
const RSA: &[u8] = include_bytes!("keys/rsa.der");

fn auth() -> Auth {
    Auth {
        issuer: "https://id.example".to_owned(),
        audience: "countermand".to_owned(),
        keys: include_str!("keys/jwks.json").to_owned(),
        ..Auth::default()
    }
}

async fn desk(auth: Auth) -> Running {
    let desk = Desk::new(async |request: Request<_>| {
        let Principal { tenant, user, organisation, role } = Principal::of(&request)?;
        Ok(format!("{tenant}|{user}|{organisation}|{role}"))
    });
    let builder = Server::builder("desk")
        .auth(&auth)
        .public("127.0.0.1:0".parse().unwrap(), desk.clone().routes())
        .internal("127.0.0.1:0".parse().unwrap(), desk.routes());
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

fn signed(algorithm: Algorithm, key_id: &str, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(algorithm) };
    format!("Bearer {}", encode(&header, claims, key).unwrap())
}

fn shared(claims: &Value) -> String {
    signed(Algorithm::HS256, "shared", &EncodingKey::from_secret(SECRET), claims)
}

#[tokio::test]
async fn a_token_of_each_kind_says_who_calls() {
    let desk = desk(auth()).await;
    let claims = claims(60);
    let tokens = [
        shared(&claims),
        signed(Algorithm::EdDSA, "ed", &EncodingKey::from_ed_der(ED25519), &claims),
        signed(Algorithm::RS256, "rsa", &EncodingKey::from_rsa_der(RSA), &claims),
    ];
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
    let other = EncodingKey::from_secret(b"another secret of thirty-two bytes!!");
    let table = [
        (shared(&claims(-60)), "expired"),
        (with("aud", json!("elsewhere")), "another audience"),
        (with("iss", json!("https://id.evil")), "another issuer"),
        (with("tenant", json!("NOT A TENANT")), "tenant"),
        (with("role", json!("")), "no role"),
        (with("nbf", json!(4_000_000_000_u64)), "not valid yet"),
        (shared(&without), "cannot be read"),
        (signed(Algorithm::HS256, "shared", &other, &claims(60)), "signature"),
        (signed(Algorithm::HS256, "unknown", &other, &claims(60)), "not signed by a key"),
        // The public key of a pair is no secret: it must not pass as one.
        (signed(Algorithm::HS256, "rsa", &other, &claims(60)), "the key's algorithm"),
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
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let desk = desk(auth()).await;
    for algorithm in ["none", "None", "NONE"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": "shared"}).to_string();
        let token = format!("Bearer {}.{}.", BASE64.encode(header), BASE64.encode(claims(60).to_string()));

        let status = call(&desk, Some(&token), None).await.unwrap_err();

        assert_eq!(status.code(), Code::Unauthenticated, "{algorithm}");
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
        (
            Auth { keys: r#"{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"}]}"#.to_owned(), ..auth() },
            "its alg",
        ),
        (Auth { keys_file: Some("/nowhere/jwks.json".into()), ..auth() }, "/nowhere/jwks.json"),
    ];
    for (auth, says) in table {
        let error = bind(auth).await.expect("it cannot be bound");

        assert!(error.contains(says), "{says}: {error}");
    }
}
