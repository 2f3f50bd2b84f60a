use proptest::prelude::*;
use types::text::{display, is_plain, line, name, name_required, parse, parse_required};
use types::{Fingerprint, Reason, Refusal, RequestId, Tenant, TextError};

use super::many_cases;

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn accepted_text_is_normal_short_and_free_of_controls(text in ".{0,40}", limit in 0_usize..40) {
        if let Ok(accepted) = parse(limit, &text) {
            prop_assert!(unicode_normalization::is_nfc(&accepted));
            prop_assert!(accepted.chars().count() <= limit);
            let allowed = |character: char| !character.is_control() || "\n\t".contains(character);
            prop_assert!(accepted.chars().all(allowed));
        }
    }

    #[test]
    fn what_is_a_name_is_a_line_and_what_is_a_line_is_free_text(text in any::<String>()) {
        prop_assert!(name(200, &text).is_err() || line(200, &text) == name(200, &text));
        prop_assert!(line(200, &text).is_err() || parse(200, &text) == line(200, &text));
        prop_assert_eq!(name(usize::MAX, &text).is_ok(), is_plain(&text));
    }

    #[test]
    fn accepted_text_is_accepted_unchanged_again(text in any::<String>()) {
        if let Ok(accepted) = parse(200, &text) {
            prop_assert_eq!(parse(200, &accepted), Ok(accepted.clone()));
        }
    }

    #[test]
    fn shown_text_has_no_control_that_reorders(text in "[a-z\u{061C}\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]{0,40}") {
        prop_assert!(display(&text).chars().all(|character| character.is_ascii_lowercase()));
    }

    #[test]
    fn a_tenant_is_read_exactly_or_refused(text in "[a-z0-9_-]{0,66}|[a-zA-Z,. ]{1,5}") {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let valid = (1..=64).contains(&text.len()) && text.bytes().all(allowed);

        prop_assert_eq!(Tenant::parse(&text).is_ok_and(|tenant| tenant.as_str() == text), valid);
    }

    #[test]
    fn a_fingerprint_survives_its_text_and_knows_where_parts_end(bytes in prop::collection::vec(any::<u8>(), 2..40)) {
        let (left, right) = bytes.split_at(1);
        let whole = Fingerprint::of(&[&bytes]);

        prop_assert_eq!(Fingerprint::parse(whole.as_str()), Ok(whole.clone()));
        prop_assert_eq!(Fingerprint::of(&[&bytes]), whole.clone());
        prop_assert_ne!(Fingerprint::of(&[left, right]), whole);
    }
}

#[test]
fn text_is_refused_for_one_named_reason() {
    let control = |character| TextError::ControlCharacter { character };

    assert_eq!(parse(5, "a\0b"), Err(control('\0')));
    assert_eq!(parse(5, "a\rb"), Err(control('\r')));
    assert_eq!(parse(5, "\u{1b}[2J"), Err(control('\u{1b}')));
    assert_eq!(parse(5, "\u{7f}"), Err(control('\u{7f}')));
    assert_eq!(parse(5, "\u{9b}2J"), Err(control('\u{9b}')));
    assert_eq!(parse(2, "abc"), Err(TextError::TooLong { length: 3, limit: 2 }));
    assert_eq!(parse_required(5, " \n\t"), Err(TextError::Empty));
    assert_eq!(Refusal::from(TextError::Empty).reason, Reason::FieldRequired);
    assert_eq!(Refusal::from(TextError::TooLong { length: 3, limit: 2 }).reason, Reason::FieldTooLong);
    assert_eq!(Refusal::from(control('\0')).reason, Reason::FieldInvalid);
}

/// Line feeds and the escape of a terminal, DEL, a C1 control that begins a sequence, the override that makes text run
/// backwards, a blank without width, a soft hyphen, a tag, the ends of a line and a paragraph.
const NOT_IN_NAMES: [char; 13] = [
    '\0',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{9b}',
    '\u{202e}',
    '\u{200b}',
    '\u{ad}',
    '\u{e0041}',
    '\u{2028}',
    '\u{2029}',
];

#[test]
fn a_name_takes_nothing_that_is_not_seen() {
    for character in NOT_IN_NAMES {
        let text = format!("A{character}1");

        let refused = Refusal::from(name(64, &text).unwrap_err());

        assert_eq!(refused.reason, Reason::FieldInvalid, "{character:?}");
        assert_eq!(name_required(64, &text), name(64, &text));
        assert!(!is_plain(&text), "{character:?}");
    }
    for seen in ["WEB-1001", "Größe 42", "日本語", "a b", "é\u{301}", "🚚"] {
        assert!(name(64, seen).is_ok(), "{seen}");
    }
    assert_eq!(name_required(64, " "), Err(TextError::Empty));
}

#[test]
fn a_line_takes_what_people_write_but_no_end_of_it() {
    assert_eq!(line(64, "\u{200f}שלום\u{200f} a\u{200d}b").unwrap(), "\u{200f}שלום\u{200f} a\u{200d}b");
    for end in ['\n', '\t', '\r', '\0', '\u{85}', '\u{2028}', '\u{2029}'] {
        assert!(line(64, &format!("a{end}b")).is_err(), "{end:?}");
    }
}

#[test]
fn text_keeps_lines_and_tabs_and_counts_characters_of_the_normal_form() {
    assert_eq!(parse(3, "a\n\t").unwrap(), "a\n\t");
    assert_eq!(parse(1, "e\u{301}").unwrap(), "é");
    assert_eq!(parse(4, "日本🚚é").unwrap(), "日本🚚é");
    assert_eq!(parse(0, "").unwrap(), "");
}

#[test]
fn a_request_id_is_required_and_printable() {
    for text in ["a", "import:536365:line 7", &"x".repeat(128)] {
        assert_eq!(RequestId::parse(text).unwrap().as_str(), text);
    }

    let cases = [
        (String::new(), Reason::RequestIdRequired),
        ("x".repeat(129), Reason::FieldTooLong),
        (" a".to_owned(), Reason::FieldInvalid),
        ("a ".to_owned(), Reason::FieldInvalid),
        ("a\nb".to_owned(), Reason::FieldInvalid),
        ("é".to_owned(), Reason::FieldInvalid),
        ("\u{7f}".to_owned(), Reason::FieldInvalid),
    ];
    for (text, reason) in cases {
        let refusal = Refusal::from(RequestId::parse(&text).unwrap_err());
        assert_eq!((refusal.reason, refusal.field.as_deref()), (reason, Some("request_id")), "{text:?}");
    }
}

#[test]
fn the_default_tenant_is_a_valid_one() {
    assert_eq!(Tenant::parse(Tenant::DEFAULT.as_str()).unwrap(), Tenant::default());
}

#[test]
fn a_fingerprint_is_sha_256_over_length_and_bytes() {
    // printf '' | sha256sum
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    // printf '\0\0\0\0\0\0\0\3abc' | sha256sum
    let of_abc = "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415251e5d09e12f";

    assert_eq!(Fingerprint::of(&[]).as_str(), of_nothing);
    assert_eq!(Fingerprint::of(&[b"abc"]).as_str(), of_abc);
    for text in ["", "E3B0", &of_nothing.to_uppercase(), &of_nothing[1..]] {
        assert!(Fingerprint::parse(text).is_err());
    }
}
