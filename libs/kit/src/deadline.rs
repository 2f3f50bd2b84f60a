//! [`Deadline`]: until when an answer is worth having, carried from hop to hop.
//!
//! The server grants `min(grpc-timeout − margin, cap)`; the margin leaves time for the answer to
//! travel, so that the caller reads DEADLINE_EXCEEDED instead of giving up alone. Calls made while
//! a handler runs inherit what is left. tonic itself reports an elapsed timeout as CANCELLED, which
//! retry tables read as "the caller went away"; this module is why ours says DEADLINE_EXCEEDED.

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use types::Reason;

use crate::failure::Failure;

/// What a call gets when it asks for nothing, and the most it gets when it asks for more.
pub const CAP: Duration = Duration::from_secs(10);

const GRPC_TIMEOUT: &str = "grpc-timeout";
/// Time kept back for the answer's way home; a tenth of the budget when the budget is small.
const MARGIN_MAX: Duration = Duration::from_millis(100);

tokio::task_local! {
    static CURRENT: Deadline;
}

/// The moment by which this call must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    at: Instant,
    answer_by: Instant,
}

impl Deadline {
    pub fn after(budget: Duration) -> Self {
        Self::starting(Instant::now(), budget)
    }

    /// The deadline of the call a handler is answering. A handler called without a server (a test, an
    /// in-process caller) gets the cap.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get().copied().unwrap_or_else(|| Self::after(CAP))
    }

    /// The deadline of the call this task is answering, if it is answering one.
    pub fn current() -> Option<Self> {
        CURRENT.try_get().ok()
    }

    pub fn at(self) -> Instant {
        self.at
    }

    /// A handler that waits for progress stops waiting here and answers with what it sees.
    pub fn answer_by(self) -> Instant {
        self.answer_by
    }

    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub fn is_past(self) -> bool {
        self.remaining().is_zero()
    }

    /// Runs `work` until the deadline; calls it makes inherit what is left.
    pub async fn bound<F: Future>(self, work: F) -> Result<F::Output, Failure> {
        if self.is_past() {
            return Err(Failure::deadline_exceeded());
        }
        let bounded = tokio::time::timeout_at(self.at, CURRENT.scope(self, work));
        bounded.await.map_err(|_| Failure::deadline_exceeded())
    }

    /// The server's grant: what the caller asked for, less the margin, and never above `cap`.
    pub(crate) fn grant(headers: &HeaderMap, arrived: Instant, cap: Duration) -> Result<Self, Failure> {
        let budget = match headers.get(GRPC_TIMEOUT) {
            None => cap,
            Some(value) => {
                let asked = parse(value).ok_or_else(|| {
                    Failure::invalid(
                        GRPC_TIMEOUT,
                        Reason::FieldInvalid,
                        "the grpc-timeout header is malformed",
                    )
                })?;
                asked.saturating_sub(margin(asked)).min(cap)
            }
        };
        Ok(Self::starting(arrived, budget))
    }

    /// The client's budget: what the request or the channel allows, and never more than is left of the
    /// call being answered.
    pub(crate) fn budget(headers: &HeaderMap, channel: Duration) -> Self {
        let asked = headers.get(GRPC_TIMEOUT).and_then(parse).unwrap_or(channel);
        let left = Self::current().map_or(asked, Self::remaining);
        Self::after(asked.min(left))
    }

    pub(crate) fn is_told(headers: &HeaderMap) -> bool {
        headers.contains_key(GRPC_TIMEOUT)
    }

    /// Writes what is left into the request.
    pub(crate) fn forward(self, headers: &mut HeaderMap) {
        headers.insert(GRPC_TIMEOUT, header(self.remaining()));
    }

    fn starting(start: Instant, budget: Duration) -> Self {
        Self { at: start + budget, answer_by: start + budget.saturating_sub(margin(budget)) }
    }
}

fn margin(budget: Duration) -> Duration {
    (budget / 10).min(MARGIN_MAX)
}

/// `grpc-timeout` is at most eight digits and one unit letter.
fn parse(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn header(remaining: Duration) -> HeaderValue {
    const EIGHT_DIGITS: u128 = 99_999_999;
    let text = if remaining.as_micros() <= EIGHT_DIGITS {
        format!("{}u", remaining.as_micros())
    } else {
        format!("{}m", remaining.as_millis().min(EIGHT_DIGITS))
    };
    HeaderValue::try_from(text).expect("digits and a letter are a valid header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(header: Option<&'static str>) -> Result<Duration, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(GRPC_TIMEOUT, HeaderValue::from_static(header));
        }
        let arrived = Instant::now();
        Deadline::grant(&headers, arrived, CAP).map(|deadline| deadline.at - arrived)
    }

    #[test]
    fn a_call_without_a_timeout_gets_the_cap() {
        assert_eq!(grant(None).unwrap(), CAP);
    }

    #[test]
    fn a_short_timeout_keeps_a_tenth_for_the_way_home() {
        assert_eq!(grant(Some("500m")).unwrap(), Duration::from_millis(450));
        assert_eq!(grant(Some("5S")).unwrap(), Duration::from_millis(4_900));
    }

    #[test]
    fn a_long_timeout_is_capped() {
        assert_eq!(grant(Some("2H")).unwrap(), CAP);
    }

    #[test]
    fn a_malformed_timeout_is_refused_and_never_ignored() {
        for text in ["", "S", "5", "5x", "123456789S", "-5S", "5 S", "+5S"] {
            assert_eq!(grant(Some(text)).unwrap_err().reason(), Reason::FieldInvalid, "{text}");
        }
    }

    #[test]
    fn the_header_written_is_read_back() {
        for micros in [0, 1, 1_999_999, 99_999_999, 100_000_000, 90_000_000_000] {
            let duration = Duration::from_micros(micros);
            let read = parse(&header(duration)).unwrap();

            assert!(
                duration.checked_sub(read).unwrap() < Duration::from_millis(1),
                "{duration:?} became {read:?}"
            );
        }
    }
}
