//! Quotes: a previewed price that submitting keeps to, without a row in any table.
//!
//! A quote is a signed token that carries what it promises and to whom: the order at a pricing version, the
//! exact request, the amounts and the end of its validity. Previewing therefore writes nothing, and
//! every replica that has the key can redeem a quote.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use types::{Fingerprint, Reason, Refusal, Subject, Timestamp};

use super::change::ChangeRequest;
use super::order::Order;
use super::pricing::PricedChange;

/// How long a quote is valid.
pub const VALIDITY: Duration = Duration::from_mins(15);

/// The first field of every token. A new form of the token gets a new value.
const FORM: &str = "q2";

/// The secret that signs quotes; the same on every replica.
#[derive(Clone)]
pub struct QuoteKey(Vec<u8>);

impl QuoteKey {
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    fn sign(&self, payload: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(payload.as_bytes());
        mac
    }
}

impl fmt::Debug for QuoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuoteKey(…)")
    }
}

/// Who presents a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// A quote is valid for the subject that asked for it.
    Subject(Subject),
    /// Somebody with the permission to redeem other subjects' quotes, too.
    Anyone,
}

/// A presented quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub quote_id: String,
    pub by: Bearer,
}

/// How much each tender was going to give back, as the payment service forecast it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    pub amount_minor: i64,
    pub fingerprint: Fingerprint,
}

/// A quote as the caller gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub quote_id: String,
    pub expires_at: Timestamp,
}

pub fn issue(
    key: &QuoteKey,
    order: &Order,
    request: &ChangeRequest,
    priced: &PricedChange,
    moves: Option<&Moves>,
    (to, now): (&Subject, Timestamp),
) -> Quote {
    let expires_at = now.plus(VALIDITY);
    let promise = Promise {
        tenant: order.tenant.as_str(),
        subject: to.as_str(),
        order_id: order.order_id.as_str(),
        content: request.content.as_str(),
        pricing_version: order.pricing_version,
        amount_minor: priced.amounts.amount,
        total_after_minor: priced.total_after_minor,
        moves: moves.cloned(),
        expires_at: expires_at.unix_micros(),
    };
    let payload = promise.to_text();
    let signature = key.sign(&payload).finalize().into_bytes();
    let quote_id = format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(signature));
    Quote { quote_id, expires_at }
}

/// Accepts a quote for this request at this price, and returns what it promised; or refuses it and says why.
pub fn redeem(
    key: &QuoteKey,
    presented: &Presented,
    order: &Order,
    request: &ChangeRequest,
    priced: &PricedChange,
    now: Timestamp,
) -> Result<Option<Moves>, Refusal> {
    let payload = open(key, &presented.quote_id).ok_or_else(invalid)?;
    let promise = Promise::parse(&payload).ok_or_else(invalid)?;
    let theirs = match &presented.by {
        Bearer::Subject(subject) => promise.subject == subject.as_str(),
        Bearer::Anyone => true,
    };
    // A quote of another subject or tenant is answered like a forged one, so that it tells nothing about them.
    if !theirs || promise.tenant != order.tenant.as_str() {
        return Err(invalid());
    }
    if promise.order_id != order.order_id.as_str() || promise.content != request.content.as_str() {
        let message = "the quote was given for another request";
        return Err(Refusal::new(Reason::QuoteMismatch, message));
    }
    if promise.expires_at <= now.unix_micros() {
        return Err(Refusal::new(Reason::QuoteExpired, "the quote has expired; preview the change again"));
    }
    if promise.pricing_version != order.pricing_version || promise.amount_minor != priced.amounts.amount {
        let message = "the order changed since the quote was given; preview the change again";
        return Err(Refusal::new(Reason::QuoteStale, message)
            .detail("quoted_amount_minor", promise.amount_minor)
            .detail("amount_minor", priced.amounts.amount)
            .detail("difference_minor", priced.amounts.amount - promise.amount_minor)
            .detail("quoted_total_after_minor", promise.total_after_minor)
            .detail("total_after_minor", priced.total_after_minor));
    }
    Ok(promise.moves)
}

/// The content of a token. No field can hold the separator.
struct Promise<'a> {
    tenant: &'a str,
    subject: &'a str,
    order_id: &'a str,
    content: &'a str,
    pricing_version: i64,
    amount_minor: i64,
    total_after_minor: i64,
    /// None where the payment service could not be asked.
    moves: Option<Moves>,
    expires_at: i64,
}

impl<'a> Promise<'a> {
    fn to_text(&self) -> String {
        let (moved_minor, tenders) =
            self.moves.as_ref().map_or((0, ""), |moves| (moves.amount_minor, moves.fingerprint.as_str()));
        format!(
            "{FORM}|{}|{}|{}|{}|{}|{}|{}|{moved_minor}|{tenders}|{}",
            self.tenant,
            self.subject,
            self.order_id,
            self.content,
            self.pricing_version,
            self.amount_minor,
            self.total_after_minor,
            self.expires_at
        )
    }

    fn parse(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.split('|').collect();
        let [
            FORM,
            tenant,
            subject,
            order_id,
            content,
            pricing_version,
            amount,
            total_after,
            moved,
            tenders,
            expires_at,
        ] = fields[..]
        else {
            return None;
        };
        let promised = match tenders {
            "" => None,
            tenders => Some(Moves {
                amount_minor: moved.parse().ok()?,
                fingerprint: Fingerprint::parse(tenders).ok()?,
            }),
        };
        Some(Self {
            tenant,
            subject,
            order_id,
            content,
            pricing_version: pricing_version.parse().ok()?,
            amount_minor: amount.parse().ok()?,
            total_after_minor: total_after.parse().ok()?,
            moves: promised,
            expires_at: expires_at.parse().ok()?,
        })
    }
}

/// The payload of a token with our signature; the comparison takes the same time wherever it differs.
fn open(key: &QuoteKey, quote_id: &str) -> Option<String> {
    let (payload, signature) = quote_id.split_once('.')?;
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    key.sign(&payload).verify_slice(&signature).ok()?;
    Some(payload)
}

fn invalid() -> Refusal {
    Refusal::new(Reason::QuoteInvalid, "the quote_id was not given to you by PreviewChangeOrder")
        .field("quote_id")
}
