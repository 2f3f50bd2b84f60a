use std::collections::{BTreeMap, BTreeSet};

use types::{Class, Reason, Refusal};

/// The published enum, read as text: this crate knows nothing of the wire's generated code.
const PUBLISHED: &str = include_str!("../../../../proto/countermand/common/v1/error.proto");

/// Each published value without its prefix, and the comment it stands under.
fn published() -> BTreeMap<&'static str, &'static str> {
    let mut under = "";
    let mut values = BTreeMap::new();
    for line in PUBLISHED.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("// ") {
            under = comment;
        } else if let Some(value) = line.strip_prefix("ERROR_REASON_") {
            let (name, _) = value.split_once(" = ").expect("a value has a number");
            if name != "UNSPECIFIED" {
                values.insert(name, under);
            }
        }
    }
    values
}

fn code(class: Class) -> &'static str {
    match class {
        Class::InvalidArgument => "INVALID_ARGUMENT",
        Class::FailedPrecondition => "FAILED_PRECONDITION",
        Class::Aborted => "ABORTED",
        Class::AlreadyExists => "ALREADY_EXISTS",
        Class::NotFound => "NOT_FOUND",
        Class::PermissionDenied => "PERMISSION_DENIED",
        Class::Unauthenticated => "UNAUTHENTICATED",
        Class::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Class::Unavailable => "UNAVAILABLE",
        Class::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Class::Internal => "INTERNAL",
    }
}

#[test]
fn every_reason_is_published_and_every_published_reason_is_known() {
    let ours: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let theirs: BTreeSet<_> = published().into_keys().collect();

    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in error.proto");
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in Reason");
}

#[test]
fn a_reasons_code_is_the_one_its_published_comment_names() {
    let published = published();

    for reason in Reason::ALL {
        let comment = published[reason.as_str()];
        assert!(comment.contains(code(reason.class())), "{reason} is published under {comment:?}");
    }
}

#[test]
fn a_reason_survives_its_text() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
    }
    assert_eq!(Reason::parse("UNSPECIFIED"), None);
    assert_eq!(Reason::parse("shipped_first"), None);
}

#[test]
fn a_refusal_carries_its_field_and_variables() {
    let refusal = Refusal::new(Reason::QuantityExceedsAvailable, "3 of 5 units can be cancelled")
        .field("lines[0].quantity")
        .detail("available", 3)
        .detail("asked", 5);

    assert_eq!(refusal.to_string(), "QUANTITY_EXCEEDS_AVAILABLE: 3 of 5 units can be cancelled");
    assert_eq!(refusal.field.as_deref(), Some("lines[0].quantity"));
    assert_eq!(refusal.details["available"], "3");
    assert!(refusal.reason.class().is_answer());
}
