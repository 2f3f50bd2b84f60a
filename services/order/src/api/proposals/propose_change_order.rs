//! ProposeChangeOrder: stored with its price; nothing of the order moves.

use std::time::Duration;

use kit::{Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{ChangeOrderId, Fingerprint, Reason, Refusal};

use crate::api::changes::{line_key, shown};
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, minor, missing, optional, order_id, request_id, too_many,
    unknown_value,
};
use crate::domain::change::{GroupReversal, LineKey};
use crate::domain::lifecycle::{Proposal, Proposed};
use crate::ops::Orders;

const LINES_MAX: usize = 100;
const GROUPS_MAX: usize = 100;
const GROUP_LENGTH_MAX: usize = 64;
/// How long a proposal may be answered: three days unless it says otherwise, thirty at most.
const VALID_SECONDS: u64 = 3 * 24 * 60 * 60;
const VALID_SECONDS_MAX: u64 = 30 * 24 * 60 * 60;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ProposeChangeOrderRequest>,
) -> Result<wire::ProposeChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let canonical = wire::ProposeChangeOrderRequest { request_id: String::new(), ..request.clone() };
    let content = Fingerprint::of(&[&canonical.encode_to_vec()]);
    let request_id = request_id(&request.request_id)?;
    let order_id = order_id("order_id", &request.order_id)?;
    let proposal = Proposal {
        proposed: proposed(&request)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: optional("note", NOTE_LENGTH_MAX, &request.note)?,
        expires_at: orders.now().plus(valid_for(request.valid_seconds)?),
    };
    let counter_of = match request.counter_of.as_str() {
        "" => None,
        id => Some(ChangeOrderId::parse(id).map_err(|error| Refusal::from(error).field("counter_of"))?),
    };
    let view = orders.propose_change(&caller, request_id, order_id, proposal, counter_of, content).await?;
    Ok(wire::ProposeChangeOrderResponse { change_order: Some(shown(&view)) })
}

fn proposed(request: &wire::ProposeChangeOrderRequest) -> Result<Proposed, Refusal> {
    match wire::ChangeOrderType::try_from(request.r#type) {
        Ok(wire::ChangeOrderType::Unspecified) => Err(missing("type", "the type says what is proposed")),
        Ok(wire::ChangeOrderType::EditQuantity) => match request.lines.len() {
            0 => Err(missing("lines", "a change of quantities names at least one line")),
            1..=LINES_MAX => {
                let lines = request.lines.iter().enumerate().map(|(index, line)| proposed_line(index, line));
                lines.collect::<Result<_, _>>().map(Proposed::Quantities)
            }
            count => Err(too_many("lines", LINES_MAX, count)),
        },
        Ok(wire::ChangeOrderType::ShippingAdjust) => match request.shipping.len() {
            0 => Err(missing("shipping", "an adjustment names at least one delivery group")),
            1..=GROUPS_MAX => {
                let groups = request.shipping.iter().enumerate().map(|(index, group)| reversal(index, group));
                groups.collect::<Result<_, _>>().map(Proposed::Shipping)
            }
            count => Err(too_many("shipping", GROUPS_MAX, count)),
        },
        Ok(
            wire::ChangeOrderType::CancelOrder
            | wire::ChangeOrderType::CancelItems
            | wire::ChangeOrderType::AllEligible
            | wire::ChangeOrderType::RefundOnly
            | wire::ChangeOrderType::Withdrawal
            | wire::ChangeOrderType::Restore,
        ) => {
            let message =
                "EDIT_QUANTITY and SHIPPING_ADJUST are proposed; the others have an RPC of their own";
            Err(Refusal::new(Reason::FieldInvalid, message).field("type"))
        }
        Err(_) => Err(unknown_value("type", request.r#type)),
    }
}

fn proposed_line(index: usize, line: &wire::ProposedLine) -> Result<(LineKey, i64), Refusal> {
    let at = format!("lines[{index}]");
    let key = line_key(&at, &line.line_id, line.line_number)?;
    if line.new_quantity < 0 {
        let message = "no line is left with less than nothing";
        return Err(Refusal::new(Reason::QuantityOutOfRange, message).field(format!("{at}.new_quantity")));
    }
    Ok((key, line.new_quantity))
}

/// A charge can only be lowered by what is agreed; raising it would have to be paid first.
fn reversal(index: usize, given: &wire::ShippingReversalInput) -> Result<GroupReversal, Refusal> {
    let at = |field: &str| format!("shipping[{index}].{field}");
    if given.shipping_minor < 0 || given.shipping_tax_minor < 0 {
        let message = "a negative amount would raise the charge";
        return Err(Refusal::new(Reason::PriceIncreaseNotAllowed, message).field(at("shipping_minor")));
    }
    let reversal = GroupReversal {
        delivery_group: optional(&at("delivery_group"), GROUP_LENGTH_MAX, &given.delivery_group)?,
        shipping_minor: minor(&at("shipping_minor"), 0, given.shipping_minor)?,
        shipping_tax_minor: minor(&at("shipping_tax_minor"), 0, given.shipping_tax_minor)?,
    };
    if reversal.shipping_minor + reversal.shipping_tax_minor == 0 {
        return Err(missing(&at("shipping_minor"), "an adjustment takes something off"));
    }
    Ok(reversal)
}

fn valid_for(seconds: i64) -> Result<Duration, Refusal> {
    let refusal = || {
        let message = format!("a proposal may be answered for 1 to {VALID_SECONDS_MAX} seconds");
        Refusal::new(Reason::FieldInvalid, message).field("valid_seconds")
    };
    match u64::try_from(seconds).map_err(|_| refusal())? {
        0 => Ok(Duration::from_secs(VALID_SECONDS)),
        seconds @ 1..=VALID_SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => Err(refusal()),
    }
}
