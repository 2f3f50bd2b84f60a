//! The reasons that a tenant offers: codes, labels in several languages, and the partners' own codes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal};

/// The language that every label has.
pub const FALLBACK_LANGUAGE: &str = "en";

/// The reasons of a tenant: the shipped ones, replaced or extended by the tenant's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue(BTreeMap<String, CancelReason>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelReason {
    pub code: String,
    pub family: Family,
    /// By language, such as "en"; always with one in [`FALLBACK_LANGUAGE`].
    pub labels: BTreeMap<String, String>,
    pub note_required: bool,
    /// A retired reason stays readable, but is no longer offered.
    #[serde(default = "offered")]
    pub active: bool,
    /// The integrations' own codes for it, by the name of the integration.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
}

fn offered() -> bool {
    true
}

/// The families of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    NoLongerNeeded,
    CannotBeCompleted,
}

static SEEDS: LazyLock<Vec<CancelReason>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../policies/reasons.json")).expect("a test reads the seeds")
});

impl Catalogue {
    /// The shipped reasons with a tenant's own. A tenant's reason replaces a shipped one with the same code.
    pub fn with(own: impl IntoIterator<Item = CancelReason>) -> Self {
        let all = SEEDS.iter().cloned().chain(own);
        Self(all.map(|reason| (reason.code.clone(), reason)).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &CancelReason> {
        self.0.values()
    }

    pub fn put(&mut self, reason: CancelReason) {
        self.0.insert(reason.code.clone(), reason);
    }

    pub fn get(&self, code: &str) -> Option<&CancelReason> {
        self.0.get(code)
    }

    /// The codes that are offered, for messages.
    pub fn offered(&self) -> String {
        let offered = self.0.values().filter(|reason| reason.active);
        offered.map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Refuses a code that is not offered, and a missing note if the reason requires one. `at` is the path of the message with these fields; empty
    /// for the request itself.
    pub fn check(&self, code: &str, note: &str, at: &str) -> Result<(), Refusal> {
        match self.0.get(code).filter(|reason| reason.active) {
            None => {
                let message = format!("{code} is not an offered reason; the reasons are {}", self.offered());
                let refusal = Refusal::new(Reason::FieldInvalid, message);
                Err(refusal.field(field(at, "reason_code")).detail("reason_code", code))
            }
            Some(reason) if reason.note_required && note.is_empty() => {
                let refusal = Refusal::new(Reason::FieldRequired, format!("{code} asks for a note"));
                Err(refusal.field(field(at, "note")).detail("reason_code", code))
            }
            Some(_) => Ok(()),
        }
    }
}

fn field(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

impl CancelReason {
    /// The label in a language, or in the one that every label has.
    pub fn label(&self, language: &str) -> &str {
        let label = self.labels.get(language).or_else(|| self.labels.get(FALLBACK_LANGUAGE));
        label.map_or(self.code.as_str(), String::as_str)
    }
}

impl Family {
    pub const ALL: [Self; 2] = [Self::NoLongerNeeded, Self::CannotBeCompleted];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoLongerNeeded => "no_longer_needed",
            Self::CannotBeCompleted => "cannot_be_completed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.as_str() == text)
    }
}
