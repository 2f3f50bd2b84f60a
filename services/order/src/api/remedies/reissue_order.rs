//! ReissueOrder: a new order with a new number, made of one that stays as it is.

use std::collections::BTreeMap;

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use tonic::Request;
use types::{Fingerprint, Reason, Refusal, UnitPrice};

use crate::api::convert::{
    missing, order_id, reference, request_id, required, too_many, unknown_value, wait,
};
use crate::api::orders::new_order::{LINES_MAX, SIDE_ROWS_MAX, each, external_payment, tender};
use crate::api::stating;
use crate::domain::reissue::{Prices, Reissue};
use crate::ops::Orders;
use crate::ops::use_cases::ReissueOrder;
use crate::wire::order;

const SKU_LENGTH_MAX: usize = 64;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ReissueOrderRequest>,
) -> Result<wire::ReissueOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let wish = wish(&request)?;
    stating::may_reissue(&caller, &wish)?;
    let made = orders.ask_for_order(&caller, request_id, ReissueOrder(wish), (wait, deadline)).await?;
    Ok(wire::ReissueOrderResponse { order: Some(order(&made)) })
}

fn wish(request: &wire::ReissueOrderRequest) -> Result<Reissue, Refusal> {
    if !request.copy_lines {
        return Err(missing("copy_lines", "an order is made again with the lines it had"));
    }
    let canonical = wire::ReissueOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Ok(Reissue {
        order_id: order_id("order_id", &request.order_id)?,
        prices: prices(request)?,
        tenders: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        external_payments: each(
            "external_payments",
            &request.external_payments,
            SIDE_ROWS_MAX,
            external_payment,
        )?,
        references: each("external_references", &request.external_references, SIDE_ROWS_MAX, reference)?,
        confirm_later: request.confirm_later,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

fn prices(request: &wire::ReissueOrderRequest) -> Result<Prices, Refusal> {
    match wire::ReissuePrices::try_from(request.prices) {
        Ok(wire::ReissuePrices::Unspecified | wire::ReissuePrices::Frozen) => {
            if request.current_prices.is_empty() {
                return Ok(Prices::Frozen);
            }
            let message = "prices of today are taken only where the prices of then are not";
            Err(Refusal::new(Reason::FieldInvalid, message).field("current_prices"))
        }
        Ok(wire::ReissuePrices::Current) => current(&request.current_prices).map(Prices::Current),
        Err(_) => Err(unknown_value("prices", request.prices)),
    }
}

fn current(given: &[wire::CurrentPrice]) -> Result<BTreeMap<String, UnitPrice>, Refusal> {
    if given.len() > LINES_MAX {
        return Err(too_many("current_prices", LINES_MAX, given.len()));
    }
    let mut by_sku = BTreeMap::new();
    for (index, price) in given.iter().enumerate() {
        let at = format!("current_prices[{index}]");
        let sku = required(&format!("{at}.sku"), SKU_LENGTH_MAX, &price.sku)?;
        let unit_price = UnitPrice::parse(&price.unit_price)
            .map_err(|error| Refusal::from(error).field(format!("{at}.unit_price")))?;
        if by_sku.insert(sku, unit_price).is_some() {
            let message = "an article has one price";
            return Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{at}.sku")));
        }
    }
    Ok(by_sku)
}
