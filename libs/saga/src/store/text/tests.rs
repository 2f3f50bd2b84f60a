use super::*;

#[test]
fn a_refusal_survives_its_column() {
    let refusal = Refusal::new(Reason::InsufficientStock, "only \"3\" left\n")
        .field("lines[0].quantity")
        .detail("available", 3);

    assert_eq!(to_refusal(&of_refusal(&refusal)), refusal);
    let plain = Refusal::new(Reason::Withdrawn, "");
    assert_eq!(to_refusal(&of_refusal(&plain)), plain);
}

#[test]
fn an_unreadable_refusal_is_still_a_refusal() {
    for text in ["", "null", "{}", "{\"reason\":\"NO_SUCH_REASON\"}", "{\"reason\":7}"] {
        assert_eq!(to_refusal(text).reason, Reason::Internal, "{text}");
    }
}

#[test]
fn a_cause_survives_its_column() {
    let cause =
        Cause { kind: CauseKind::UndoFailing, step: Some("hold".to_owned()), message: "no".to_owned() };

    assert_eq!(to_cause(&of_cause(&cause)), cause);
    assert_eq!(to_cause("?").kind, CauseKind::Unreadable);
}
