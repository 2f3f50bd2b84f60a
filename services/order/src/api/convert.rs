//! Parsing of fields that several requests have. A refusal names the path of the field at fault.

use kit::Failure;
use proto::common::v1 as common;
use proto::order::v1 as wire;
use types::money::AMOUNT_MINOR_MAX;
use types::{AttentionId, ChangeOrderId, OrderId, Reason, Refusal, RequestId, SagaId, Timestamp, text};

use crate::domain::change::ChangeState;
use crate::domain::listing::Page;
use crate::domain::order::{ExternalReference, OrderState};
use crate::ops::Wait;

/// The longest name another system may have, and the longest id in it.
pub const SYSTEM_LENGTH_MAX: usize = 64;
pub const REFERENCE_LENGTH_MAX: usize = 128;
/// The longest note.
pub const NOTE_LENGTH_MAX: usize = 500;
/// The longest code of a reason.
pub const REASON_LENGTH_MAX: usize = 64;

pub fn request_id(text: &str) -> Result<RequestId, Refusal> {
    RequestId::parse(text).map_err(Refusal::from)
}

pub fn order_id(field: &str, text: &str) -> Result<OrderId, Refusal> {
    OrderId::parse(text).map_err(|error| Refusal::from(error).field(field))
}

pub fn change_order_id(text: &str) -> Result<ChangeOrderId, Refusal> {
    ChangeOrderId::parse(text).map_err(|error| Refusal::from(error).field("change_order_id"))
}

pub fn attention_id(text: &str) -> Result<AttentionId, Refusal> {
    AttentionId::parse(text).map_err(|error| Refusal::from(error).field("attention_id"))
}

pub fn saga_id(text: &str) -> Result<SagaId, Refusal> {
    SagaId::parse(text).map_err(|error| Refusal::from(error).field("saga_id"))
}

/// A name, a number or a code that may be left out.
pub fn optional(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::name(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// A name, a number or a code that has to be there.
pub fn required(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::name_required(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// A title, or a name of people or places, on one line; it may be left out.
pub fn line(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::line(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// As [`line`], and it has to be there.
pub fn required_line(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::line_required(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// Free text that may be left out.
pub fn free_text(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::parse(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// Free text that has to be there.
pub fn required_text(field: &str, limit: usize, given: &str) -> Result<String, Refusal> {
    text::parse_required(limit, given).map_err(|error| Refusal::from(error).field(field))
}

/// An amount of minor units, from `least` up to the bound of amounts.
pub fn minor(field: &str, least: i64, given: i64) -> Result<i64, Refusal> {
    if (least..=AMOUNT_MINOR_MAX).contains(&given) {
        return Ok(given);
    }
    let message = format!("the amount is {least} to {AMOUNT_MINOR_MAX} minor units, not {given}");
    Err(Refusal::new(Reason::AmountOutOfRange, message).field(field).detail("least", least))
}

pub fn wait(given: i32) -> Result<Wait, Refusal> {
    match common::Wait::try_from(given) {
        Ok(common::Wait::Unspecified) => Ok(Wait::Accepted),
        Ok(common::Wait::Committed) => Ok(Wait::Committed),
        Ok(common::Wait::Completed) => Ok(Wait::Completed),
        Err(_) => Err(unknown_value("wait", given)),
    }
}

/// An instant in UTC, with as many decimals of a second as the caller has.
pub fn instant(field: &str, given: &str) -> Result<Option<Timestamp>, Refusal> {
    if given.is_empty() {
        return Ok(None);
    }
    let whole = given.strip_suffix('Z').unwrap_or_default();
    let (seconds, decimals) = whole.split_once('.').unwrap_or((whole, "0"));
    let micros: String = decimals.chars().chain("000000".chars()).take(6).collect();
    let is_fraction =
        !decimals.is_empty() && decimals.len() <= 9 && decimals.bytes().all(|d| d.is_ascii_digit());
    let parsed = Timestamp::parse(&format!("{seconds}.{micros}Z")).ok().filter(|_| is_fraction);
    let refusal = || {
        let message = "the instant is RFC 3339 in UTC, such as 2026-11-21T22:37:12Z";
        Refusal::new(Reason::FieldInvalid, message).field(field)
    };
    parsed.map(Some).ok_or_else(refusal)
}

pub fn reference(field: &str, given: &common::ExternalReference) -> Result<ExternalReference, Refusal> {
    Ok(ExternalReference {
        system: required(&format!("{field}.system"), SYSTEM_LENGTH_MAX, &given.system)?,
        reference: required(&format!("{field}.reference"), REFERENCE_LENGTH_MAX, &given.reference)?,
    })
}

/// A condition of a list; absent when it is empty.
pub fn condition(field: &str, limit: usize, given: &str) -> Result<Option<String>, Refusal> {
    if given.is_empty() { Ok(None) } else { required(field, limit, given).map(Some) }
}

pub fn order_states(given: &[i32]) -> Result<Vec<OrderState>, Refusal> {
    each_state(given, |state| {
        Some(match wire::OrderState::try_from(state).ok()? {
            wire::OrderState::Unspecified => return None,
            wire::OrderState::Placing => OrderState::Placing,
            wire::OrderState::PlacementFailed => OrderState::PlacementFailed,
            wire::OrderState::Pending => OrderState::Pending,
            wire::OrderState::Confirmed => OrderState::Confirmed,
            wire::OrderState::Processing => OrderState::Processing,
            wire::OrderState::PartiallyShipped => OrderState::PartiallyShipped,
            wire::OrderState::Shipped => OrderState::Shipped,
            wire::OrderState::OutForDelivery => OrderState::OutForDelivery,
            wire::OrderState::PartiallyDelivered => OrderState::PartiallyDelivered,
            wire::OrderState::Delivered => OrderState::Delivered,
            wire::OrderState::Cancelled => OrderState::Cancelled,
            wire::OrderState::Returned => OrderState::Returned,
            wire::OrderState::ClosedMixed => OrderState::ClosedMixed,
        })
    })
}

pub fn change_states(given: &[i32]) -> Result<Vec<ChangeState>, Refusal> {
    each_state(given, |state| {
        Some(match wire::ChangeOrderState::try_from(state).ok()? {
            wire::ChangeOrderState::Unspecified => return None,
            wire::ChangeOrderState::Draft => ChangeState::Draft,
            wire::ChangeOrderState::Requested => ChangeState::Requested,
            wire::ChangeOrderState::Declined => ChangeState::Declined,
            wire::ChangeOrderState::Expired => ChangeState::Expired,
            wire::ChangeOrderState::Withdrawn => ChangeState::Withdrawn,
            wire::ChangeOrderState::Executing => ChangeState::Executing,
            wire::ChangeOrderState::Unwinding => ChangeState::Unwinding,
            wire::ChangeOrderState::Rejected => ChangeState::Rejected,
            wire::ChangeOrderState::Settling => ChangeState::Settling,
            wire::ChangeOrderState::Completed => ChangeState::Completed,
            wire::ChangeOrderState::CompletedWithExceptions => ChangeState::CompletedWithExceptions,
        })
    })
}

/// The page of a listing that goes by one id.
pub fn page_of(page: &kit::page::Page) -> Result<Page, Failure> {
    let after = page.after(1)?.map(|key| key[0].clone());
    // The page asks for one row more than it holds; how many it holds is what lists are asked for.
    Ok(Page { after, size: page.limit() - 1 })
}

/// The token of the page behind a key, if there is one.
pub fn token_of(page: &kit::page::Page, next: Option<String>) -> String {
    next.map_or_else(String::new, |key| page.token(&[key]))
}

/// The page of a listing that goes by a sequence number: the last one seen.
pub fn sequence_of(page: &kit::page::Page) -> Result<i64, Failure> {
    let Some([sequence, ..]) = page.after(1)? else {
        return Ok(0);
    };
    sequence.parse().map_err(|_| {
        let message = "page_token must come from the page before of this same listing";
        Failure::invalid("page_token", Reason::PageTokenInvalid, message)
    })
}

/// A sequence number or version to resume behind.
pub fn not_negative(field: &str, given: i64) -> Result<i64, Refusal> {
    if given >= 0 {
        return Ok(given);
    }
    Err(Refusal::new(Reason::FieldInvalid, format!("{field} counts from 1; 0 is before the first"))
        .field(field))
}

/// Every state of a filter, each once: more than there are states cannot be meant.
pub fn each_state<T: PartialEq>(given: &[i32], state: impl Fn(i32) -> Option<T>) -> Result<Vec<T>, Refusal> {
    let mut states = Vec::new();
    for (index, value) in given.iter().enumerate() {
        let named = state(*value).ok_or_else(|| unknown_value(&format!("states[{index}]"), *value))?;
        if !states.contains(&named) {
            states.push(named);
        }
    }
    Ok(states)
}

pub fn unknown_value(field: &str, given: i32) -> Refusal {
    Refusal::new(Reason::FieldInvalid, format!("{given} is not a value of {field}")).field(field)
}

pub fn missing(field: &str, message: &str) -> Refusal {
    Refusal::new(Reason::FieldRequired, message).field(field)
}

pub fn too_many(field: &str, most: usize, given: usize) -> Refusal {
    Refusal::new(Reason::TooManyLines, format!("{given} are too many; {most} are taken at once"))
        .field(field)
        .detail("max", most)
}
