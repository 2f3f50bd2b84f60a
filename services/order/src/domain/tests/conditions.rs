//! Conditions of rules: what holds, what is refused when it is stored, and with which place.

use crate::domain::condition::{Condition, EventFacts, Facts, LENGTH_MAX, LineFacts, OrderFacts};

fn facts() -> Facts {
    let line = |sku: &str, open| LineFacts { sku: sku.to_owned(), ordered: 5, open, ..LineFacts::default() };
    Facts {
        event: EventFacts {
            r#type: "order.folder_changed".to_owned(),
            folder: "Cancelled".to_owned(),
            before_folder: String::new(),
        },
        order: OrderFacts {
            state: "confirmed".to_owned(),
            total_minor: 4_200,
            lines: vec![line("LAMP", 5), line("CABLE", 0)],
            systems: vec!["webshop".to_owned()],
            ..OrderFacts::default()
        },
        change: crate::domain::condition::ChangeFacts::default(),
    }
}

#[test]
fn conditions_hold_or_do_not() {
    let table = [
        ("", true),
        ("event.folder == 'Cancelled'", true),
        ("event.folder == 'Cancelled' && order.total_minor < 4000", false),
        ("order.lines.exists(l, l.sku == 'LAMP' && l.open > 0)", true),
        ("order.lines.all(l, l.open > 0)", false),
        ("order.state in ['pending', 'confirmed']", true),
        ("'webshop' in order.systems && size(order.lines) == 2", true),
        ("change.reason_code == ''", true),
    ];

    for (text, expected) in table {
        assert_eq!(Condition::compile(text).unwrap().holds(&facts()).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_mistake_is_refused_with_its_place() {
    let table = [
        ("order.state ==", "line 1, column"),
        ("order.colour == 'red'", "order has no colour"),
        ("invoice.total > 1", "there is no invoice"),
        ("order.lines.all(l, order.lines.all(m, m.open == l.open))", "loops may not stand in loops"),
        ("true &&\n  order.colour == ''", "line 2, column"),
    ];

    for (text, expected) in table {
        let refusal = Condition::compile(text).unwrap_err();
        assert!(refusal.message.contains(expected), "{text}: {}", refusal.message);
        assert_eq!(refusal.field.as_deref(), Some("rule.condition"));
    }
    assert!(Condition::compile(&"x".repeat(LENGTH_MAX + 1)).is_err());
}

#[test]
fn what_is_not_true_or_false_fails_when_it_is_evaluated() {
    for text in ["order.total_minor", "order.total_minor == 'much'.size() + 'x'"] {
        let outcome = Condition::compile(text).unwrap().holds(&facts());
        assert!(outcome.is_err(), "{text}: {outcome:?}");
    }
}

/// Before they were measured, twelve brackets ended a process that was built without optimisation, and the longer ones
/// every process.
#[test]
fn a_condition_of_any_form_is_answered_and_ends_nothing() {
    let brackets = |times: usize| format!("{}true{}", "(".repeat(times), ")".repeat(times));
    assert!(Condition::compile(&brackets(12)).unwrap().holds(&facts()).unwrap());

    for text in [
        brackets(200),
        "[".repeat(1_000),
        "!".repeat(999) + "1",
        "-".repeat(999) + "1",
        "1".to_owned() + &"+1".repeat(499),
        "a?b:".repeat(249) + "c",
        "size(".repeat(150) + "1" + &")".repeat(150),
        "{1:".repeat(200) + "1" + &"}".repeat(200),
        "-".repeat(6_417),
    ] {
        let refusal = Condition::compile(&text).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("rule.condition"), "{text}");
    }
}

#[test]
fn a_condition_that_could_fill_memory_is_not_evaluated() {
    let many = |part: &str, times: usize| vec![part; times].join(",");
    for text in [
        "order.lines.map(l, order.lines).size() > 0".to_owned(),
        "order.lines.map(l, order).size() > 0".to_owned(),
        format!("({}).size() > 0", vec!["order.lines"; 40].join("+")),
        format!("order.lines.map(l, [{}]).map(m, [{}]).size() > 0", many("l", 100), many("m", 100)),
        format!("order.lines.map(l, [{}]).size() > 0", many("l", 300)),
    ] {
        let refusal = Condition::compile(&text).unwrap_err();
        assert!(refusal.message.contains("than a condition may"), "{text}: {}", refusal.message);
    }
    let skus: Vec<String> = (10..59).map(|sku| format!("l.sku=='SKU{sku}'")).collect();
    let long = format!("order.lines.exists(l, {})", skus.join("||"));
    assert!(!Condition::compile(&long).unwrap().holds(&facts()).unwrap());

    let usual = Condition::compile("order.lines.filter(l, l.open > 0).map(l, l.sku).size() > 1").unwrap();
    let mut huge = facts();
    huge.order.lines = vec![LineFacts::default(); 60_000];
    assert!(usual.holds(&huge).unwrap_err().message.contains("than a condition may"));
    huge.order.lines.truncate(1_000);
    assert!(!usual.holds(&huge).unwrap());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        failure_persistence: None, ..proptest::test_runner::Config::with_cases(300)
    })]

    /// Words of the language in any order: some are read, none ends the process or takes long.
    #[test]
    fn no_sequence_of_words_ends_the_process(words in proptest::collection::vec(proptest::sample::select(vec![
        "(", ")", "[", "]", "{", "}", ",", ":", "?", ".", "!", "-", "+", "*", "/", "%", "==", "<", "&&", "||", " in ",
        "true", "1", "1.5", "'a'", "\"b\"", "l", "order", "event", "change", ".lines", ".map(l,", ".all(l,",
        ".filter(l,", ".exists_one(l,", "size(", "has(order.id)", "order.lines", "event.type", ".size()", "string(",
    ]), 0..60)) {
        let text: String = words.concat();
        if let Ok(condition) = Condition::compile(&text) {
            drop(condition.holds(&facts()));
        }
    }
}
