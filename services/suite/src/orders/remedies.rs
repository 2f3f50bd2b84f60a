//! `countermand order reissue|restore|refund|pay-out|propose|approve|decline|withdrawal`: what is done after a cancellation, or
//! instead of one.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use proto::common::v1::Wait;
use proto::order::v1::{
    ChangeOrder, ChangeOrderState, DeclineChangeOrderRequest, PayOrderRequest, RefundOrderRequest,
    ReissueOrderRequest, RequestWithdrawalRequest, RestoreOrderRequest,
};
use types::Currency;

use super::pay_out::{self, EXAMPLES as PAY_OUT_EXAMPLES, PayOut};
use super::proposals::{self, APPROVE_EXAMPLES, Approval, PROPOSE_EXAMPLES, Proposal};
use super::{request_id, show};
use crate::amounts::{self, WrittenTender};
use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

#[derive(Debug, Subcommand)]
pub enum RemedyVerb {
    /// Make a new order of another one, with the next number (-R1, -R2, …); the old one stays as it is.
    #[command(after_help = "Example:\n  countermand order reissue O-1 --tender sandbox:tok_approve=50.00")]
    Reissue {
        /// Order id (ord_…) or number.
        order: String,
        /// A payment, as GATEWAY:TOKEN=AMOUNT; together they come to the price.
        #[arg(long = "tender", value_parser = WrittenTender::parse)]
        tenders: Vec<WrittenTender>,
    },
    /// Pay what is missing of an order that was restored without tenders.
    Pay {
        /// Order id (ord_…) or number.
        order: String,
        /// A payment, as GATEWAY:TOKEN=AMOUNT; together they pay exactly what is missing.
        #[arg(long = "tender", required = true, value_parser = WrittenTender::parse)]
        tenders: Vec<WrittenTender>,
    },
    /// Bring a wholly cancelled order back.
    Restore {
        /// Order id (ord_…) or number.
        order: String,
        /// A payment, as GATEWAY:TOKEN=AMOUNT; together they pay what is missing. Without any, the order awaits it.
        #[arg(long = "tender", value_parser = WrittenTender::parse)]
        tenders: Vec<WrittenTender>,
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Give money back without taking units.
    Refund {
        /// Order id (ord_…) or number.
        order: String,
        /// In the order's currency, such as 2.00.
        #[arg(long, required_unless_present = "retry_of", conflicts_with = "retry_of")]
        amount: Option<String>,
        /// A refund (rfd_…) that failed: what is owed goes back by another way.
        #[arg(long)]
        retry_of: Option<String>,
        /// With --retry-of: the tender (pay_…) that gives it back; else the one that failed is tried last.
        #[arg(long, requires = "retry_of", default_value = "")]
        payment: String,
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Pay out what is owed: to its tenders, a named one, as store credit, or by hand.
    #[command(after_help = PAY_OUT_EXAMPLES)]
    PayOut(Box<PayOut>),
    /// Ask the other side for another quantity, other goods, a lower price or charge, or another address.
    #[command(after_help = PROPOSE_EXAMPLES)]
    Propose(Box<Proposal>),
    /// Agree to a proposal, or to a withdrawal.
    #[command(after_help = APPROVE_EXAMPLES)]
    Approve(Approval),
    /// Do not agree to a proposal, or to a withdrawal.
    Decline {
        /// Change order id (chg_…), or an order: then its latest change.
        change_order: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// A consumer's statutory withdrawal.
    Withdrawal {
        /// The order's number.
        number: String,
        /// The e-mail address that was given with the order.
        #[arg(long)]
        contact: String,
    },
}

pub async fn run(clients: &Clients, verb: RemedyVerb, json: bool) -> Result<()> {
    match verb {
        RemedyVerb::Reissue { order, tenders } => reissue(clients, &order, &tenders, json).await,
        RemedyVerb::Restore { order, tenders, reason, note } => {
            let order = super::find(clients, &order).await?;
            let request = RestoreOrderRequest {
                request_id: request_id(),
                tenders: amounts::tenders(&order.currency_code, &tenders)?,
                order_id: order.order_id,
                reason_code: reason,
                note,
                wait: Wait::Completed.into(),
            };
            told(clients.remedies().restore_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Pay { order, tenders } => {
            let order = super::find(clients, &order).await?;
            let request = PayOrderRequest {
                request_id: request_id(),
                tenders: amounts::tenders(&order.currency_code, &tenders)?,
                order_id: order.order_id,
                wait: Wait::Completed.into(),
            };
            told(clients.remedies().pay_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Refund { order, amount, retry_of, payment, reason, note } => {
            let order = super::find(clients, &order).await?;
            let currency = Currency::parse(&order.currency_code)?;
            let amount = amount.map(|amount| amounts::minor(currency, &amount)).transpose()?;
            let request = RefundOrderRequest {
                request_id: request_id(),
                order_id: order.order_id,
                amount_minor: amount.unwrap_or_default(),
                retry_of: retry_of.unwrap_or_default(),
                payment_id: payment,
                reason_code: reason,
                note,
                wait: Wait::Completed.into(),
            };
            told(clients.remedies().refund_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::PayOut(wish) => pay_out::run(clients, *wish, json).await,
        RemedyVerb::Propose(wish) => proposals::propose(clients, *wish, json).await,
        RemedyVerb::Approve(wish) => proposals::approve(clients, wish, json).await,
        RemedyVerb::Decline { change_order, note } => {
            let change_order_id = super::steering::find_change(clients, change_order).await?;
            let request = DeclineChangeOrderRequest { request_id: request_id(), change_order_id, note };
            told(clients.proposals().decline_change_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Withdrawal { number, contact } => withdrawal(clients, number, contact, json).await,
    }
}

async fn reissue(clients: &Clients, order: &str, tenders: &[WrittenTender], json: bool) -> Result<()> {
    let order = super::find(clients, order).await?;
    let request = ReissueOrderRequest {
        request_id: request_id(),
        tenders: amounts::tenders(&order.currency_code, tenders)?,
        order_id: order.order_id,
        copy_lines: true,
        wait: Wait::Completed.into(),
        ..ReissueOrderRequest::default()
    };
    let made = clients.remedies().reissue_order(request).await?.into_inner().order;
    let made = made.context("the answer holds no order")?;
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.Order", &made)?);
    }
    show::print_order(&made);
    Ok(())
}

async fn withdrawal(clients: &Clients, number: String, contact: String, json: bool) -> Result<()> {
    let request = RequestWithdrawalRequest {
        request_id: request_id(),
        order_number: number,
        client_contact: contact,
        note: String::new(),
    };
    let received = clients.proposals().request_withdrawal(request).await?.into_inner();
    if json {
        let name = "countermand.order.v1.RequestWithdrawalResponse";
        return render::print_json(&render::proto_json(name, &received)?);
    }
    say!("{}", received.acknowledgement);
    Ok(())
}

/// Shows what became of a change; one that was put back is an error to the caller's shell.
pub fn told(change: Option<ChangeOrder>, json: bool) -> Result<()> {
    let change = change.context("the answer holds no change order")?;
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.ChangeOrder", &change)?)?;
    } else {
        say!("{}", show::changes_table(std::slice::from_ref(&change)));
    }
    match (change.state(), &change.cause) {
        (ChangeOrderState::Rejected, Some(cause)) => {
            bail!("everything was put back: {} ({})", one_line(&cause.message), cause.reason)
        }
        _ => Ok(()),
    }
}

pub fn parse_line(text: &str) -> Result<(i64, i64), String> {
    let parsed = text.split_once('=').and_then(|(line, left)| Some((line.parse().ok()?, left.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=QUANTITY, such as 2=1"))
}
