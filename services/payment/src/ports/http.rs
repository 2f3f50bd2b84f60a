//! How gateways are called over HTTP: one client with limits, and what a failed exchange may mean.
//!
//! The one question after every exchange is whether the effect may have happened. Anything but a
//! complete, readable answer leaves that open, and is never read as a no.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;

/// The longest answer that is read; a page of a hundred refunds takes a tenth of it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// What is kept of a gateway's own words.
const DETAIL_CHARS_MAX: usize = 300;

/// An answer that came in whole.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    body: Vec<u8>,
}

/// There was no whole answer: the effect may have happened or not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// A client of one gateway. It follows no redirect: a secret key goes to the configured host alone.
pub fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    // Whoever comes first in this process chooses, and all choose the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .redirect(Policy::none())
        .user_agent(concat!("countermand/", env!("CARGO_PKG_VERSION")))
        .build()
}

pub async fn send(request: RequestBuilder) -> Result<Reply, Lost> {
    // The address may hold a key in its query one day; an error's text never carries it.
    let lost = |problem: reqwest::Error| Lost(reason(&problem.without_url()));
    let mut response = request.send().await.map_err(lost)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Lost("the answer is longer than any honest one".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

impl Reply {
    #[cfg(test)]
    pub fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, body }
    }

    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Lost> {
        serde_json::from_slice(&self.body).map_err(|problem| {
            Lost(format!("the answer with status {} is not readable: {problem}", self.status.as_u16()))
        })
    }
}

/// A gateway's text as it may be kept: bounded, and on one line.
pub fn kept(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect()
}

fn reason(problem: &reqwest::Error) -> String {
    let what = if problem.is_timeout() {
        "no answer in time"
    } else if problem.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    kept(&format!("{what}: {problem}"))
}
