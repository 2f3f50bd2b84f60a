//! ShortShip: units that cannot be shipped, because they do not exist.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Fingerprint, Quantity, Refusal};

use crate::api::changes::{line_key, shown};
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, free_text, missing, optional, order_id, request_id, too_many, wait,
};
use crate::domain::lifecycle::{Counted, ShortShipRequest};
use crate::ops::Orders;
use crate::ops::use_cases::ShortShip;

const LINES_MAX: usize = 100;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ShortShipRequest>,
) -> Result<wire::ShortShipResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let short_ship = ShortShip(parsed(&request)?);
    let view = orders.ask_for_change(&caller, request_id, short_ship, (wait, deadline)).await?;
    Ok(wire::ShortShipResponse { change_order: Some(shown(&view)) })
}

fn parsed(request: &wire::ShortShipRequest) -> Result<ShortShipRequest, Refusal> {
    let canonical = wire::ShortShipRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Ok(ShortShipRequest {
        order_id: order_id("order_id", &request.order_id)?,
        lines: lines(&request.lines)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

fn lines(given: &[wire::ShortShipLine]) -> Result<Counted, Refusal> {
    match given.len() {
        0 => return Err(missing("lines", "at least one line is named")),
        1..=LINES_MAX => {}
        count => return Err(too_many("lines", LINES_MAX, count)),
    }
    let lines = given.iter().enumerate().map(|(index, line)| {
        let at = format!("lines[{index}]");
        let quantity = Quantity::parse(line.quantity)
            .map_err(|error| Refusal::from(error).field(format!("{at}.quantity")))?;
        Ok((line_key(&at, &line.line_id, line.line_number)?, quantity))
    });
    lines.collect()
}
