//! The reasons a tenant offers: codes with labels in several languages, and what partners call them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal};

/// The language that every label has.
pub const FALLBACK_LANGUAGE: &str = "en";

/// The catalogue of a tenant: the seeds, with what the tenant wrote over them.
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
    /// A retired reason stays readable and is not offered any more.
    #[serde(default = "offered")]
    pub active: bool,
    /// What an integration calls it, by the integration's name.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
}

fn offered() -> bool {
    true
}

/// Why orders are cancelled at all.
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
    /// The seeds with a tenant's own reasons, which replace a seed of the same code.
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

    /// The codes that may be given, for messages.
    pub fn offered(&self) -> String {
        let offered = self.0.values().filter(|reason| reason.active);
        offered.map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Refuses a code that is not offered, and a missing note where the reason asks for one. `at` is the message that has
    /// the fields; empty for the request itself.
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
