//! Who stands behind an audience, and what they want to be sent.

use types::Timestamp;

use super::message::Audience;

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient {
    pub scope: Scope,
    pub audience: Audience,
    pub address: String,
    pub name: String,
    /// None leaves it to the preferences.
    pub locale: Option<Locale>,
    pub is_active: bool,
    pub changed_at: Timestamp,
}

/// Whose messages an entry is sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Order(String),
    Organisation(String),
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locale {
    En,
    De,
}

/// What somebody wants to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    pub audience: Audience,
    /// Empty is everybody of the audience.
    pub address: String,
    /// Empty is every template.
    pub template: String,
    /// None leaves it to a less specific one.
    pub locale: Option<Locale>,
    pub email: bool,
    pub changed_at: Timestamp,
}

/// What the preferences come to for one message to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub email: bool,
    pub locale: Locale,
}

/// The most specific preference that fits decides; where none does, mail is sent, in English.
pub fn choose(preferences: &[Preference], recipient: &Recipient, template: &str) -> Choice {
    let mut fitting: Vec<&Preference> = preferences
        .iter()
        .filter(|it| it.audience == recipient.audience)
        .filter(|it| it.address.is_empty() || it.address == recipient.address)
        .filter(|it| it.template.is_empty() || it.template == template)
        .collect();
    fitting.sort_by_key(|it| (it.address.is_empty(), it.template.is_empty()));
    Choice {
        email: fitting.first().is_none_or(|preference| preference.email),
        locale: recipient.locale.or_else(|| fitting.iter().find_map(|it| it.locale)).unwrap_or(Locale::En),
    }
}

impl Scope {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Organisation(_) => "organisation",
            Self::Everything => "everything",
        }
    }

    /// The order's id or the organisation's name; empty for everything.
    pub fn id(&self) -> &str {
        match self {
            Self::Order(id) | Self::Organisation(id) => id,
            Self::Everything => "",
        }
    }

    pub fn parse(scope: &str, id: &str) -> Option<Self> {
        match (scope, id) {
            ("order", id) if !id.is_empty() => Some(Self::Order(id.to_owned())),
            ("organisation", id) if !id.is_empty() => Some(Self::Organisation(id.to_owned())),
            ("everything", "") => Some(Self::Everything),
            (_, _) => None,
        }
    }
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.as_str() == text)
    }
}
