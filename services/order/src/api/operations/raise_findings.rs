//! RaiseFindings: what `verify` has found is put on the attention list.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::{Reason, Refusal};

use crate::api::convert::{minor, optional, order_id, request_id, required};
use crate::domain::findings::{Finding, Findings};
use crate::ops::Orders;
use crate::ops::use_cases::RaiseFindings;

const AT_ONCE_MAX: usize = 100;
const SUBJECT_LENGTH_MAX: usize = 128;
const EQUATION_LENGTH_MAX: usize = 300;
const ROW_LENGTH_MAX: usize = 500;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::RaiseFindingsRequest>,
) -> Result<wire::RaiseFindingsResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    at_most("findings", request.findings.len())?;
    at_most("sound_subject_ids", request.sound_subject_ids.len())?;
    let found = request.findings.iter().enumerate();
    let found =
        found.map(|(nth, told)| finding(&format!("findings[{nth}]"), told)).collect::<Result<_, _>>()?;
    let sound = request.sound_subject_ids.iter().enumerate();
    let sound = sound
        .map(|(nth, id)| required(&format!("sound_subject_ids[{nth}]"), SUBJECT_LENGTH_MAX, id))
        .collect::<Result<_, _>>()?;
    orders.ask(&caller, request_id, RaiseFindings(Findings { found, sound })).await?;
    Ok(wire::RaiseFindingsResponse {})
}

fn at_most(field: &str, count: usize) -> Result<(), Refusal> {
    if count <= AT_ONCE_MAX {
        return Ok(());
    }
    let message = format!("at most {AT_ONCE_MAX} at a time, not {count}");
    Err(Refusal::new(Reason::FieldInvalid, message).field(field))
}

fn finding(field: &str, told: &wire::Finding) -> Result<Finding, Refusal> {
    let at = |name: &str| format!("{field}.{name}");
    let order_id = match told.order_id.as_str() {
        "" => None,
        id => Some(order_id(&at("order_id"), id)?),
    };
    Ok(Finding {
        subject_id: required(&at("subject_id"), SUBJECT_LENGTH_MAX, &told.subject_id)?,
        equation: required(&at("equation"), EQUATION_LENGTH_MAX, &told.equation)?,
        order_id,
        rows: minor(&at("rows"), 1, told.rows)?,
        row: optional(&at("row"), ROW_LENGTH_MAX, &told.row)?,
    })
}
