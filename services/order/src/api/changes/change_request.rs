//! Parsing of what Preview and Submit have in common.

use prost::Message as _;
use proto::order::v1 as wire;
use types::{Fingerprint, LineId, PaymentId, Quantity, Reason, Refusal};

use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, SYSTEM_LENGTH_MAX, free_text, minor, missing,
    optional, order_id, too_many, unknown_value,
};
use crate::domain::change::{
    Audience, ChangeRequest, Channel, GroupReversal, LabelAction, LineKey, MoneyWish, Said, SelectedLine,
    Selection, Settlement, TenderRefund,
};

/// The most lines one change may select.
pub const SELECTED_LINES_MAX: usize = 100;

pub fn change_request(given: Option<&wire::ChangeInput>) -> Result<ChangeRequest, Refusal> {
    let given = given.ok_or_else(|| missing("change", "there is no change to make"))?;
    let defaults = given.defaults.clone().unwrap_or_default();
    let reason_code = general("change.reason_code", &given.reason_code, &defaults.reason_code)?;
    let note = general("change.note", &given.note, &defaults.note)?;
    Ok(ChangeRequest {
        order_id: order_id("change.order_id", &given.order_id)?,
        selection: selection(given)?,
        settlement: settlement(given.settlement)?,
        said: said(given)?,
        label_action: label_action(given.label_action)?,
        channel: channel(given.channel)?,
        reason_code: optional("change.reason_code", REASON_LENGTH_MAX, reason_code)?,
        note: free_text("change.note", NOTE_LENGTH_MAX, note)?,
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
    if canonical.label_action == i32::from(wire::LabelAction::Unspecified) {
        canonical.label_action = wire::LabelAction::Keep.into();
    }
    // The way a request came in is no part of what is asked for.
    canonical.channel = wire::Channel::Unspecified.into();
    // Nor is what the caller acknowledges: that is said after the preview.
    (canonical.supplier_contacted, canonical.confirm) = (false, false);
    canonical.supplier_contact_ref.clear();
    // Nor is who is told what of it.
    canonical.staff_note.clear();
    canonical.without_mail_to.clear();
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
        Ok(wire::ChangeOrderType::AllEligible) if given.lines.is_empty() => Ok(Selection::AllEligible),
        Ok(wire::ChangeOrderType::AllEligible) => {
            let message =
                "ALL_ELIGIBLE takes every line that can be cancelled; to select lines use CANCEL_ITEMS";
            Err(Refusal::new(Reason::FieldInvalid, message).field("change.lines"))
        }
        Ok(wire::ChangeOrderType::CancelItems) => items(&given.lines).map(Selection::Items),
        Ok(
            wire::ChangeOrderType::EditQuantity
            | wire::ChangeOrderType::ShippingAdjust
            | wire::ChangeOrderType::RefundOnly
            | wire::ChangeOrderType::Withdrawal
            | wire::ChangeOrderType::Restore
            | wire::ChangeOrderType::Payment
            | wire::ChangeOrderType::Return
            | wire::ChangeOrderType::ShortShip
            | wire::ChangeOrderType::Expire
            | wire::ChangeOrderType::AddItem
            | wire::ChangeOrderType::ReplaceItem
            | wire::ChangeOrderType::PriceAdjust
            | wire::ChangeOrderType::Address,
        ) => {
            let message = "changes of this type have an RPC of their own";
            Err(Refusal::new(Reason::FieldInvalid, message).field("change.type"))
        }
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
        line: line_key(&at, &given.line_id, given.line_number)?,
        quantity: Quantity::parse(given.quantity)
            .map_err(|error| Refusal::from(error).field(format!("{at}.quantity")))?,
        reason_code: optional(&format!("{at}.reason_code"), REASON_LENGTH_MAX, &given.reason_code)?,
        note: free_text(&format!("{at}.note"), NOTE_LENGTH_MAX, &given.note)?,
        children: children(&at, given)?,
    })
}

fn children(at: &str, given: &wire::ChangeLineInput) -> Result<Option<Vec<(LineKey, i64)>>, Refusal> {
    let field = format!("{at}.bundle_children");
    if given.without_children && !given.bundle_children.is_empty() {
        let message = "either no children, or these";
        return Err(Refusal::new(Reason::FieldInvalid, message).field(field));
    }
    if given.bundle_children.is_empty() {
        return Ok(given.without_children.then(Vec::new));
    }
    if given.bundle_children.len() > SELECTED_LINES_MAX {
        return Err(too_many(&field, SELECTED_LINES_MAX, given.bundle_children.len()));
    }
    let child = |(index, child): (usize, &wire::BundleChildInput)| {
        let at = format!("{field}[{index}]");
        let units = match child.quantity {
            0 => 0,
            units => {
                let parsed = Quantity::parse(units);
                parsed.map_err(|error| Refusal::from(error).field(format!("{at}.quantity")))?.get()
            }
        };
        Ok((line_key(&at, &child.line_id, child.line_number)?, units))
    };
    given.bundle_children.iter().enumerate().map(child).collect::<Result<_, _>>().map(Some)
}

/// What is said for all lines, in either of its two places.
fn general<'a>(field: &str, plain: &'a str, default: &'a str) -> Result<&'a str, Refusal> {
    if !plain.is_empty() && !default.is_empty() {
        let message = "what holds for all lines is said once, here or in defaults";
        return Err(Refusal::new(Reason::FieldInvalid, message).field(field));
    }
    Ok(if plain.is_empty() { default } else { plain })
}

pub(in crate::api) fn line_key(at: &str, line_id: &str, line_number: i64) -> Result<LineKey, Refusal> {
    match (line_id, line_number) {
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

/// Acknowledgements, and choices beside the units.
fn said(given: &wire::ChangeInput) -> Result<Said, Refusal> {
    let explicit = given.settlement == i32::from(wire::Settlement::Explicit);
    if explicit == given.tenders.is_empty() {
        let message = "settlement EXPLICIT names its tenders, and no other does";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("change.tenders"));
    }
    for (field, count) in [("change.tenders", given.tenders.len()), ("change.shipping", given.shipping.len())]
    {
        if count > SELECTED_LINES_MAX {
            return Err(too_many(field, SELECTED_LINES_MAX, count));
        }
    }
    if given.without_mail_to.len() > Audience::ALL.len() {
        return Err(too_many("change.without_mail_to", Audience::ALL.len(), given.without_mail_to.len()));
    }
    Ok(Said {
        supplier_contacted: given.supplier_contacted,
        supplier_contact_ref: optional(
            "change.supplier_contact_ref",
            REFERENCE_LENGTH_MAX,
            &given.supplier_contact_ref,
        )?,
        confirmed: given.confirm,
        force: given.force,
        shipping: given.shipping.iter().enumerate().map(shipping).collect::<Result<_, _>>()?,
        tenders: given.tenders.iter().enumerate().map(tender).collect::<Result<_, _>>()?,
        money: money(given, explicit)?,
        staff_note: free_text("change.staff_note", NOTE_LENGTH_MAX, &given.staff_note)?,
        without_mail_to: given
            .without_mail_to
            .iter()
            .enumerate()
            .map(|(nth, name)| audience(nth, name))
            .collect::<Result<_, _>>()?,
    })
}

fn audience(nth: usize, name: &str) -> Result<Audience, Refusal> {
    let found = Audience::ALL.into_iter().find(|audience| audience.as_str() == name);
    found.ok_or_else(|| {
        let named: Vec<_> = Audience::ALL.iter().map(|audience| audience.as_str()).collect();
        let message = format!("{name:?} is no audience; the audiences are {}", named.join(", "));
        Refusal::new(Reason::FieldInvalid, message).field(format!("change.without_mail_to[{nth}]"))
    })
}

/// More than is owed goes back only from tenders that are named, and only with the reason why.
fn money(given: &wire::ChangeInput, explicit: bool) -> Result<MoneyWish, Refusal> {
    let over_refund_reason =
        free_text("change.over_refund_reason", NOTE_LENGTH_MAX, &given.over_refund_reason)?;
    if given.allow_over_refund && !explicit {
        let message = "only the tenders of settlement EXPLICIT can give back more than is owed";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("change.allow_over_refund"));
    }
    if given.allow_over_refund && over_refund_reason.trim().is_empty() {
        return Err(missing("change.over_refund_reason", "say why more goes back than is owed"));
    }
    if !given.allow_over_refund && !over_refund_reason.is_empty() {
        let message = "a reason to give more back needs allow_over_refund";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("change.over_refund_reason"));
    }
    Ok(MoneyWish { store_credit_fallback: given.store_credit_fallback, over_refund_reason })
}

fn shipping((index, given): (usize, &wire::ShippingReversalInput)) -> Result<GroupReversal, Refusal> {
    let at = format!("change.shipping[{index}]");
    Ok(GroupReversal {
        delivery_group: optional(&format!("{at}.delivery_group"), SYSTEM_LENGTH_MAX, &given.delivery_group)?,
        shipping_minor: minor(&format!("{at}.shipping_minor"), 0, given.shipping_minor)?,
        shipping_tax_minor: minor(&format!("{at}.shipping_tax_minor"), 0, given.shipping_tax_minor)?,
    })
}

fn tender((index, given): (usize, &wire::TenderRefundInput)) -> Result<TenderRefund, Refusal> {
    let at = format!("change.tenders[{index}]");
    Ok(TenderRefund {
        payment_id: PaymentId::parse(&given.payment_id)
            .map_err(|error| Refusal::from(error).field(format!("{at}.payment_id")))?,
        amount_minor: minor(&format!("{at}.amount_minor"), 1, given.amount_minor)?,
    })
}

fn settlement(given: i32) -> Result<Option<Settlement>, Refusal> {
    match wire::Settlement::try_from(given) {
        Ok(wire::Settlement::Unspecified) => Ok(None),
        Ok(wire::Settlement::Auto) => Ok(Some(Settlement::Auto)),
        Ok(wire::Settlement::None) => Ok(Some(Settlement::None)),
        Ok(wire::Settlement::Explicit) => Ok(Some(Settlement::Explicit)),
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
