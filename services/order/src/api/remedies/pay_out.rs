//! PayOut and its preview: what is owed goes to the customer.

use kit::{Deadline, Failure, Principal};
use prost::Message as _;
use proto::order::v1 as wire;
use proto::payment::v1::PayOutWay as Wire;
use tonic::{Request, Status};
use types::{Fingerprint, PaymentId, Reason, Refusal};

use crate::api::changes::{forecast_tenders, shown};
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, minor, missing, optional, order_id, request_id,
    required, unknown_value, wait,
};
use crate::domain::change::{MoneyTerms, PayOut, PayOutWay, TenderRefund};
use crate::domain::lifecycle::{Given, RefundRequest};
use crate::domain::policy::TenderStrategy;
use crate::ops::{Orders, plans, use_cases};

/// Tenders that can be named: as many as an order has.
const NAMED_MAX: usize = 64;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::PayOutRequest>,
) -> Result<wire::PayOutResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let deadline = Deadline::of(&request);
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let wait = wait(request.wait)?;
    let pay_out = use_cases::PayOut(parsed(&request)?);
    let view = orders.ask_for_change(&caller, request_id, pay_out, (wait, deadline)).await?;
    Ok(wire::PayOutResponse { change_order: Some(shown(&view)) })
}

pub async fn preview(
    orders: &Orders,
    request: Request<wire::PreviewPayOutRequest>,
) -> Result<wire::PreviewPayOutResponse, Status> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let order_id = order_id("order_id", &request.order_id).map_err(Failure::from)?;
    let (pay_out, tenders) = how(request.pay_out.as_ref()).map_err(Failure::from)?;
    let order = orders.get_order(&caller, &order_id).await?;
    let strategy = if tenders.is_empty() { TenderStrategy::Lifo } else { TenderStrategy::Explicit };
    let money = MoneyTerms { strategy, ..MoneyTerms::default() };
    let worth = (order.total_minor() + order.fees_minor).max(0);
    let mut asked = plans::forecast(&order.order_id, worth, &money, &tenders);
    asked.pay_out = Some(plans::paid_out(&pay_out));
    let forecast = orders.forecast_refund(&caller, asked).await?;
    Ok(wire::PreviewPayOutResponse {
        currency_code: order.currency.to_string(),
        owed_minor: order.owed().minor,
        tenders: forecast_tenders(&forecast),
        shortfall_minor: forecast.shortfall_minor,
    })
}

fn parsed(request: &wire::PayOutRequest) -> Result<RefundRequest, Refusal> {
    let canonical = wire::PayOutRequest { request_id: String::new(), wait: 0, ..request.clone() };
    let (pay_out, tenders) = how(request.pay_out.as_ref())?;
    Ok(RefundRequest {
        order_id: order_id("order_id", &request.order_id)?,
        what: Given::Owed { pay_out, tenders },
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: optional("note", NOTE_LENGTH_MAX, &request.note)?,
        content: Fingerprint::of(&[&canonical.encode_to_vec()]),
    })
}

fn how(given: Option<&wire::OwedPayOut>) -> Result<(PayOut, Vec<TenderRefund>), Refusal> {
    let given = given.ok_or_else(|| missing("pay_out", "what is to be paid out is missing"))?;
    let way = match Wire::try_from(given.way) {
        Ok(Wire::Unspecified | Wire::Tenders) => PayOutWay::Tenders,
        Ok(Wire::StoreCredit) => PayOutWay::StoreCredit,
        Ok(Wire::ByHand) => PayOutWay::ByHand,
        Err(_) => return Err(unknown_value("pay_out.way", given.way)),
    };
    let refuse = |field: &str, message: &str| Err(Refusal::new(Reason::FieldInvalid, message).field(field));
    if !given.tenders.is_empty() && (way != PayOutWay::Tenders || given.amount_minor != 0) {
        let message = "tenders are named with what each gives, and for TENDERS only";
        return refuse("pay_out.tenders", message);
    }
    if given.tenders.len() > NAMED_MAX {
        return refuse("pay_out.tenders", "more tenders than an order has");
    }
    let reference = match way {
        PayOutWay::ByHand => required("pay_out.reference", REFERENCE_LENGTH_MAX, &given.reference)?,
        PayOutWay::Tenders | PayOutWay::StoreCredit if !given.reference.is_empty() => {
            return refuse("pay_out.reference", "only what is paid by hand has a reference");
        }
        PayOutWay::Tenders | PayOutWay::StoreCredit => String::new(),
    };
    let amount = minor("pay_out.amount_minor", 0, given.amount_minor)?;
    let tenders = given.tenders.iter().enumerate().map(tender).collect::<Result<_, _>>()?;
    Ok((PayOut { amount_minor: (amount > 0).then_some(amount), way, reference }, tenders))
}

fn tender((index, given): (usize, &wire::TenderRefundInput)) -> Result<TenderRefund, Refusal> {
    let at = |field: &str| format!("pay_out.tenders[{index}].{field}");
    let payment_id = PaymentId::parse(&given.payment_id);
    Ok(TenderRefund {
        payment_id: payment_id.map_err(|error| Refusal::from(error).field(at("payment_id")))?,
        amount_minor: minor(&at("amount_minor"), 1, given.amount_minor)?,
    })
}
