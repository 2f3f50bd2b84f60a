//! A delivery: one event told to one recipient through a channel that leaves the house, and what becomes of it.
//!
//! ```text
//!   queued ──▶ sending ──▶ sent
//!     ▲          │  ├────▶ failed ──▶ sending …           (known not to have arrived: again, later)
//!     │          │  └────▶ dead ──▶ queued | discarded     (tries are used up, refused for good, or in doubt twice)
//!     └ requeue ─┘
//!   suppressed: decided against, with the reason; it never leaves this state
//! ```

use std::time::Duration;

use types::{ChangeOrderId, DeliveryId, EventId, OrderId, Timestamp};

use super::message::Audience;

/// A channel that leaves the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlet {
    Email,
    Webhook,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub delivery_id: DeliveryId,
    pub event_id: EventId,
    pub outlet: Outlet,
    /// An address or an endpoint's id.
    pub recipient: String,
    pub audience: Audience,
    pub template: String,
    pub locale: String,
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    /// Deliveries of one stream go out one after the other; empty is none.
    pub stream: String,
    /// What the channel makes its message of, as the event had it.
    pub payload: String,
    pub traceparent: Option<String>,
    pub progress: Progress,
    pub created_at: Timestamp,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub state: State,
    pub tries: i64,
    /// Tries that nobody knows the end of, on a channel that takes no key.
    pub in_doubt: i64,
    pub last_error: Option<String>,
    /// What the other side calls it.
    pub provider_id: Option<String>,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Queued,
    Sending,
    Sent,
    Failed,
    Dead,
    Suppressed,
    Discarded,
}

/// What the other side said to a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Taken {
        provider_id: Option<String>,
    },
    /// It has not arrived, and may if it is tried again, after `pause` at the earliest.
    Later {
        why: String,
        pause: Option<Duration>,
    },
    /// It has not arrived and never will; with a cause nothing more is sent to this recipient.
    Never {
        why: String,
        suppress: Option<SuppressionCause>,
    },
    /// It may have arrived.
    Unknown {
        why: String,
    },
}

/// Why somebody is told nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuppressionCause {
    Unsubscribed,
    HardBounce,
    EndpointGone,
    Operator,
}

/// Where a try leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    pub progress: Progress,
    /// Before the next try; zero once it has ended.
    pub pause: Duration,
    pub suppress: Option<SuppressionCause>,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Pauses after a first, second … failed try. A mail server that asks for patience means minutes, then hours.
const EMAIL: [u64; 7] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR];
/// The ladder that Standard Webhooks publishes.
const WEBHOOK: [u64; 9] =
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// A second try whose end is unknown could make a second duplicate.
const IN_DOUBT_MAX: i64 = 2;
/// The longest pause the other side may ask for.
const PAUSE_MAX: Duration = Duration::from_hours(24);
/// Errors are kept as far as they help.
const ERROR_MAX: usize = 500;

impl Outlet {
    pub const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outlet| outlet.as_str() == text)
    }

    /// The other side tells repeats by a key, so that a try in doubt may be repeated without limit.
    pub const fn takes_a_key(self) -> bool {
        match self {
            Self::Email => false,
            Self::Webhook => true,
        }
    }

    const fn pauses(self) -> &'static [u64] {
        match self {
            Self::Email => &EMAIL,
            Self::Webhook => &WEBHOOK,
        }
    }

    /// The pause after a number of tries; None when they are used up.
    pub fn pause_after(self, tries: i64) -> Option<Duration> {
        let place = usize::try_from(tries.saturating_sub(1)).ok()?;
        self.pauses().get(place).map(|seconds| Duration::from_secs(*seconds))
    }
}

impl Delivery {
    /// Where the try that was just made leads to.
    pub fn after(&self, outcome: Outcome, now: Timestamp) -> Next {
        match outcome {
            Outcome::Taken { provider_id } => Self::end(
                State::Sent,
                Progress { provider_id, last_error: None, ..self.progress.clone() },
                now,
            ),
            Outcome::Later { why, pause } => self.again(&why, pause.unwrap_or_default(), 0, now),
            Outcome::Never { why, suppress } => Next { suppress, ..self.dead(&why, now) },
            Outcome::Unknown { why } => {
                self.again(&why, Duration::ZERO, i64::from(!self.outlet.takes_a_key()), now)
            }
        }
    }

    /// What a claim finds out: the try before it may have arrived, and one more could make a second duplicate.
    pub fn is_in_doubt_for_good(&self) -> bool {
        !self.outlet.takes_a_key() && self.progress.in_doubt >= IN_DOUBT_MAX
    }

    pub fn dead(&self, why: &str, now: Timestamp) -> Next {
        Self::end(State::Dead, Progress { last_error: Some(cut(why)), ..self.progress.clone() }, now)
    }

    pub fn suppressed(&self, why: &str, now: Timestamp) -> Next {
        Self::end(State::Suppressed, Progress { last_error: Some(cut(why)), ..self.progress.clone() }, now)
    }

    fn again(&self, why: &str, asked: Duration, doubts: i64, now: Timestamp) -> Next {
        let in_doubt = self.progress.in_doubt.saturating_add(doubts).min(IN_DOUBT_MAX);
        let progress = Progress {
            state: State::Failed,
            in_doubt,
            last_error: Some(cut(why)),
            ended_at: None,
            ..self.progress.clone()
        };
        let doubted = Self { progress, ..self.clone() };
        if doubted.is_in_doubt_for_good() {
            return doubted
                .dead(&format!("{why}; two tries may have arrived, so it is not tried again"), now);
        }
        match self.outlet.pause_after(self.progress.tries) {
            None => doubted.dead(&format!("{why}; that was the last try"), now),
            Some(pause) => {
                let pause = self.spread(pause).max(asked.min(PAUSE_MAX));
                Next { progress: doubted.progress, pause, suppress: None }
            }
        }
    }

    /// Up to a tenth longer, by the delivery's own id, so that what failed together does not come back together.
    fn spread(&self, pause: Duration) -> Duration {
        let chance = self.delivery_id.uuid().as_u128() ^ u128::from(self.progress.tries.unsigned_abs());
        let thousandth = u32::try_from(chance % 101).expect("a remainder below 101 is small");
        pause + pause * thousandth / 1_000
    }

    fn end(state: State, progress: Progress, now: Timestamp) -> Next {
        let progress = Progress { state, ended_at: Some(now), ..progress };
        Next { progress, pause: Duration::ZERO, suppress: None }
    }
}

impl Progress {
    pub const fn queued() -> Self {
        Self {
            state: State::Queued,
            tries: 0,
            in_doubt: 0,
            last_error: None,
            provider_id: None,
            ended_at: None,
        }
    }

    /// Decided against before it was ever tried.
    pub fn suppressed(why: &str, at: Timestamp) -> Self {
        Self { state: State::Suppressed, last_error: Some(cut(why)), ended_at: Some(at), ..Self::queued() }
    }
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Dead,
        Self::Suppressed,
        Self::Discarded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Suppressed => "suppressed",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl SuppressionCause {
    pub const ALL: [Self; 4] = [Self::Unsubscribed, Self::HardBounce, Self::EndpointGone, Self::Operator];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::HardBounce => "hard_bounce",
            Self::EndpointGone => "endpoint_gone",
            Self::Operator => "operator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

fn cut(why: &str) -> String {
    super::words::cut(why, ERROR_MAX)
}
