//! ListReasons, UpsertReason.

use std::collections::BTreeMap;

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::{Reason, Refusal};

use crate::api::convert::{
    REASON_LENGTH_MAX, missing, optional, request_id, required, required_line, unknown_value,
};
use crate::domain::reason::{CancelReason, FALLBACK_LANGUAGE, Family};
use crate::ops::Orders;
use crate::ops::use_cases::{UpsertReason, Written};
use crate::wire::cancel_reason as shown;

const LANGUAGE_LENGTH_MAX: usize = 16;
const LABEL_LENGTH_MAX: usize = 255;
const LABELS_MAX: usize = 32;
const INTEGRATIONS_MAX: usize = 100;

pub async fn list(
    orders: &Orders,
    request: Request<wire::ListReasonsRequest>,
) -> Result<wire::ListReasonsResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let language = optional("language", LANGUAGE_LENGTH_MAX, &request.language)?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let offered = shelf.catalogue.iter().filter(|reason| reason.active || request.include_retired);
    Ok(wire::ListReasonsResponse { reasons: offered.map(|reason| shown(reason, &language)).collect() })
}

pub async fn upsert(
    orders: &Orders,
    request: Request<wire::UpsertReasonRequest>,
) -> Result<wire::UpsertReasonResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let request_id = request_id(&request.request_id)?;
    let given = request.reason.ok_or_else(|| missing("reason", "there is no reason to write"))?;
    let Written(code) = orders.ask(&caller, request_id, UpsertReason(reason(&given)?)).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let written = shelf.catalogue.get(&code);
    let written = written.ok_or_else(|| Failure::internal("a reason that was just written is not there"))?;
    Ok(wire::UpsertReasonResponse { reason: Some(shown(written, "")) })
}

fn reason(given: &wire::CancelReason) -> Result<CancelReason, Refusal> {
    let code = required("reason.code", REASON_LENGTH_MAX, &given.code)?;
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !code.bytes().all(plain) {
        let message = "a reason's code is made of capital letters, digits and '_'";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("reason.code"));
    }
    if !given.labels.contains_key(FALLBACK_LANGUAGE) {
        let message = format!("a reason has a label in {FALLBACK_LANGUAGE:?}");
        return Err(missing("reason.labels", &message));
    }
    let family = match wire::ReasonFamily::try_from(given.family) {
        Ok(wire::ReasonFamily::NoLongerNeeded) => Family::NoLongerNeeded,
        Ok(wire::ReasonFamily::CannotBeCompleted) => Family::CannotBeCompleted,
        Ok(wire::ReasonFamily::Unspecified) => {
            return Err(missing("reason.family", "say what kind of reason it is"));
        }
        Err(_) => return Err(unknown_value("reason.family", given.family)),
    };
    Ok(CancelReason {
        code,
        family,
        labels: texts("reason.labels", LABELS_MAX, &given.labels)?,
        note_required: given.note_required,
        active: !given.retired,
        mapping: texts("reason.integration_codes", INTEGRATIONS_MAX, &given.integration_codes)?,
    })
}

fn texts(
    field: &str,
    most: usize,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    if given.len() > most {
        let message = format!("{} texts are too many; {most} are kept", given.len());
        return Err(Refusal::new(Reason::FieldInvalid, message).field(field));
    }
    let text = |(key, value): (&String, &String)| {
        let at = format!("{field}[{key:?}]");
        Ok((required(&at, REASON_LENGTH_MAX, key)?, required_line(&at, LABEL_LENGTH_MAX, value)?))
    };
    given.iter().map(text).collect()
}
