//! Calling a partner's program as its profile declares: address, headers, body and the rule that reads the answer are
//! data, so that a new partner needs no code.
//!
//! Only a whole answer that the rules understand is a word; everything else leaves open what the partner has done, and
//! is asked again with the same key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use types::{OrderId, PartnerTaskId};

use crate::domain::{Connector, PartnerAnswer, PartnerTask};

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// What is kept of a partner's own words.
const DETAIL_CHARS_MAX: usize = 300;
/// A template that loops costs this much and no more.
const TEMPLATE_FUEL: u64 = 50_000;

/// One client for all partners.
#[derive(Clone)]
pub struct Partners {
    client: Client,
    secrets: Arc<BTreeMap<String, String>>,
}

/// Why a request could not be made up: the profile is wrong, and no retry helps.
#[derive(Debug, thiserror::Error)]
#[error("the connector's {what}: {why}")]
pub struct Unusable {
    what: &'static str,
    why: String,
}

impl Partners {
    /// It follows no redirect: a secret goes to the declared host alone.
    pub fn new(secrets: BTreeMap<String, String>) -> Result<Self, reqwest::Error> {
        // Whoever comes first in this process chooses, and all choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("countermand/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, secrets: Arc::new(secrets) })
    }

    /// Asks the partner to stop. The task's id is the key of every attempt.
    pub async fn stop(
        &self,
        connector: &Connector,
        order_id: &OrderId,
        id: &PartnerTaskId,
        task: &PartnerTask,
    ) -> PartnerAnswer {
        let request = match self.request(connector, order_id, id, task) {
            Ok(request) => request,
            Err(problem) => return PartnerAnswer::Unknown { detail: problem.to_string() },
        };
        let answered = match self.client.execute(request).await {
            Ok(response) => read(response).await,
            // The address may hold a secret: an error's text never carries it.
            Err(problem) => Err(problem.without_url().to_string()),
        };
        match answered {
            Ok((status, body)) => judge(connector, status, &body),
            Err(detail) => PartnerAnswer::Unknown { detail: kept(&detail) },
        }
    }

    fn request(
        &self,
        connector: &Connector,
        order_id: &OrderId,
        id: &PartnerTaskId,
        task: &PartnerTask,
    ) -> Result<reqwest::Request, Unusable> {
        let values = context! {
            external_number => task.external_number.as_str(),
            order_id => order_id.as_str(),
            fulfillment_id => task.fulfilment(),
            change_order_id => task.ask.change_order_id.as_str(),
            reason => task.partner_reason.as_str(),
            note => task.ask.note.as_str(),
            units => task.units,
            key => id.as_str(),
        };
        let templates = environment(&self.secrets);
        let render = |what: &'static str, template: &str| {
            templates
                .render_str(template, values.clone())
                .map_err(|problem| Unusable { what, why: problem.to_string() })
        };
        let unusable =
            |what: &'static str| move |why: &dyn std::fmt::Display| Unusable { what, why: why.to_string() };
        let url = Url::parse(&render("url", &connector.url)?).map_err(|why| unusable("url")(&why))?;
        let verb = if connector.http_method.is_empty() { "POST" } else { connector.http_method.as_str() };
        let verb = Method::from_bytes(verb.as_bytes()).map_err(|why| unusable("http_method")(&why))?;
        let timeout = match connector.timeout_seconds {
            0 => TIMEOUT_DEFAULT,
            seconds => Duration::from_secs(seconds.into()),
        };
        let mut request =
            self.client.request(verb, url).timeout(timeout).header("idempotency-key", id.as_str());
        for (name, value) in &connector.headers {
            let name = HeaderName::try_from(name).map_err(|why| unusable("header")(&why))?;
            let value = render("header", value)?;
            let mut value = HeaderValue::try_from(value).map_err(|why| unusable("header")(&why))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let request = request.body(render("body", &connector.body)?);
        request.build().map_err(|problem| unusable("request")(&problem.without_url()))
    }
}

/// Checks a connector before it is stored: a mistake is found now, and not when an order has to be stopped.
pub fn check(connector: &Connector) -> Result<(), (&'static str, String)> {
    let templates = environment(&Arc::default());
    let texts = [("url", &connector.url), ("body", &connector.body)];
    let headers = connector.headers.values().map(|value| ("headers", value));
    for (field, template) in texts.into_iter().chain(headers) {
        templates.template_from_str(template).map_err(|problem| (field, problem.to_string()))?;
    }
    for (field, rule) in [("success", &connector.success), ("rejected", &connector.rejected)] {
        if !rule.is_empty() {
            templates.compile_expression(rule).map_err(|problem| (field, problem.to_string()))?;
        }
    }
    Ok(())
}

fn environment(secrets: &Arc<BTreeMap<String, String>>) -> Environment<'static> {
    let secrets = Arc::clone(secrets);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment.add_function("secret", move |name: &str| {
        secrets.get(name).cloned().ok_or_else(|| {
            let problem = format!("there is no secret {name:?}");
            minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, problem)
        })
    });
    environment
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

fn judge(connector: &Connector, status: u16, body: &[u8]) -> PartnerAnswer {
    let said = kept(&format!("status {status}: {}", String::from_utf8_lossy(body)));
    let agreed = holds(&connector.success, status, body, || (200..300).contains(&status));
    let refused = holds(&connector.rejected, status, body, || {
        (400..500).contains(&status) && ![408, 425, 429].contains(&status)
    });
    match (agreed, refused) {
        (Ok(true), _) => PartnerAnswer::Taken { detail: said },
        (Ok(false), Ok(true)) => PartnerAnswer::Refused { detail: said },
        (Ok(false), Ok(false)) => PartnerAnswer::Unknown { detail: said },
        (Err(problem), _) | (_, Err(problem)) => {
            PartnerAnswer::Unknown { detail: kept(&format!("the rule can't read {said}: {problem}")) }
        }
    }
}

/// An empty rule means what HTTP means.
fn holds(rule: &str, status: u16, body: &[u8], otherwise: impl Fn() -> bool) -> Result<bool, String> {
    if rule.is_empty() {
        return Ok(otherwise());
    }
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
    let mut environment = Environment::new();
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    let rule = environment.compile_expression(rule).map_err(|problem| problem.to_string())?;
    let value = rule.eval(context! { status, body => minijinja::Value::from(Serde(&body)) });
    value.map(|value| value.is_true()).map_err(|problem| problem.to_string())
}

/// A partner's text as it may be kept: bounded, and on one line.
fn kept(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect()
}
