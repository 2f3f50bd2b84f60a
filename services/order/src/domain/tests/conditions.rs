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
