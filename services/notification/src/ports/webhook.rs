//! Posting to a webhook endpoint: one request, one answer, nothing followed, nothing read beyond its beginning.

use std::error::Error;
use std::time::{Duration, SystemTime};

use kit::outbound::{AddressGuard, Refused};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use types::Timestamp;

use crate::domain::webhook::Answer;

/// A receiver that takes longer is to answer first and work later.
pub const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CONTENT: &str = "application/cloudevents+json; charset=utf-8";
/// What is kept of an answer.
const EXCERPT_BYTES_MAX: usize = 300;

#[derive(Debug, Clone)]
pub struct Poster {
    client: Client,
    guard: AddressGuard,
    timeout: Duration,
}

/// What is posted.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    pub url: &'a str,
    pub id: &'a str,
    /// When this attempt is made.
    pub sent_at: Timestamp,
    pub signatures: &'a str,
    pub traceparent: Option<&'a str>,
    pub body: String,
}

impl Poster {
    pub fn new(guard: AddressGuard, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = guard.client().timeout(timeout).connect_timeout(CONNECT_TIMEOUT.min(timeout)).build()?;
        Ok(Self { client, guard, timeout })
    }

    /// The normal form of an address that this installation would post to, as far as that can be told without resolving
    /// its name.
    pub fn check(&self, url: &str) -> Result<Url, Refused> {
        self.guard.admit(url)
    }

    pub async fn post(&self, post: Post<'_>) -> Answer {
        let url = match self.check(post.url) {
            Ok(url) => url,
            Err(refused) => return Answer::Unreached(refused.to_string()),
        };
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, CONTENT)
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.sent_at.unix_micros() / 1_000_000)
            .header("webhook-signature", post.signatures)
            .body(post.body);
        if let Some(traceparent) = post.traceparent {
            request = request.header("traceparent", traceparent);
        }
        match request.send().await {
            Ok(response) => answered(response, post.sent_at).await,
            Err(problem) => lost(problem, self.timeout),
        }
    }
}

async fn answered(mut response: Response, now: Timestamp) -> Answer {
    let status = response.status();
    let retry_after = retry_after(response.headers(), now);
    let mut beginning = Vec::new();
    if !status.is_success() {
        while beginning.len() < EXCERPT_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            beginning.extend(chunk.iter().take(EXCERPT_BYTES_MAX - beginning.len()));
        }
    }
    let excerpt = on_one_line(&String::from_utf8_lossy(&beginning));
    Answer::Status { status: status.as_u16(), retry_after, excerpt }
}

/// Seconds, or a date: then by the receiver's own clock, where it tells it.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let theirs = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
    let until = http_date(text)?.saturating_sub(theirs.unwrap_or(now.unix_micros() / 1_000_000));
    Some(Duration::from_secs(u64::try_from(until).unwrap_or(0)))
}

/// The seconds of a date as HTTP writes it, such as "Sun, 22 Nov 2026 05:00:00 GMT".
fn http_date(text: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(text).ok()?;
    i64::try_from(date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn lost(problem: reqwest::Error, timeout: Duration) -> Answer {
    let is_unreached = problem.is_connect() || problem.is_builder();
    // The url may hold a secret of the receiver's in its query.
    let problem = problem.without_url();
    let what = match cause(&problem) {
        Some(refused) => refused.to_string(),
        None if problem.is_timeout() => format!("no answer within {} ms", timeout.as_millis()),
        None => on_one_line(&in_full(&problem)),
    };
    if is_unreached { Answer::Unreached(what) } else { Answer::Unanswered(what) }
}

/// The guard's word, wherever the client has wrapped it.
fn cause(problem: &reqwest::Error) -> Option<&Refused> {
    let mut source = problem.source();
    while let Some(inner) = source {
        if let Some(refused) = inner.downcast_ref() {
            return Some(refused);
        }
        source = inner.source();
    }
    None
}

fn in_full(problem: &reqwest::Error) -> String {
    let mut text = problem.to_string();
    let mut source = problem.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

fn on_one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(EXCERPT_BYTES_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse().expect("the test names a header"), value.parse().expect("the test writes text"))
        });
        let now = Timestamp::parse("2026-11-22T05:00:00.000000Z").expect("the test names an instant");
        retry_after(&headers.collect(), now)
    }

    #[test]
    fn patience_is_asked_for_in_seconds_or_by_a_date() {
        let date = ("retry-after", "Sun, 22 Nov 2026 05:02:00 GMT");
        assert_eq!(asked(&[("retry-after", " 7 ")]), Some(Duration::from_secs(7)));
        assert_eq!(asked(&[date]), Some(Duration::from_mins(2)));
        assert_eq!(
            asked(&[date, ("date", "Sun, 22 Nov 2026 05:01:30 GMT")]),
            Some(Duration::from_secs(30)),
            "the receiver's clock counts, not ours"
        );
        assert_eq!(asked(&[("retry-after", "Sunday, 22-Nov-26 05:02:00 GMT")]), Some(Duration::from_mins(2)));
        assert_eq!(asked(&[("retry-after", "Sat, 21 Nov 2026 05:02:00 GMT")]), Some(Duration::ZERO));
        assert_eq!(asked(&[("retry-after", "soon")]), None);
        assert_eq!(asked(&[]), None);
    }
}
