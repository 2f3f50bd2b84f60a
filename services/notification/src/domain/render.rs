//! Mails from templates and facts. A fact that the template names and the event does not carry is an error, never a gap.

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

use super::address::Locale;
use super::mail::MailTemplate;
use super::words;

/// The longest subject, in characters.
const SUBJECT_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The template and the facts do not fit; the linter makes sure that this does not happen to an event of ours.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("rendering {template} in {locale}: {detail}")]
pub struct Unrenderable {
    pub template: String,
    pub locale: &'static str,
    pub detail: String,
}

/// The embedded templates, parsed.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
}

/// A template's file name and its text.
pub type Source = (&'static str, &'static str);

macro_rules! sources {
    ($($name:literal)+) => {
        &[$(
            sources!(@ "en/" $name ".subject"), sources!(@ "en/" $name ".txt"), sources!(@ "en/" $name ".html"),
            sources!(@ "de/" $name ".subject"), sources!(@ "de/" $name ".txt"), sources!(@ "de/" $name ".html"),
        )+ sources!(@ "en/" "layout" ".html"), sources!(@ "de/" "layout" ".html")]
    };
    (@ $locale:literal $name:literal $part:literal) => {
        (
            concat!($locale, $name, $part),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $locale, $name, $part)),
        )
    };
}

pub const SOURCES: &[Source] = sources! {
    "order.confirmed" "cancellation.confirmed" "cancellation.supplier_notice" "refund.issued" "refund.delayed"
    "amendment.approved" "amendment.declined" "order.short_shipped" "order.expired" "order.message" "return.opened"
    "return.received" "return.rejected" "return.accepted"
    "amendment.proposed" "withdrawal.acknowledged" "order.restored" "attention.opened" "owed.digest"
    "partner.request"
};

impl Renderer {
    /// The one of the process.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Renderer> = OnceLock::new();
        EMBEDDED.get_or_init(|| Self::of(SOURCES).expect("the linter's test has parsed every template"))
    }

    /// Parses templates. HTML is escaped by itself, texts and subjects are not HTML.
    pub fn of(sources: &'static [Source]) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let lines_of_their_own = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(lines_of_their_own.map_err(|problem| problem.to_string())?);
        environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
            Some((_, "html")) => AutoEscape::Html,
            Some(_) | None => AutoEscape::None,
        });
        for (name, text) in sources {
            environment.add_template(name, text).map_err(|problem| format!("{name}: {problem:#}"))?;
        }
        Ok(Self { environment })
    }

    pub fn render(
        &self,
        template: MailTemplate,
        locale: Locale,
        facts: &Value,
    ) -> Result<Rendered, Unrenderable> {
        let part = |part: &str| self.part(template, locale, part, facts);
        Ok(Rendered {
            // A subject is one line whatever its facts hold: nothing in it can begin another header.
            subject: words::cut(&one_line(&part("subject")?), SUBJECT_MAX),
            text: part("txt")?,
            html: part("html")?,
        })
    }

    fn part(
        &self,
        template: MailTemplate,
        locale: Locale,
        part: &str,
        facts: &Value,
    ) -> Result<String, Unrenderable> {
        let (template, locale) = (template.as_str(), locale.as_str());
        let rendered = self
            .environment
            .get_template(&format!("{locale}/{template}.{part}"))
            .and_then(|parsed| parsed.render(Serde(facts)));
        rendered.map_err(|problem| Unrenderable {
            template: format!("{template}.{part}"),
            locale,
            detail: problem.to_string(),
        })
    }

    /// The facts a template names, as paths such as "order.number", in the branches not taken too.
    pub fn names(&self, name: &str) -> Vec<String> {
        let Ok(template) = self.environment.get_template(name) else { return Vec::new() };
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort_unstable();
        names
    }
}

fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}
