//! Stripe's wire: requests, objects, and what its errors mean.

use std::fmt;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ports::http::{self, Lost, Reply};

/// The version whose objects are read here. An account's own default changes by a click.
const VERSION: &str = "2024-06-20";

/// What an exchange without the wished-for object means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Stripe says no, and nothing was done.
    Refused(String),
    /// Stripe knows no such object.
    Missing(String),
    /// It may have been done or not; the same key may be sent again.
    Ambiguous(String),
}

/// The calls, with a secret key that no log shows.
#[derive(Clone)]
pub struct Api {
    pub client: Client,
    pub base: String,
    pub secret_key: String,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Api {
    /// A request that makes an effect, at most once for each key.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let request = self.client.post(self.url(path)).header("idempotency-key", key).form(form);
        self.exchange(request).await
    }

    /// A question. The path holds its query already escaped.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.exchange(self.client.get(self.url(path))).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.trim_end_matches('/'))
    }

    async fn exchange<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let request = request.bearer_auth(&self.secret_key).header("stripe-version", VERSION);
        let reply = http::send(request).await?;
        if reply.status.is_success() {
            return Ok(reply.read()?);
        }
        Err(classify(&reply))
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        Self::Ambiguous(lost.0)
    }
}

/// Only what Stripe documents as a finished no is one. A wrong key, a limit, a key still in use, a
/// key used for other parameters: none of them says what became of an earlier attempt.
fn classify(reply: &Reply) -> Failure {
    let error = reply.read::<ErrorReply>().map(|reply| reply.error).unwrap_or_default();
    let detail = error.detail(reply.status);
    match reply.status {
        StatusCode::BAD_REQUEST if error.r#type == "idempotency_error" => Failure::Ambiguous(detail),
        StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED => Failure::Refused(detail),
        StatusCode::NOT_FOUND => Failure::Missing(detail),
        _ => Failure::Ambiguous(detail),
    }
}

#[derive(Deserialize)]
struct ErrorReply {
    error: ErrorBody,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    r#type: String,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
}

impl ErrorBody {
    fn detail(&self, status: StatusCode) -> String {
        let message = self.message.as_deref().unwrap_or("Stripe gave no reason");
        let codes: Vec<&str> =
            [&self.code, &self.decline_code].into_iter().flatten().map(String::as_str).collect();
        http::kept(&format!(
            "{message} ({}{}{})",
            status.as_u16(),
            if codes.is_empty() { "" } else { " " },
            codes.join(" ")
        ))
    }
}

#[derive(Debug, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Debug, Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    pub status: String,
    pub amount: i64,
    /// Not all fakes tell it.
    pub amount_received: Option<i64>,
    #[serde(default)]
    pub currency: String,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub latest_charge: Value,
    #[serde(default)]
    pub last_payment_error: Value,
}

#[derive(Debug, Deserialize)]
pub struct Charge {
    pub amount: i64,
    #[serde(default)]
    pub captured: bool,
    pub amount_captured: Option<i64>,
    #[serde(default)]
    pub amount_refunded: i64,
    #[serde(default)]
    pub currency: String,
    /// Not all fakes tell it.
    pub status: Option<String>,
    #[serde(default)]
    pub payment_intent: Value,
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    pub amount: i64,
    #[serde(default)]
    pub payment_intent: Value,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// There once money that had left came back.
    #[serde(default)]
    pub failure_balance_transaction: Value,
}

#[derive(Debug, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub status: String,
    pub amount: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        classify(&Reply::new(StatusCode::from_u16(status).unwrap(), body.as_bytes().to_vec()))
    }

    #[test]
    fn only_a_finished_no_is_a_refusal() {
        let declined = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"No."}}"#;
        assert_eq!(failure(402, declined), Failure::Refused("No. (402 card_declined lost_card)".to_owned()));
        let invalid = r#"{"error":{"type":"invalid_request_error","message":"Too much."}}"#;
        assert_eq!(failure(400, invalid), Failure::Refused("Too much. (400)".to_owned()));

        let reused = r#"{"error":{"type":"idempotency_error","message":"Other parameters."}}"#;
        assert!(matches!(failure(400, reused), Failure::Ambiguous(_)));
        for status in [401, 403, 409, 429, 500, 502, 503, 504] {
            assert!(matches!(failure(status, "<html>"), Failure::Ambiguous(_)), "{status}");
        }
        assert!(matches!(failure(404, "{}"), Failure::Missing(_)));
    }

    #[test]
    fn a_secret_key_is_in_no_log() {
        let client = http::client(std::time::Duration::from_secs(1)).unwrap();
        let api = Api { client, base: "http://127.0.0.1:1".to_owned(), secret_key: "sk_live_1".to_owned() };

        assert!(!format!("{api:?}").contains("sk_live_1"));
    }
}
