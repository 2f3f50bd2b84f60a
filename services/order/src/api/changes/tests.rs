//! What Preview and Submit refuse before they look at the order, and what a quote is bound to.

use proto::order::v1::{ChangeInput, ChangeLineInput, ChangeOrderType, LabelAction, Settlement};
use types::{Clock, Ids, LineId, OrderId, Reason, Timestamp};

use super::change_request::{SELECTED_LINES_MAX, change_request};
use crate::domain::change::{LineKey, Selection};

fn ids() -> Ids {
    Ids::seeded(Clock::manual(Timestamp::UNIX_EPOCH), 1)
}

fn line(line_number: i64) -> ChangeLineInput {
    ChangeLineInput { line_number, quantity: 1, ..ChangeLineInput::default() }
}

fn input() -> ChangeInput {
    ChangeInput {
        order_id: ids().mint::<OrderId>().to_string(),
        r#type: ChangeOrderType::CancelItems.into(),
        lines: vec![line(1), line(2)],
        ..ChangeInput::default()
    }
}

#[test]
fn a_line_is_named_by_its_id_or_by_its_number() {
    let line_id = ids().mint::<LineId>();
    let mut input = input();
    input.lines[1] =
        ChangeLineInput { line_id: line_id.to_string(), quantity: 3, ..ChangeLineInput::default() };

    let Selection::Items(items) = change_request(Some(&input)).unwrap().selection else { panic!("no items") };

    assert_eq!(items[0].line, LineKey::Number(1));
    assert_eq!((&items[1].line, items[1].quantity.get()), (&LineKey::Id(line_id), 3));
}

#[test]
fn every_bad_field_is_named_by_its_path() {
    type Spoiling = fn(&mut ChangeInput);
    let table: [(Spoiling, Reason, &str); 16] = [
        (|c| c.order_id.clear(), Reason::FieldRequired, "change.order_id"),
        (|c| c.order_id = "ord_1".to_owned(), Reason::FieldInvalid, "change.order_id"),
        (|c| c.r#type = 0, Reason::FieldRequired, "change.type"),
        (|c| c.r#type = 99, Reason::FieldInvalid, "change.type"),
        (|c| c.r#type = ChangeOrderType::CancelOrder.into(), Reason::FieldInvalid, "change.lines"),
        (|c| c.lines.clear(), Reason::FieldRequired, "change.lines"),
        (|c| c.lines = vec![line(1); SELECTED_LINES_MAX + 1], Reason::TooManyLines, "change.lines"),
        (|c| c.lines[1].line_number = 0, Reason::FieldRequired, "change.lines[1].line_id"),
        (|c| c.lines[1].line_number = -1, Reason::FieldInvalid, "change.lines[1].line_number"),
        (|c| c.lines[1].line_id = "lin_x".to_owned(), Reason::FieldInvalid, "change.lines[1].line_number"),
        (|c| c.lines[0].quantity = 0, Reason::QuantityOutOfRange, "change.lines[0].quantity"),
        (|c| c.lines[0].note = "n".repeat(501), Reason::FieldTooLong, "change.lines[0].note"),
        (|c| c.note = "n".repeat(501), Reason::FieldTooLong, "change.note"),
        (|c| c.reason_code = "r".repeat(65), Reason::FieldTooLong, "change.reason_code"),
        (|c| c.settlement = 9, Reason::FieldInvalid, "change.settlement"),
        (|c| c.label_action = -1, Reason::FieldInvalid, "change.label_action"),
    ];

    for (spoil, reason, field) in table {
        let mut input = input();
        spoil(&mut input);

        let refusal = change_request(Some(&input)).unwrap_err();

        assert_eq!((refusal.reason, refusal.field.as_deref()), (reason, Some(field)));
    }
    assert_eq!(change_request(None).unwrap_err().field.as_deref(), Some("change"));
}

#[test]
fn two_spellings_of_one_wish_have_one_content() {
    let plain = change_request(Some(&input())).unwrap().content;
    let mut spelled = input();
    spelled.lines.reverse();
    (spelled.supplier_contacted, spelled.confirm) = (true, true);
    spelled.label_action = LabelAction::Keep.into();
    let mut other = input();
    other.settlement = Settlement::None.into();

    assert_eq!(change_request(Some(&spelled)).unwrap().content, plain);
    assert_ne!(change_request(Some(&other)).unwrap().content, plain);
}
