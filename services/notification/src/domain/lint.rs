//! The linter of templates: each must render from what its event carries, in every branch, and claim no more than that.

use serde_json::Value;

use super::address::Locale;
use super::mail::MailTemplate;
use super::render::{Renderer, SOURCES, Source};
use super::samples::samples;

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    pub template: String,
    pub says: String,
}

/// Something a reader would take for a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    OrderConfirmed,
    CancellationDecided,
    RefundIssued,
    Restored,
    Acknowledged,
    ChangeMade,
    GoodsBack,
}

/// The words that make a claim, in each locale, in lower case.
const PHRASES: [(&str, Claim); 22] = [
    ("refund issued", Claim::RefundIssued),
    ("was refunded", Claim::RefundIssued),
    ("been refunded", Claim::RefundIssued),
    ("was issued", Claim::RefundIssued),
    ("erstattet", Claim::RefundIssued),
    ("erstattung ausgeführt", Claim::RefundIssued),
    ("is confirmed", Claim::OrderConfirmed),
    ("ist bestätigt", Claim::OrderConfirmed),
    ("was cancelled", Claim::CancellationDecided),
    ("wurde storniert", Claim::CancellationDecided),
    ("is restored", Claim::Restored),
    ("wiederhergestellt", Claim::Restored),
    ("we have received", Claim::Acknowledged),
    ("erhalten", Claim::Acknowledged),
    ("was changed", Claim::ChangeMade),
    ("wurde geändert", Claim::ChangeMade),
    ("has expired", Claim::ChangeMade),
    ("ist verfallen", Claim::ChangeMade),
    ("have come back", Claim::GoodsBack),
    ("zurückgekommen", Claim::GoodsBack),
    ("are accepted", Claim::GoodsBack),
    ("angenommen", Claim::GoodsBack),
];

impl MailTemplate {
    /// What its event has committed.
    const fn claims(self) -> &'static [Claim] {
        match self {
            Self::OrderConfirmed => &[Claim::OrderConfirmed],
            // "The cancellation is confirmed" is said with the same words as of an order.
            Self::CancellationConfirmed | Self::SupplierNotice => {
                &[Claim::CancellationDecided, Claim::OrderConfirmed]
            }
            Self::RefundIssued => &[Claim::RefundIssued],
            Self::OrderRestored => &[Claim::Restored],
            Self::WithdrawalAcknowledged => &[Claim::Acknowledged],
            Self::AmendmentApproved | Self::OrderShortShipped | Self::OrderExpired => &[Claim::ChangeMade],
            Self::ReturnReceived | Self::ReturnRejected | Self::ReturnAccepted => &[Claim::GoodsBack],
            Self::AmendmentDropped
            | Self::OrderMessage
            | Self::ReturnOpened
            | Self::RefundDelayed
            | Self::AmendmentProposed
            | Self::AttentionOpened
            | Self::OwedDigest
            | Self::PartnerRequest => &[],
        }
    }
}

/// Everything that is wrong with the embedded templates.
pub fn lint() -> Vec<Lint> {
    lint_sources(SOURCES)
}

pub(super) fn lint_sources(sources: &'static [Source]) -> Vec<Lint> {
    let renderer = match Renderer::of(sources) {
        Ok(renderer) => renderer,
        Err(says) => return vec![Lint { template: "syntax".to_owned(), says }],
    };
    let mut found = Vec::new();
    for template in MailTemplate::ALL {
        for locale in Locale::ALL {
            let all = samples(template);
            for facts in &all {
                if let Err(problem) = renderer.render(template, locale, facts) {
                    found.push(Lint { template: template.as_str().to_owned(), says: problem.to_string() });
                }
            }
            for part in ["subject", "txt", "html"] {
                let name = format!("{}/{}.{part}", locale.as_str(), template.as_str());
                let says = |says: String| Lint { template: name.clone(), says };
                found.extend(unknown(&renderer, &name, &all).into_iter().map(says));
                let Some((_, text)) = sources.iter().find(|(source, _)| *source == name) else {
                    found.push(says("the template is missing".to_owned()));
                    continue;
                };
                found.extend(unproven(template, text).into_iter().map(says));
                found.extend(unsafe_html(text).into_iter().map(says));
            }
        }
    }
    found
}

/// Facts that the template names somewhere and no sample carries.
fn unknown(renderer: &Renderer, name: &str, samples: &[Value]) -> Vec<String> {
    let carried = |path: &String| samples.iter().any(|facts| carries(facts, path));
    let names = renderer.names(name).into_iter().filter(|path| !carried(path));
    names.map(|path| format!("names {path}, which its event does not carry")).collect()
}

fn carries(facts: &Value, path: &str) -> bool {
    let mut here = facts;
    for part in path.split('.') {
        match here.get(part) {
            Some(next) => here = next,
            None => return false,
        }
    }
    true
}

fn unproven(template: MailTemplate, text: &str) -> Vec<String> {
    let said = text.to_lowercase();
    PHRASES
        .iter()
        .filter(|(phrase, claim)| said.contains(phrase) && !template.claims().contains(claim))
        .map(|(phrase, _)| format!("says \"{phrase}\", which its event has not committed"))
        .collect()
}

fn unsafe_html(text: &str) -> Option<String> {
    let squeezed: String = text.split_whitespace().collect();
    (squeezed.contains("|safe") || squeezed.contains("autoescape"))
        .then(|| "turns the escaping off".to_owned())
}

#[cfg(test)]
mod tests;
