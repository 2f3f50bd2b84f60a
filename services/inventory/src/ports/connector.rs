//! Calling a partner's program as its profile declares: address, headers, body and the rule that reads the answer are
//! data, so that a new partner needs no code.
//!
//! ```text
//!   connector ─▶ measure ─▶ fill in ─▶ may it go there? ─▶ send ─▶ judge the answer by its rules
//!                  └──────────┴────────────┴─▶ Unusable: nothing was sent, and no retry helps
//! ```
//!
//! Only a whole answer that the rules understand is a word; everything else leaves open what the partner has done, and
//! is asked again with the same key.

use std::collections::BTreeMap;
use std::time::Duration;

use kit::outbound::{AddressGuard, NotAHost};
use minijinja::Value;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use types::{OrderId, PartnerTaskId, Tenant, bounded};

use super::secrets::{Drawn, Secrets};
use super::template::{self, Place, Values};
use crate::config::PartnerSecret;
use crate::domain::{Connector, PartnerAnswer, PartnerTask};

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// What is kept of a partner's own words.
const DETAIL_CHARS_MAX: usize = 300;
const KEY_HEADER: &str = "idempotency-key";
/// What the connection sets by itself: with these a header could say where a request ends and another begins, or for
/// whom it is.
const HEADERS_OF_THE_CONNECTION: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    KEY_HEADER,
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// One client for all partners.
#[derive(Clone)]
pub struct Partners {
    client: Client,
    guard: AddressGuard,
    secrets: Secrets,
}

/// Why partners cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum PartnersError {
    #[error(transparent)]
    Host(#[from] NotAHost),
    #[error("setting up the partners' channel")]
    Client(#[from] reqwest::Error),
}

/// What is wrong with a connector, and in which field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Flaw {
    pub field: &'static str,
    pub why: String,
}

/// A request as its connector makes it, before it is known whether it may be sent.
struct Draft {
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Partners {
    pub fn new(
        guard: AddressGuard,
        secrets: &BTreeMap<String, PartnerSecret>,
    ) -> Result<Self, PartnersError> {
        let client = guard.client().connect_timeout(CONNECT_TIMEOUT).build()?;
        Ok(Self { client, guard, secrets: Secrets::of(secrets)? })
    }

    /// Asks the partner to stop. The task's id is the key of every attempt.
    pub async fn stop(
        &self,
        tenant: &Tenant,
        connector: &Connector,
        order_id: &OrderId,
        id: &PartnerTaskId,
        task: &PartnerTask,
    ) -> PartnerAnswer {
        let request = match self.request(tenant, connector, values(order_id, id, task), id.as_str()).await {
            Ok(request) => request,
            Err(flaw) => return PartnerAnswer::Unusable { why: flaw.to_string() },
        };
        let answered = match self.client.execute(request).await {
            Ok(response) => read(response).await,
            // The address may hold a secret: an error's text never carries it.
            Err(problem) => Err(problem.without_url().to_string()),
        };
        match answered {
            Ok((status, body)) => judge(connector, status, body).await,
            Err(detail) => PartnerAnswer::Unknown { detail: kept(&detail) },
        }
    }

    /// Checks a connector before it is stored, with an order that is made up: a mistake is found now, and not when an
    /// order has to be stopped.
    pub async fn check(&self, tenant: &Tenant, connector: &Connector) -> Result<(), Flaw> {
        self.request(tenant, connector, example(), "example").await.map(|_| ())
    }

    async fn request(
        &self,
        tenant: &Tenant,
        connector: &Connector,
        values: Values,
        key: &str,
    ) -> Result<Request, Flaw> {
        measure(connector)?;
        let drawn = self.secrets.for_request(tenant);
        let (given, own) = (connector.clone(), drawn.clone());
        let draft = evaluate("connector", move || draft(&given, &values, &own)).await?;
        let url = self.destination(&draft.url, &drawn)?;
        let verb = if connector.http_method.is_empty() { "POST" } else { connector.http_method.as_str() };
        let verb = Method::from_bytes(verb.as_bytes()).map_err(|why| Flaw::new("http_method", &why))?;
        let timeout = match connector.timeout_seconds {
            0 => TIMEOUT_DEFAULT,
            seconds => Duration::from_secs(seconds.into()),
        };
        let mut request = self.client.request(verb, url).timeout(timeout).header(KEY_HEADER, key);
        for (name, value) in draft.headers {
            // A line feed in a value that is filled in would begin another header.
            let mut value = HeaderValue::from_str(&value).map_err(|why| Flaw::new("headers", &why))?;
            value.set_sensitive(true);
            request = request.header(header_name(&name)?, value);
        }
        let request = request.body(draft.body).build();
        request.map_err(|problem| Flaw::new("request", &problem.without_url()))
    }

    fn destination(&self, url: &str, drawn: &Drawn) -> Result<Url, Flaw> {
        let admitted = self.guard.admit(url).map_err(|refused| {
            // The text of a refusal names the host, and a template can make a secret a part of it.
            let why = if drawn.is_empty() { refused.to_string() } else { "it is not called".to_owned() };
            Flaw { field: "url", why }
        })?;
        drawn.may_go_to(&admitted, &self.guard).map_err(|why| Flaw { field: "url", why })?;
        Ok(admitted)
    }
}

impl Flaw {
    fn new(field: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self { field, why: why.to_string() }
    }
}

/// Everything a tenant has written is measured before a parser sees any of it.
fn measure(connector: &Connector) -> Result<(), Flaw> {
    let headers = connector.headers.values().map(|value| ("headers", value));
    for (field, text) in [("url", &connector.url), ("body", &connector.body)].into_iter().chain(headers) {
        template::measure(text).map_err(|why| Flaw { field, why })?;
    }
    for (field, rule) in [("success", &connector.success), ("rejected", &connector.rejected)] {
        template::measure_rule(rule).map_err(|why| Flaw { field, why })?;
    }
    connector.headers.keys().try_for_each(|name| header_name(name).map(|_| ()))
}

fn header_name(name: &str) -> Result<HeaderName, Flaw> {
    let name = HeaderName::try_from(name).map_err(|why| Flaw::new("headers", &why))?;
    if HEADERS_OF_THE_CONNECTION.contains(&name.as_str()) {
        return Err(Flaw::new("headers", &format!("{name} is not set by a connector")));
    }
    Ok(name)
}

/// Evaluates on a thread of its own, while this one does other things.
async fn evaluate<T: Send + 'static>(
    field: &'static str,
    work: impl FnOnce() -> Result<T, Flaw> + Send + 'static,
) -> Result<T, Flaw> {
    let bounded = tokio::task::spawn_blocking(|| bounded::run(work));
    let ended = bounded.await.map_err(|problem| Flaw::new(field, &problem))?;
    ended.map_err(|excess| Flaw::new(field, &excess))?
}

fn draft(connector: &Connector, values: &Values, drawn: &Drawn) -> Result<Draft, Flaw> {
    let fill = |field: &'static str, template: &str, place| {
        template::fill(template, place, values, drawn).map_err(|why| Flaw { field, why })
    };
    for (field, rule) in [("success", &connector.success), ("rejected", &connector.rejected)] {
        if !rule.is_empty() {
            template::read_rule(rule).map_err(|why| Flaw { field, why })?;
        }
    }
    let headers = connector.headers.iter();
    let headers = headers.map(|(name, value)| Ok((name.clone(), fill("headers", value, Place::Plain)?)));
    Ok(Draft {
        url: fill("url", &connector.url, Place::Url)?,
        headers: headers.collect::<Result<_, Flaw>>()?,
        body: fill("body", &connector.body, Place::Plain)?,
    })
}

fn values(order_id: &OrderId, id: &PartnerTaskId, task: &PartnerTask) -> Values {
    [
        ("external_number", Value::from(task.external_number.as_str())),
        ("order_id", Value::from(order_id.as_str())),
        ("fulfillment_id", Value::from(task.fulfilment())),
        ("change_order_id", Value::from(task.ask.change_order_id.as_str())),
        ("reason", Value::from(task.partner_reason.as_str())),
        ("note", Value::from(task.ask.note.as_str())),
        ("units", Value::from(task.units)),
        ("key", Value::from(id.as_str())),
    ]
    .into()
}

fn example() -> Values {
    let texts = ["external_number", "order_id", "fulfillment_id", "change_order_id", "reason", "note", "key"];
    let texts = texts.into_iter().map(|name| (name, Value::from(format!("{name}-1"))));
    texts.chain([("units", Value::from(1))]).collect()
}

async fn read(mut response: reqwest::Response) -> Result<(u16, Vec<u8>), String> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|problem| problem.without_url().to_string())? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("the answer is longer than any honest one".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

async fn judge(connector: &Connector, status: u16, body: Vec<u8>) -> PartnerAnswer {
    let said = kept(&format!("status {status}: {}", String::from_utf8_lossy(&body)));
    let rules = [connector.success.clone(), connector.rejected.clone()];
    let judged = evaluate("rule", move || {
        let [success, rejected] = rules;
        let agreed = holds(&success, status, &body, || (200..300).contains(&status))?;
        let refused = holds(&rejected, status, &body, || {
            (400..500).contains(&status) && ![408, 425, 429].contains(&status)
        })?;
        Ok((agreed, refused))
    });
    match judged.await {
        Ok((true, _)) => PartnerAnswer::Taken { detail: said },
        Ok((false, true)) => PartnerAnswer::Refused { detail: said },
        Ok((false, false)) => PartnerAnswer::Unknown { detail: said },
        Err(Flaw { why, .. }) => {
            PartnerAnswer::Unknown { detail: kept(&format!("the rule can't read {said}: {why}")) }
        }
    }
}

/// An empty rule means what HTTP means.
fn holds(rule: &str, status: u16, body: &[u8], otherwise: impl Fn() -> bool) -> Result<bool, Flaw> {
    if rule.is_empty() {
        return Ok(otherwise());
    }
    template::holds(rule, status, body).map_err(|why| Flaw { field: "rule", why })
}

/// A partner's text as it may be kept: bounded, and on one line.
fn kept(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect()
}
