//! How a new total would be given back. Clients ask on the public port, the order service on the internal one.

use kit::Failure;
use proto::payment::v1 as wire;
use types::{OrderId, Tenant};

use super::convert;
use crate::domain::Terms;
use crate::domain::account::Account;
use crate::domain::refund::Kind;
use crate::domain::split::{Form, Share};
use crate::ops::reads::Reads;
use crate::wire as reply;

pub async fn forecast(
    reads: &Reads,
    tenant: &Tenant,
    order_id: &str,
    new_total_minor: i64,
    terms: &Terms,
) -> Result<wire::ForecastRefundResponse, Failure> {
    let order_id = convert::id("order_id", order_id, OrderId::parse)?;
    let target = convert::amount("new_total_minor", new_total_minor)?;
    let account = reads.account(tenant, &order_id).await?;
    let (shares, shortfall_minor) = account.forecast(target, terms);
    Ok(wire::ForecastRefundResponse {
        currency_code: account.currency.code().to_owned(),
        legs: shares.into_iter().map(|share| leg(&account, share)).collect(),
        shortfall_minor,
    })
}

fn leg(account: &Account, share: Share) -> wire::RefundLeg {
    let kind = match share.form {
        Form::Authorised => Kind::Void,
        Form::InFlight | Form::Captured => Kind::Refund,
    };
    wire::RefundLeg {
        gateway: account
            .payments
            .get(&share.payment_id)
            .map_or_else(String::new, |paid| paid.gateway.clone()),
        payment_id: share.payment_id.to_string(),
        capture_id: share.capture_id.map(String::from).unwrap_or_default(),
        kind: reply::kind(kind).into(),
        amount_minor: share.amount_minor,
    }
}
