//! How a partner or a cart can be reached, and what it wants: data, so that a new one needs no code.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal};

/// The profile of an unknown integration: a person has to ask.
pub const UNKNOWN: &str = "default_unknown";

/// What comes with the program. A tenant may have its own under the same key.
static SEEDS: LazyLock<BTreeMap<IntegrationKey, Integration>> = LazyLock::new(|| {
    let seeds: Vec<Seed> = serde_json::from_str(include_str!("../../data/integrations.json"))
        .expect("the seed file is part of the program and a test reads it");
    let keyed = seeds.into_iter().map(|seed| {
        let key = IntegrationKey::parse(&seed.key).expect("a test reads the seed file's keys");
        (key, seed.integration)
    });
    keyed.collect()
});

#[derive(Deserialize)]
struct Seed {
    key: String,
    #[serde(flatten)]
    integration: Integration,
}

/// 1 to 64 of a-z, 0-9 and underscore.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationKey(Arc<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationKind {
    #[default]
    Fulfillment,
    Cart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Api,
    Email,
    Phone,
    ManualPortal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// The program's acceptance of the request counts as the partner's answer.
    #[default]
    None,
    Required,
    /// For every method but the first.
    AfterWindow,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodProfile {
    pub method: Method,
    /// Only so long after the submission; 0 for ever.
    #[serde(default)]
    pub window_seconds: u32,
    /// How long its word is waited for; 0 for the method's default.
    #[serde(default)]
    pub deadline_seconds: u32,
    #[serde(default)]
    pub address: String,
}

/// A declarative call; its templates are rendered where it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connector {
    pub url: String,
    pub http_method: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub success: String,
    pub rejected: String,
    pub timeout_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about a partner, named as in its profile")]
pub struct Integration {
    pub name: String,
    #[serde(default)]
    pub kind: IntegrationKind,
    pub methods: Vec<MethodProfile>,
    #[serde(default)]
    pub needs_reason: bool,
    /// Our reason code to the partner's.
    #[serde(default)]
    pub reason_map: BTreeMap<String, String>,
    #[serde(default)]
    pub confirmation: Confirmation,
    #[serde(default)]
    pub resubmit_same_number_ok: bool,
    #[serde(default)]
    pub rule_triggerable: bool,
    #[serde(default)]
    pub rule_required: bool,
    /// For a cart: it can be told that an order is cancelled.
    #[serde(default)]
    pub accepts_cancel_notification: bool,
    #[serde(default)]
    pub connector: Option<Connector>,
}

/// The profiles of one tenant, over the seeded ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Integrations(BTreeMap<IntegrationKey, Integration>);

impl IntegrationKey {
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        if (1..=64).contains(&text.len()) && text.chars().all(plain) {
            return Ok(Self(text.into()));
        }
        let message = "an integration's key is 1 to 64 of a-z, 0-9 and underscore";
        Err(Refusal::new(Reason::FieldInvalid, message))
    }

    pub fn unknown() -> Self {
        Self(UNKNOWN.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Method {
    const ALL: [Self; 4] = [Self::Api, Self::Email, Self::Phone, Self::ManualPortal];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::ManualPortal => "manual_portal",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// A program answers within minutes, people within a day.
    pub const fn deadline_seconds(self) -> u32 {
        match self {
            Self::Api => 15 * 60,
            Self::Email | Self::Phone | Self::ManualPortal => 24 * 60 * 60,
        }
    }
}

impl MethodProfile {
    pub fn deadline_seconds(&self) -> u32 {
        if self.deadline_seconds == 0 { self.method.deadline_seconds() } else { self.deadline_seconds }
    }

    /// Whether it may still be used so long after the submission.
    pub fn is_open(&self, since: Duration) -> bool {
        self.window_seconds == 0 || since <= Duration::from_secs(self.window_seconds.into())
    }
}

impl Integration {
    /// The method at this place of the list. After the last one a person has to find a way.
    pub fn method(&self, index: usize) -> MethodProfile {
        let last = MethodProfile {
            method: Method::ManualPortal,
            window_seconds: 0,
            deadline_seconds: 0,
            address: String::new(),
        };
        self.methods.get(index).cloned().unwrap_or(last)
    }

    /// The first usable method from `from` on, so long after the submission.
    pub fn usable(&self, from: usize, since: Duration) -> usize {
        let usable = |index: &usize| {
            let profile = self.method(*index);
            profile.is_open(since) && (profile.method != Method::Api || self.connector.is_some())
        };
        (from..=self.methods.len()).find(usable).unwrap_or(self.methods.len())
    }

    /// Whether the partner's own word is wanted after a request by this method was taken. Only a program's answer can
    /// be a word; that a mail was sent says nothing.
    pub fn needs_confirmation(&self, index: usize) -> bool {
        match self.confirmation {
            _ if self.method(index).method != Method::Api => true,
            Confirmation::Required => true,
            Confirmation::AfterWindow => index > 0,
            Confirmation::None => false,
        }
    }

    /// The partner's reason for ours: mapped, or our own where it does not care.
    pub fn reason(&self, code: &str) -> Result<String, Refusal> {
        if let Some(mapped) = self.reason_map.get(code) {
            return Ok(mapped.clone());
        }
        if !self.needs_reason {
            return Ok(code.to_owned());
        }
        let known: Vec<&str> = self.reason_map.keys().map(String::as_str).collect();
        let message = format!("{} wants a reason that it knows", self.name);
        Err(Refusal::new(Reason::ReasonRequired, message)
            .field("change.reason_code")
            .detail("reason_code", code)
            .detail("known", known.join(" ")))
    }
}

impl Integrations {
    /// The tenant's own, the seeded one, or that of the unknown.
    pub fn of(&self, key: &IntegrationKey) -> &Integration {
        self.named(key).or_else(|| SEEDS.get(&IntegrationKey::unknown())).expect("the unknown one is seeded")
    }

    pub fn named(&self, key: &IntegrationKey) -> Option<&Integration> {
        self.0.get(key).or_else(|| SEEDS.get(key))
    }

    pub fn is_seeded(&self, key: &IntegrationKey) -> bool {
        !self.0.contains_key(key)
    }

    /// All of them by key, the tenant's own in place of the seeded ones.
    pub fn all(&self) -> BTreeMap<&IntegrationKey, &Integration> {
        SEEDS.iter().chain(self.own()).collect()
    }

    pub fn own(&self) -> impl Iterator<Item = (&IntegrationKey, &Integration)> {
        self.0.iter()
    }

    pub fn put(&mut self, key: IntegrationKey, integration: Integration) {
        self.0.insert(key, integration);
    }
}

impl AsRef<str> for IntegrationKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntegrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IntegrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
