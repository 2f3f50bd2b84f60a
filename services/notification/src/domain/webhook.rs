//! Webhook endpoints and how their deliveries are signed, after the Standard Webhooks specification.
//!
//! ```text
//!   active ──operator · 410 gone · failing for days──▶ disabled ──upsert──▶ active
//! ```

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use types::{EventId, Timestamp, WebhookId};

use super::delivery::Outcome;

/// Failing for as long as this, without one success, disables an endpoint: longer than all tries of one delivery take.
pub const FAILING_MAX: Duration = Duration::from_hours(5 * 24);
/// How long both secrets sign after a rotation, unless somebody says otherwise.
pub const OVERLAP: Duration = Duration::from_hours(24);
pub const OVERLAP_MAX: Duration = Duration::from_hours(7 * 24);

const SECRET_PREFIX: &str = "whsec_";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub webhook_id: WebhookId,
    pub url: String,
    pub description: String,
    /// Full names of messages; none for all.
    pub event_types: Vec<String>,
    pub state: EndpointState,
    pub secret: Secret,
    pub old_secret: Option<OldSecret>,
    /// The first failure since the last success.
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    Active,
    Disabled(DisabledCause),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledCause {
    Operator,
    /// It answered 410.
    Gone,
    /// It failed for days.
    Failing,
}

/// What a receiver verifies signatures with. It never stands in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The secret before the last rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSecret {
    pub secret: Secret,
    pub until: Timestamp,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Status {
        status: u16,
        /// How long the receiver asks to be left alone.
        retry_after: Option<Duration>,
        /// The beginning of what it said.
        excerpt: String,
    },
    /// No connection was made, so nothing can have arrived.
    Unreached(String),
    /// It may have arrived.
    Unanswered(String),
}

impl Endpoint {
    pub fn wants(&self, event_type: &str) -> bool {
        self.state == EndpointState::Active
            && (self.event_types.is_empty() || self.event_types.iter().any(|wanted| wanted == event_type))
    }

    /// The signatures of a body: one, or two for as long as the old secret still counts.
    pub fn signatures(&self, event_id: &EventId, at: Timestamp, body: &str) -> String {
        let old = self.old_secret.as_ref().filter(|old| at < old.until).map(|old| &old.secret);
        let secrets = std::iter::once(&self.secret).chain(old);
        let signed: Vec<String> = secrets.map(|secret| secret.sign(event_id, at, body)).collect();
        signed.join(" ")
    }

    pub fn rotate(&mut self, secret: Secret, overlap: Duration, now: Timestamp) {
        let secret = std::mem::replace(&mut self.secret, secret);
        self.old_secret = Some(OldSecret { secret, until: now.plus(overlap) });
        self.changed_at = now;
    }

    pub fn activate(&mut self, now: Timestamp) {
        self.state = EndpointState::Active;
        self.failing_since = None;
        self.changed_at = now;
    }

    pub fn disable(&mut self, cause: DisabledCause, now: Timestamp) {
        if self.state == EndpointState::Active {
            self.state = EndpointState::Disabled(cause);
            self.changed_at = now;
        }
    }

    /// Notes what came of a try, and disables what is gone or has failed for too long.
    pub fn heard(&mut self, answer: &Answer, now: Timestamp) {
        if answer.is_success() {
            self.failing_since = None;
            return;
        }
        let since = *self.failing_since.get_or_insert(now);
        if answer.is_gone() {
            self.disable(DisabledCause::Gone, now);
        } else if now.since(since) >= FAILING_MAX {
            self.disable(DisabledCause::Failing, now);
        }
    }
}

impl Answer {
    /// Only these; a redirect is a failure too, because the address it leads to was never checked.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status { status: 200..=299, .. })
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }

    /// What is noted of a failure; empty after a success.
    pub fn error(&self) -> String {
        match self {
            Self::Status { status: 200..=299, .. } => String::new(),
            Self::Status { status, excerpt, .. } if excerpt.is_empty() => format!("status {status}"),
            Self::Status { status, excerpt, .. } => format!("status {status}: {excerpt}"),
            Self::Unreached(why) | Self::Unanswered(why) => why.clone(),
        }
    }

    pub fn status(&self) -> i64 {
        match self {
            Self::Status { status, .. } => i64::from(*status),
            Self::Unreached(_) | Self::Unanswered(_) => 0,
        }
    }

    /// Where the delivery goes from here.
    pub fn outcome(&self) -> Outcome {
        let why = self.error();
        match self {
            Self::Status { status: 200..=299, .. } => Outcome::Taken { provider_id: None },
            Self::Status { status: 410, .. } => Outcome::Never { why, suppress: None },
            Self::Status { status: 429 | 503, retry_after, .. } => {
                Outcome::Later { why, pause: *retry_after }
            }
            Self::Status { .. } | Self::Unreached(_) => Outcome::Later { why, pause: None },
            Self::Unanswered(_) => Outcome::Unknown { why },
        }
    }
}

impl Secret {
    pub const LENGTH: usize = 32;

    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes.to_vec())
    }

    /// The form that is stored and shown.
    pub fn to_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok().map(Self)
    }

    fn sign(&self, event_id: &EventId, at: Timestamp, body: &str) -> String {
        let (seconds, _) = at.seconds_and_nanos();
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("{event_id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl EndpointState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled(_) => "disabled",
        }
    }

    pub const fn cause(self) -> Option<DisabledCause> {
        match self {
            Self::Active => None,
            Self::Disabled(cause) => Some(cause),
        }
    }
}

impl DisabledCause {
    pub const ALL: [Self; 3] = [Self::Operator, Self::Gone, Self::Failing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            webhook_id: WebhookId::parse("whk_01h455vb4pex5vsknk084sn02q").unwrap(),
            url: "https://example.com/hook".to_owned(),
            description: String::new(),
            event_types: Vec::new(),
            state: EndpointState::Active,
            secret: Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
            old_secret: None,
            failing_since: None,
            created_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn status(status: u16) -> Answer {
        Answer::Status { status, retry_after: None, excerpt: String::new() }
    }

    #[test]
    fn both_secrets_sign_until_the_overlap_ends() {
        let mut endpoint = endpoint();
        let event = EventId::parse("evt_01h455vb4pex5vsknk084sn02q").unwrap();
        let now = Timestamp::UNIX_EPOCH.plus(Duration::from_secs(1_614_265_330));
        let before = endpoint.signatures(&event, now, "{}");

        endpoint.rotate(Secret::new([7; 32]), OVERLAP, now);

        let both = endpoint.signatures(&event, now, "{}");
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.split(' ').any(|signature| signature == before));
        let later = endpoint.signatures(&event, now.plus(OVERLAP), "{}");
        assert_eq!(later.split(' ').count(), 1);
        assert_ne!(later, before);
    }

    #[test]
    fn only_success_is_success() {
        for (code, taken) in
            [(200, true), (204, true), (301, false), (302, false), (404, false), (500, false)]
        {
            assert_eq!(status(code).is_success(), taken, "{code}");
        }
        assert!(matches!(status(302).outcome(), Outcome::Later { .. }));
    }

    #[test]
    fn an_endpoint_that_is_gone_is_disabled_at_once() {
        let mut endpoint = endpoint();

        endpoint.heard(&status(410), Timestamp::UNIX_EPOCH);

        assert_eq!(endpoint.state, EndpointState::Disabled(DisabledCause::Gone));
        assert!(!endpoint.wants("countermand.events.v1.OrderPlaced"));
    }

    #[test]
    fn failing_for_days_disables_and_one_success_forgives() {
        let mut endpoint = endpoint();
        let start = Timestamp::UNIX_EPOCH;
        endpoint.heard(&status(500), start);
        endpoint.heard(&status(200), start.plus(FAILING_MAX / 2));
        endpoint.heard(&status(500), start.plus(FAILING_MAX));
        assert_eq!(endpoint.state, EndpointState::Active);

        endpoint.heard(&status(500), start.plus(FAILING_MAX * 2));

        assert_eq!(endpoint.state, EndpointState::Disabled(DisabledCause::Failing));
    }

    #[test]
    fn a_secret_is_never_shown_by_accident() {
        assert!(!format!("{:?}", endpoint()).contains("MfKQ"));
    }
}
