//! `countermand order pay-out`: what is owed goes to the customer.

use anyhow::{Context, Result};
use clap::Args;
use proto::common::v1::Wait;
use proto::order::v1::{
    Order, OwedPayOut, PayOutRequest, PreviewPayOutRequest, PreviewPayOutResponse, TenderRefundInput,
};
use proto::payment::v1::PayOutWay;
use types::Currency;

use super::{remedies, request_id};
use crate::amounts;
use crate::clients::Clients;
use crate::render;

pub const EXAMPLES: &str = "Examples:
  countermand order pay-out O-1 --preview
  countermand order pay-out O-1 --amount 12.50
  countermand order pay-out O-1 --tender pay_01…=12.50
  countermand order pay-out O-1 --by-hand \"transfer 4711\"";

#[derive(Debug, Args)]
pub struct PayOut {
    /// Order id (ord_…) or number.
    order: String,
    /// How much of it, in the order's currency; all that is owed and not on its way without it.
    #[arg(long, conflicts_with = "tenders")]
    amount: Option<String>,
    /// A tender (pay_…) and what it gives, as PAYMENT=AMOUNT; its other tenders then give nothing.
    #[arg(long = "tender", conflicts_with_all = ["store_credit", "by_hand"])]
    tenders: Vec<String>,
    /// As the order's store credit.
    #[arg(long, conflicts_with = "by_hand")]
    store_credit: bool,
    /// It is paid by a person: how, such as the number of the transfer.
    #[arg(long)]
    by_hand: Option<String>,
    /// Only show where it would come from.
    #[arg(long)]
    preview: bool,
    #[arg(long, default_value = "")]
    reason: String,
    #[arg(long, default_value = "")]
    note: String,
}

pub async fn run(clients: &Clients, wish: PayOut, json: bool) -> Result<()> {
    let order = super::find(clients, &wish.order).await?;
    let pay_out = Some(paid_out(&order, &wish)?);
    if wish.preview {
        let request = PreviewPayOutRequest { order_id: order.order_id.clone(), pay_out };
        let preview = clients.remedies().preview_pay_out(request).await?.into_inner();
        if json {
            let name = "countermand.order.v1.PreviewPayOutResponse";
            return render::print_json(&render::proto_json(name, &preview)?);
        }
        say!("{}", shown(&preview));
        return Ok(());
    }
    let request = PayOutRequest {
        request_id: request_id(),
        order_id: order.order_id,
        pay_out,
        reason_code: wish.reason,
        note: wish.note,
        wait: Wait::Completed.into(),
    };
    remedies::told(clients.remedies().pay_out(request).await?.into_inner().change_order, json)
}

fn paid_out(order: &Order, wish: &PayOut) -> Result<OwedPayOut> {
    let currency = Currency::parse(&order.currency_code)?;
    let amount = |text: &str| amounts::minor(currency, text);
    let way = match (&wish.by_hand, wish.store_credit) {
        (Some(_), _) => PayOutWay::ByHand,
        (None, true) => PayOutWay::StoreCredit,
        (None, false) => PayOutWay::Tenders,
    };
    let tenders = wish.tenders.iter().map(|text| {
        let (payment_id, given) =
            text.split_once('=').with_context(|| format!("{text:?} is not PAYMENT=AMOUNT"))?;
        Ok(TenderRefundInput { payment_id: payment_id.to_owned(), amount_minor: amount(given)? })
    });
    Ok(OwedPayOut {
        amount_minor: wish.amount.as_deref().map(amount).transpose()?.unwrap_or_default(),
        tenders: tenders.collect::<Result<_>>()?,
        way: way.into(),
        reference: wish.by_hand.clone().unwrap_or_default(),
    })
}

fn shown(preview: &PreviewPayOutResponse) -> String {
    let money = |minor| render::money(&preview.currency_code, minor);
    let mut lines = vec![format!("owed {}", money(preview.owed_minor))];
    lines.extend(
        preview
            .tenders
            .iter()
            .map(|tender| format!("{} from {}", money(tender.refund_minor), tender.payment_id)),
    );
    if preview.shortfall_minor > 0 {
        lines.push(format!("{} of it no tender can give", money(preview.shortfall_minor)));
    }
    lines.join("\n")
}
