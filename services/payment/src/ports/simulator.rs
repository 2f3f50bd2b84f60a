//! The simulator, called over HTTP as any gateway is.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use types::Tenant;

use super::gateway::Unanswered;
use super::http::{self, Lost, Reply};
use super::sandbox::Sandbox;
use super::sandbox::wire::{Ask, Book, Held, Look, Told};
use crate::domain::gateway::{Answer, Capabilities, Reading, Statement, Task};

#[derive(Debug, Clone)]
pub struct Simulator {
    client: Client,
    base: String,
}

impl Simulator {
    /// The sandbox's rules behind another face; changes are told by webhooks.
    pub const CAPABILITIES: Capabilities = Capabilities { webhooks: true, ..Sandbox::CAPABILITIES };

    pub fn new(base: &str, timeout: Duration) -> Result<Self, reqwest::Error> {
        Ok(Self { client: http::client(timeout)?, base: base.trim_end_matches('/').to_owned() })
    }

    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        let url = format!("{}/v1/{tenant}/effects", self.base);
        let request =
            self.client.post(url).header("idempotency-key", task.subject.key()).json(&Ask::of(task));
        http::send(request).await.and_then(|reply| told(&reply)).unwrap_or_else(unknown)
    }

    /// What became of a key; none if the simulator never got it.
    pub async fn query(&self, tenant: &Tenant, task: &Task) -> Option<Answer> {
        let url = format!("{}/v1/{tenant}/effects/{}", self.base, task.subject.key());
        match http::send(self.client.get(url)).await {
            Ok(reply) if reply.status == StatusCode::NOT_FOUND => None,
            Ok(reply) => Some(told(&reply).unwrap_or_else(unknown)),
            Err(lost) => Some(unknown(lost)),
        }
    }

    /// What it has under a name.
    pub async fn read_elsewhere(&self, tenant: &Tenant, reference: &str) -> Reading {
        let url = format!("{}/v1/{tenant}/holdings", self.base);
        let look = Look { reference: reference.to_owned() };
        let silent = |lost: Lost| Reading::Silent { detail: lost.0 };
        match http::send(self.client.post(url).json(&look)).await {
            Ok(reply) if reply.status == StatusCode::NOT_FOUND => {
                Reading::Refuted { detail: "the gateway has no payment of this name".to_owned() }
            }
            Ok(reply) if reply.status == StatusCode::OK => match reply.read::<Held>().map(Held::holding) {
                Ok(Ok(holding)) => Reading::Holds(holding),
                Ok(Err(problem)) => Reading::Silent { detail: problem.to_string() },
                Err(lost) => silent(lost),
            },
            Ok(reply) => silent(status(&reply)),
            Err(lost) => silent(lost),
        }
    }

    pub async fn statement(&self, tenant: &Tenant, task: &Task) -> Result<Statement, Unanswered> {
        let url = format!("{}/v1/{tenant}/payments/{}", self.base, task.payment_id);
        let unanswered = |detail| Unanswered { gateway: task.gateway.clone(), detail };
        let reply = http::send(self.client.get(url)).await.map_err(|lost| unanswered(lost.0))?;
        if reply.status != StatusCode::OK {
            return Err(unanswered(status(&reply).0));
        }
        let book: Book = reply.read().map_err(|lost| unanswered(lost.0))?;
        book.statement().map_err(|problem| unanswered(problem.to_string()))
    }
}

/// Only its own words for an outcome are one: whatever else comes back proves nothing.
fn told(reply: &Reply) -> Result<Answer, Lost> {
    if reply.status == StatusCode::OK { reply.read::<Told>().map(Told::answer) } else { Err(status(reply)) }
}

fn status(reply: &Reply) -> Lost {
    Lost(format!("the gateway answered with status {}", reply.status.as_u16()))
}

fn unknown(lost: Lost) -> Answer {
    Answer::Unknown { detail: lost.0 }
}
