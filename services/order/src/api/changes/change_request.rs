//! Parsing of what Preview and Submit have in common.

use prost::Message as _;
use proto::order::v1 as wire;
use types::{Fingerprint, LineId, Quantity, Reason, Refusal};

use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, missing, optional, order_id, too_many, unknown_value,
};
use crate::domain::change::{
    ChangeRequest, Channel, LabelAction, LineKey, SelectedLine, Selection, Settlement,
};

/// The most lines one change may select.
pub const SELECTED_LINES_MAX: usize = 100;

pub fn change_request(given: Option<&wire::ChangeInput>) -> Result<ChangeRequest, Refusal> {
    let given = given.ok_or_else(|| missing("change", "there is no change to make"))?;
    Ok(ChangeRequest {
        order_id: order_id("change.order_id", &given.order_id)?,
        selection: selection(given)?,
        settlement: settlement(given.settlement)?,
        label_action: label_action(given.label_action)?,
        channel: channel(given.channel)?,
        reason_code: optional("change.reason_code", REASON_LENGTH_MAX, &given.reason_code)?,
        note: optional("change.note", NOTE_LENGTH_MAX, &given.note)?,
        content: content(given),
    })
}

/// What a quote is bound to: the request with its defaults written out and its lines in one order,
/// so that two spellings of one wish are one wish.
fn content(given: &wire::ChangeInput) -> Fingerprint {
    let mut canonical = given.clone();
    canonical
        .lines
        .sort_by(|left, right| (&left.line_id, left.line_number).cmp(&(&right.line_id, right.line_number)));
    if canonical.settlement == i32::from(wire::Settlement::Unspecified) {
        canonical.settlement = wire::Settlement::Auto.into();
    }
    if canonical.label_action == i32::from(wire::LabelAction::Unspecified) {
        canonical.label_action = wire::LabelAction::Keep.into();
    }
    // The way a request came in is no part of what is asked for.
    canonical.channel = wire::Channel::Unspecified.into();
    Fingerprint::of(&[&canonical.encode_to_vec()])
}

fn selection(given: &wire::ChangeInput) -> Result<Selection, Refusal> {
    match wire::ChangeOrderType::try_from(given.r#type) {
        Ok(wire::ChangeOrderType::Unspecified) => {
            Err(missing("change.type", "the type says what kind of change this is"))
        }
        Ok(wire::ChangeOrderType::CancelOrder) if given.lines.is_empty() => Ok(Selection::Everything),
        Ok(wire::ChangeOrderType::CancelOrder) => {
            let message = "CANCEL_ORDER takes everything that is open; to select lines use CANCEL_ITEMS";
            Err(Refusal::new(Reason::FieldInvalid, message).field("change.lines"))
        }
        Ok(wire::ChangeOrderType::CancelItems) => items(&given.lines).map(Selection::Items),
        Err(_) => Err(unknown_value("change.type", given.r#type)),
    }
}

fn items(given: &[wire::ChangeLineInput]) -> Result<Vec<SelectedLine>, Refusal> {
    match given.len() {
        0 => Err(missing("change.lines", "CANCEL_ITEMS selects at least one line")),
        1..=SELECTED_LINES_MAX => given.iter().enumerate().map(|(index, line)| item(index, line)).collect(),
        count => Err(too_many("change.lines", SELECTED_LINES_MAX, count)),
    }
}

fn item(index: usize, given: &wire::ChangeLineInput) -> Result<SelectedLine, Refusal> {
    let at = format!("change.lines[{index}]");
    Ok(SelectedLine {
        line: line_key(&at, given)?,
        quantity: Quantity::parse(given.quantity)
            .map_err(|error| Refusal::from(error).field(format!("{at}.quantity")))?,
        reason_code: optional(&format!("{at}.reason_code"), REASON_LENGTH_MAX, &given.reason_code)?,
        note: optional(&format!("{at}.note"), NOTE_LENGTH_MAX, &given.note)?,
    })
}

fn line_key(at: &str, given: &wire::ChangeLineInput) -> Result<LineKey, Refusal> {
    match (given.line_id.as_str(), given.line_number) {
        ("", 0) => Err(missing(&format!("{at}.line_id"), "a line is named by its id or by its number")),
        ("", number) if number > 0 => Ok(LineKey::Number(number)),
        ("", number) => {
            let message = format!("lines are numbered from 1; {number} is none");
            Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{at}.line_number")))
        }
        (line_id, 0) => LineId::parse(line_id)
            .map(LineKey::Id)
            .map_err(|error| Refusal::from(error).field(format!("{at}.line_id"))),
        (_, _) => {
            let message = "a line is named by its id or by its number, not by both";
            Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{at}.line_number")))
        }
    }
}

fn settlement(given: i32) -> Result<Settlement, Refusal> {
    match wire::Settlement::try_from(given) {
        Ok(wire::Settlement::Unspecified | wire::Settlement::Auto) => Ok(Settlement::Auto),
        Ok(wire::Settlement::None) => Ok(Settlement::None),
        Err(_) => Err(unknown_value("change.settlement", given)),
    }
}

/// What comes from a rule, a batch or the gateway is made by them and never asked for.
fn channel(given: i32) -> Result<Channel, Refusal> {
    match wire::Channel::try_from(given) {
        Ok(wire::Channel::Unspecified | wire::Channel::Api) => Ok(Channel::Api),
        Ok(wire::Channel::Details) => Ok(Channel::Details),
        Ok(wire::Channel::Timeline) => Ok(Channel::Timeline),
        Ok(wire::Channel::Rule | wire::Channel::Psp | wire::Channel::Batch) => {
            let message = "a client comes by DETAILS, TIMELINE or API";
            Err(Refusal::new(Reason::FieldInvalid, message).field("change.channel"))
        }
        Err(_) => Err(unknown_value("change.channel", given)),
    }
}

fn label_action(given: i32) -> Result<LabelAction, Refusal> {
    match wire::LabelAction::try_from(given) {
        Ok(wire::LabelAction::Unspecified | wire::LabelAction::Keep) => Ok(LabelAction::Keep),
        Ok(wire::LabelAction::Void) => Ok(LabelAction::Void),
        Err(_) => Err(unknown_value("change.label_action", given)),
    }
}
