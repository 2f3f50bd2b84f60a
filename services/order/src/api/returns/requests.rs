//! Requests about returns, parsed. What is told twice must be told alike, so each has the fingerprint of all it says.

use std::time::Duration;

use prost::Message as _;
use proto::order::v1 as wire;
use types::{Fingerprint, Quantity, Reason, Refusal, ReturnId, Timestamp};

use crate::api::changes::line_key;
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, each_state, free_text, missing, optional, order_id, too_many,
};
use crate::domain::lifecycle::{Accepted, Counted, Opening};
use crate::domain::returns::ReturnState;
use crate::ops::use_cases::{AcceptReturn, CloseReturn, ReceiveReturn, RejectReturn};

const LINES_MAX: usize = 100;
const WAREHOUSE_LENGTH_MAX: usize = 64;
/// How long units may come: thirty days unless it says otherwise, ninety at most.
const VALID_SECONDS: u64 = 30 * 24 * 60 * 60;
const VALID_SECONDS_MAX: u64 = 90 * 24 * 60 * 60;

pub fn return_id(text: &str) -> Result<ReturnId, Refusal> {
    ReturnId::parse(text).map_err(|error| Refusal::from(error).field("return_id"))
}

pub fn opening(request: &wire::OpenReturnRequest, now: Timestamp) -> Result<Opening, Refusal> {
    let canonical = wire::OpenReturnRequest { request_id: String::new(), ..request.clone() };
    Ok(Opening {
        order_id: order_id("order_id", &request.order_id)?,
        lines: counted(&request.lines)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        expires_at: now.plus(valid_for(request.valid_seconds)?),
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

pub fn receive(request: &wire::ReceiveReturnRequest) -> Result<ReceiveReturn, Refusal> {
    let canonical = wire::ReceiveReturnRequest { request_id: String::new(), ..request.clone() };
    Ok(ReceiveReturn {
        return_id: return_id(&request.return_id)?,
        lines: counted(&request.lines)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

pub fn reject(request: &wire::RejectReturnRequest) -> Result<RejectReturn, Refusal> {
    let canonical = wire::RejectReturnRequest { request_id: String::new(), ..request.clone() };
    Ok(RejectReturn {
        return_id: return_id(&request.return_id)?,
        lines: counted(&request.lines)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

pub fn close(request: &wire::CloseReturnRequest) -> Result<CloseReturn, Refusal> {
    let canonical = wire::CloseReturnRequest { request_id: String::new(), ..request.clone() };
    Ok(CloseReturn {
        return_id: return_id(&request.return_id)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

pub fn accept(request: &wire::AcceptReturnRequest) -> Result<AcceptReturn, Refusal> {
    let canonical = wire::AcceptReturnRequest { request_id: String::new(), wait: 0, ..request.clone() };
    let lines = bounded(&request.lines)?.iter().enumerate().map(|(index, line)| {
        let at = format!("lines[{index}]");
        for (name, units) in [("restock", line.restock), ("write_off", line.write_off)] {
            if units < 0 {
                let message = "no less than nothing is taken back";
                return Err(Refusal::new(Reason::QuantityOutOfRange, message).field(format!("{at}.{name}")));
            }
        }
        quantity(&format!("{at}.restock"), line.restock.saturating_add(line.write_off))?;
        let warehouse = format!("{at}.warehouse_id");
        let warehouse_id = optional(&warehouse, WAREHOUSE_LENGTH_MAX, &line.warehouse_id)?;
        Ok(Accepted {
            line: line_key(&at, &line.line_id, line.line_number)?,
            restock: line.restock,
            write_off: line.write_off,
            warehouse_id: (!warehouse_id.is_empty()).then_some(warehouse_id),
        })
    });
    Ok(AcceptReturn {
        return_id: return_id(&request.return_id)?,
        lines: lines.collect::<Result<_, Refusal>>()?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

pub fn states(given: &[i32]) -> Result<Vec<ReturnState>, Refusal> {
    each_state(given, |state| {
        Some(match wire::ReturnState::try_from(state).ok()? {
            wire::ReturnState::Unspecified => return None,
            wire::ReturnState::Open => ReturnState::Open,
            wire::ReturnState::Completed => ReturnState::Completed,
            wire::ReturnState::Closed => ReturnState::Closed,
            wire::ReturnState::Expired => ReturnState::Expired,
        })
    })
}

fn counted(lines: &[wire::ReturnLineInput]) -> Result<Counted, Refusal> {
    let lines = bounded(lines)?.iter().enumerate().map(|(index, line)| {
        let at = format!("lines[{index}]");
        let key = line_key(&at, &line.line_id, line.line_number)?;
        Ok((key, quantity(&format!("{at}.quantity"), line.quantity)?))
    });
    lines.collect()
}

fn bounded<T>(lines: &[T]) -> Result<&[T], Refusal> {
    match lines.len() {
        0 => Err(missing("lines", "at least one line is named")),
        1..=LINES_MAX => Ok(lines),
        count => Err(too_many("lines", LINES_MAX, count)),
    }
}

pub fn quantity(field: &str, units: i64) -> Result<Quantity, Refusal> {
    Quantity::parse(units).map_err(|error| Refusal::from(error).field(field))
}

fn valid_for(seconds: i64) -> Result<Duration, Refusal> {
    let refusal = || {
        let message = format!("units may come for 1 to {VALID_SECONDS_MAX} seconds");
        Refusal::new(Reason::FieldInvalid, message).field("valid_seconds")
    };
    match u64::try_from(seconds).map_err(|_| refusal())? {
        0 => Ok(Duration::from_secs(VALID_SECONDS)),
        seconds @ 1..=VALID_SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => Err(refusal()),
    }
}
