//! A gateway's webhook, proven and read: pure functions over the raw body. Stripe and the simulator
//! share the scheme, `t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, and the envelope of an event.
//!
//! What comes out is a hint that something happened, never what has become of it: an attacker who
//! replays an old event, or a gateway that sends two in the wrong order, must not move money here.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use types::Timestamp;

use crate::domain::gateway::{EventKind, GatewayEvent};

/// The header that carries the signature, of Stripe and of the simulator.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

/// How far a signature's time may be from ours, either way.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// The longest body that is read.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// During a rotation the gateway signs with both secrets, and each of ours is tried against each of
/// its signatures; a header with more than this many is nobody's honest header.
const SIGNATURES_MAX: usize = 8;

/// Event ids and references are kept; what is longer is not one.
const REFERENCE_MAX: usize = 255;

/// Why a delivery is not believed. The sender learns only that it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    #[error("the signature header is missing or malformed")]
    HeaderMalformed,
    #[error("the signature's time is more than {} s from ours", TOLERANCE.as_secs())]
    OutOfTime,
    #[error("no signature was made with a secret of this endpoint")]
    SignatureWrong,
    #[error("the signed body is not an event")]
    BodyUnreadable,
}

/// Believes a body if one of its signatures was made with one of the live secrets, lately.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[impl AsRef<[u8]>],
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    let Signed { seconds, signatures } = Signed::parse(header).ok_or(WebhookRefusal::HeaderMalformed)?;
    let apart = now.seconds_and_nanos().0.abs_diff(seconds);
    let good = secrets.iter().any(|secret| {
        // An empty secret would let anybody sign; it is what an unset variable looks like.
        let secret = secret.as_ref();
        !secret.is_empty() && signatures.iter().any(|signature| signs(secret, seconds, body, signature))
    });
    if !good {
        return Err(WebhookRefusal::SignatureWrong);
    }
    if apart > TOLERANCE.as_secs() { Err(WebhookRefusal::OutOfTime) } else { Ok(()) }
}

/// The header for a body: what the simulator sends, with a signature for each of its secrets.
pub fn sign(secrets: &[impl AsRef<[u8]>], body: &[u8], now: Timestamp) -> String {
    let seconds = now.seconds_and_nanos().0;
    let mut header = format!("t={seconds}");
    for secret in secrets {
        header.push_str(",v1=");
        for byte in mac(secret.as_ref(), seconds, body).finalize().into_bytes() {
            write!(header, "{byte:02x}").expect("a string takes any text");
        }
    }
    header
}

/// Reads a believed body.
pub fn parse(gateway: &str, body: &[u8]) -> Result<GatewayEvent, WebhookRefusal> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| WebhookRefusal::BodyUnreadable)?;
    let object = envelope.data.object;
    let kind = kind_of(&envelope.r#type);
    let happened_at =
        Timestamp::from_seconds_and_nanos(envelope.created, 0).map_err(|_| WebhookRefusal::BodyUnreadable)?;
    let payment = match kind {
        EventKind::Payment => Some(text(&object, "payment_intent").unwrap_or(&object.id)),
        EventKind::Refund | EventKind::Dispute => {
            text(&object, "payment_intent").or_else(|| text(&object, "charge"))
        }
        EventKind::Other => None,
    };
    let ours = match kind {
        EventKind::Payment => metadata(&object, "payment_id"),
        EventKind::Refund => metadata(&object, "refund_id"),
        EventKind::Dispute | EventKind::Other => None,
    };
    let fits = |text: &str| text.len() <= REFERENCE_MAX && types::text::is_plain(text);
    if envelope.id.is_empty() || ![&envelope.id, &object.id].into_iter().all(|text| fits(text)) {
        return Err(WebhookRefusal::BodyUnreadable);
    }
    Ok(GatewayEvent {
        gateway: gateway.to_owned(),
        event_id: envelope.id,
        kind,
        payment_reference: payment.filter(|text| fits(text)).unwrap_or_default().to_owned(),
        our_reference: ours.filter(|text| fits(text)).map(str::to_owned),
        gateway_reference: object.id.clone(),
        happened_at,
    })
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    r#type: String,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// A field that holds an id, or the whole object with that id when the gateway expands it.
fn text<'a>(object: &'a Object, field: &str) -> Option<&'a str> {
    match object.rest.get(field)? {
        Value::Object(expanded) => expanded.get("id")?.as_str(),
        value => value.as_str(),
    }
}

fn metadata<'a>(object: &'a Object, field: &str) -> Option<&'a str> {
    object.rest.get("metadata")?.get(field)?.as_str()
}

/// Refunds have a family of their own, and an older place in that of their charge.
/// Refunds have a family of their own, and an older place in that of their charge.
fn kind_of(kind: &str) -> EventKind {
    if kind.starts_with("refund.") || kind.starts_with("charge.refund.") {
        EventKind::Refund
    } else if kind.starts_with("charge.dispute.") {
        EventKind::Dispute
    } else if kind.starts_with("charge.") || kind.starts_with("payment_intent.") {
        EventKind::Payment
    } else {
        EventKind::Other
    }
}

struct Signed {
    seconds: i64,
    signatures: Vec<[u8; 32]>,
}

impl Signed {
    /// Other schemes (`v0`) are passed over, as the gateway asks: believing them would be a downgrade.
    fn parse(header: &str) -> Option<Self> {
        let mut seconds = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            let (scheme, value) = part.trim().split_once('=')?;
            let surplus = match scheme {
                "t" => seconds.replace(value.parse().ok()?).is_some(),
                "v1" => {
                    signatures.push(unhex(value)?);
                    signatures.len() > SIGNATURES_MAX
                }
                _ => false,
            };
            if surplus {
                return None;
            }
        }
        if signatures.is_empty() {
            return None;
        }
        Some(Self { seconds: seconds?, signatures })
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

/// In constant time: the comparison tells nothing of how much was right.
fn signs(secret: &[u8], seconds: i64, body: &[u8], signature: &[u8]) -> bool {
    mac(secret, seconds, body).verify_slice(signature).is_ok()
}

fn mac(secret: &[u8], seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests;
