//! Texts that somebody else wrote are measured before a parser sees them.

use proptest::prelude::*;
use types::bounded::{
    self, DEPTH_MAX, Excess, LENGTH_MAX, NESTING_MAX, STACK_BYTES, Syntax, TEMPLATE_LENGTH_MAX,
};

use super::many_cases;

const BOTH: [Syntax; 2] = [Syntax::Cel, Syntax::Jinja];

fn nested(times: usize) -> String {
    format!("{}1{}", "(".repeat(times), ")".repeat(times))
}

#[test]
fn what_would_overflow_a_parser_is_never_given_to_one() {
    for syntax in BOTH {
        let too_deep = |text: &str| bounded::expression(text, syntax).unwrap_err();
        assert_eq!(too_deep(&nested(NESTING_MAX + 1)), Excess::TooNested);
        assert_eq!(too_deep(&"[".repeat(900)), Excess::TooNested);
        for chain in
            ["-".repeat(900) + "1", "1".to_owned() + &"+1".repeat(400), "a".to_owned() + &".a".repeat(400)]
        {
            assert_eq!(too_deep(&chain), Excess::TooDeep, "{chain}");
        }
        assert!(matches!(too_deep(&"-".repeat(6_417)), Excess::TooLong { length: 6_417, limit: LENGTH_MAX }));
    }
    for chain in ["!".repeat(900), "true?1:".repeat(130) + "1", "a||".repeat(300) + "a", "f()()".repeat(80)] {
        assert_eq!(bounded::expression(&chain, Syntax::Cel), Err(Excess::TooDeep), "{chain}");
    }
    for chain in [
        "not ".repeat(200) + "a",
        "1".to_owned() + &" if a else 1".repeat(80),
        "a".to_owned() + &"|abs".repeat(200),
    ] {
        assert_eq!(bounded::expression(&chain, Syntax::Jinja), Err(Excess::TooDeep), "{chain}");
    }
}

/// Chains at one place and chains at another one are not on the same path, so an ordinary condition is never too deep.
#[test]
fn an_ordinary_text_is_far_from_the_limits() {
    let skus: Vec<String> = (10..50).map(|sku| format!("l.sku == 'SKU{sku}'")).collect();
    let many = format!("order.lines.exists(l, {})", skus.join(" || "));
    for (text, syntax) in [
        (many.as_str(), Syntax::Cel),
        ("event.folder == 'Cancelled (((((((((((((((((((((((' && order.total_minor < 4000", Syntax::Cel),
        ("size(order.lines.filter(l, l.open > 0).map(l, l.sku)) >= 2 ? true : false", Syntax::Cel),
        ("status < 300 and body.cancelled and body['why'] | default('-') != 'it\\'s (late'", Syntax::Jinja),
    ] {
        assert!(bounded::expression(text, syntax).unwrap().depth < DEPTH_MAX / 2 + 10, "{text}");
    }
    assert!(bounded::expression(&nested(NESTING_MAX), Syntax::Cel).is_ok());
}

#[test]
fn what_only_one_of_scanner_and_parser_would_understand_is_not_taken() {
    for text in [
        r"r'\' + '",
        "b'x'",
        "'''a'''",
        "'a\nb",
        "'a",
        "1 // a",
        "`a`",
        r"'\q'",
        "(1]",
        "1)",
        "(1",
        "a & b",
        "a | b",
        "a \\ b",
        "# a",
        "'a\u{0a}b'",
    ] {
        assert!(matches!(bounded::expression(text, Syntax::Cel), Err(Excess::NotTaken(_))), "{text}");
    }
    for text in ["{1: 2}", "a * 9", "a ** 9", "'a", "(1]", "a}} {{b", "a %} b", r"'\x41'"] {
        assert!(matches!(bounded::expression(text, Syntax::Jinja), Err(Excess::NotTaken(_))), "{text}");
    }
}

#[test]
fn a_template_keeps_no_value_and_its_tags_are_short() {
    for text in [
        "{% set a = b %}",
        "{% for a in b %}{% endfor %}",
        "{% macro a() %}{% endmacro %}",
        "{% include 'a' %}",
        "{% raw %}{% endraw %}",
        "{% filter upper %}{% endfilter %}",
        "{{ {} }}",
        "{{ a",
        "{% if a",
        "{# a",
        "{{ (a }}",
        "{%--if a %}",
    ] {
        assert!(matches!(bounded::template(text), Err(Excess::NotTaken(_))), "{text}");
    }
    let minus = format!("{{{{{}1 }}}}", "-".repeat(900));
    assert_eq!(bounded::template(&minus), Err(Excess::TooDeep));
    assert_eq!(bounded::template(&"{%if a%}".repeat(200)), Err(Excess::TooDeep));
    let long = format!("{{{{ '{}' }}}}", "a".repeat(LENGTH_MAX));
    assert!(matches!(bounded::template(&long), Err(Excess::TooLong { .. })));
    assert!(matches!(bounded::template(&"a".repeat(TEMPLATE_LENGTH_MAX + 1)), Err(Excess::TooLong { .. })));

    let plain = "{% if note %}{\"why\": \"{{ note | replace('}}', \"'\") }}\", \"deep\": {\"a\": {\"b\": 1}}}{% endif -%} {# }} #}";
    let seen = bounded::template(plain).unwrap();
    assert_eq!((seen.names, seen.filters.len()), (2, 1));
}

#[test]
fn an_evaluation_ends_whatever_it_does() {
    let (answered, panicked) = (bounded::run(|| 7), bounded::run(|| panic!("as a parser may")));
    let deep = bounded::run(|| recursive(STACK_BYTES / 4));
    let (_answer, never_answered) = std::sync::mpsc::channel::<()>();
    let slow = bounded::run(move || never_answered.recv().is_ok());

    assert_eq!((answered, panicked), (Ok(7), Err::<(), _>(Excess::Broken)));
    assert!(deep.is_ok(), "its stack is known");
    assert_eq!(slow, Err(Excess::TooSlow));
}

/// Uses about so many bytes of the stack.
fn recursive(bytes: usize) -> usize {
    let frame = std::hint::black_box([0_u8; 4096]);
    if bytes < frame.len() { 0 } else { 1 + recursive(bytes - frame.len()) + usize::from(frame[7]) }
}

proptest! {
    #![proptest_config(many_cases())]

    /// Whatever passes has no more brackets open at once than are allowed, however quotes and marks are mixed.
    #[test]
    fn no_text_passes_that_is_deeper_than_allowed(text in "[-+!?:|&.,()\\[\\]{}'\"%#a1 \\\\]{0,300}") {
        for syntax in BOTH {
            if let Ok(seen) = bounded::expression(&text, syntax) {
                prop_assert!(seen.depth <= DEPTH_MAX);
            }
        }
        if let Ok(seen) = bounded::template(&text) {
            prop_assert!(seen.depth <= DEPTH_MAX);
        }
    }
}
