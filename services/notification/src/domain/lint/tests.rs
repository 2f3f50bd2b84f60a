//! The linter finds nothing in what is embedded, and each of its rules can fail.

use super::*;

/// The embedded templates with one of them replaced.
fn with(name: &str, text: &str) -> Vec<String> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let sources: Vec<Source> =
        SOURCES.iter().map(|(source, old)| (*source, if *source == name { text } else { *old })).collect();
    let sources: &'static [Source] = Box::leak(sources.into_boxed_slice());
    lint_sources(sources).into_iter().map(|lint| format!("{}: {}", lint.template, lint.says)).collect()
}

#[test]
fn x22_every_template_renders_from_what_its_event_carries_and_claims_no_more() {
    assert_eq!(lint(), []);
}

#[test]
fn a_fact_that_no_event_carries_is_found_in_a_branch_that_no_sample_takes() {
    let found = with("en/order.confirmed.txt", "{% if order.lines > 99999 %}{{ order.secret }}{% endif %}");

    assert_eq!(found, ["en/order.confirmed.txt: names order.secret, which its event does not carry"]);
}

#[test]
fn a_claim_that_the_event_has_not_committed_is_found() {
    for (name, text) in [
        ("en/refund.delayed.txt", "Your money was refunded: {{ pending | join(', ') }}"),
        ("de/cancellation.confirmed.html", "<p>Der Betrag ist erstattet.</p>"),
        ("en/amendment.proposed.subject", "Order {{ order.number }} was cancelled"),
    ] {
        let found = with(name, text);
        assert!(found.iter().any(|says| says.contains("has not committed")), "{name}: {found:?}");
    }
}

#[test]
fn broken_syntax_and_escaping_turned_off_are_found() {
    assert!(with("en/order.confirmed.txt", "{% if %}")[0].starts_with("syntax: en/order.confirmed.txt"));
    let found = with("en/order.confirmed.html", "<p>{{ order.number | safe }}</p>");
    assert_eq!(found, ["en/order.confirmed.html: turns the escaping off"]);
}
