//! `countermand order reissue|restore|refund|propose|approve|decline|withdrawal`: what is done after a cancellation, or
//! instead of one.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use proto::common::v1::Wait;
use proto::order::v1::{
    ApproveChangeOrderRequest, ChangeOrder, ChangeOrderState, ChangeOrderType, DeclineChangeOrderRequest,
    ProposeChangeOrderRequest, ProposedLine, RefundOrderRequest, ReissueOrderRequest,
    RequestWithdrawalRequest, RestoreOrderRequest, ShippingReversalInput, TenderInput,
};

use super::{request_id, show};
use crate::clients::Clients;
use crate::render;

#[derive(Debug, Subcommand)]
pub enum RemedyVerb {
    /// Make a new order of another one, with the next number (-R1, -R2, …); the old one stays as it is.
    #[command(after_help = "Example:\n  countermand order reissue O-1 --tender sandbox:tok_approve=5000")]
    Reissue {
        /// Order id (ord_…) or number.
        order: String,
        /// A payment, as GATEWAY:TOKEN=MINOR-UNITS; together they come to the price.
        #[arg(long = "tender", value_parser = parse_tender)]
        tenders: Vec<TenderInput>,
    },
    /// Bring a wholly cancelled order back.
    Restore {
        /// Order id (ord_…) or number.
        order: String,
        /// A payment, as GATEWAY:TOKEN=MINOR-UNITS; together they pay what is missing.
        #[arg(long = "tender", value_parser = parse_tender)]
        tenders: Vec<TenderInput>,
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Give money back without taking units.
    Refund {
        /// Order id (ord_…) or number.
        order: String,
        /// Minor units of the order's currency.
        #[arg(long, required_unless_present = "retry_of", conflicts_with = "retry_of")]
        amount: Option<i64>,
        /// A refund (rfd_…) that failed: what is owed goes back by another way.
        #[arg(long)]
        retry_of: Option<String>,
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Ask the other side for fewer units, or for a lower delivery charge.
    #[command(after_help = "Examples:
  countermand order propose O-1 --line 2=1 --note 'one is cracked'
  countermand order propose O-1 --shipping 150")]
    Propose {
        /// Order id (ord_…) or number.
        order: String,
        /// A line number and what is to be left of it, as 2=1.
        #[arg(long = "line", value_parser = parse_line, conflicts_with = "shipping")]
        lines: Vec<(i64, i64)>,
        /// Minor units off the delivery charge.
        #[arg(long, required_unless_present = "lines")]
        shipping: Option<i64>,
        /// The delivery group whose charge it is.
        #[arg(long, default_value = "")]
        group: String,
        #[arg(long, default_value = "")]
        note: String,
        /// Seconds in which it may be answered; three days when not given.
        #[arg(long, default_value_t = 0)]
        valid: i64,
        /// The other side's proposal (chg_…) that this one answers.
        #[arg(long, default_value = "")]
        counter_of: String,
    },
    /// Agree to a proposal, or to a withdrawal.
    Approve {
        /// Change order id (chg_…).
        change_order: String,
    },
    /// Do not agree to a proposal, or to a withdrawal.
    Decline {
        /// Change order id (chg_…).
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
        RemedyVerb::Reissue { order, tenders } => reissue(clients, &order, tenders, json).await,
        RemedyVerb::Restore { order, tenders, reason, note } => {
            let request = RestoreOrderRequest {
                request_id: request_id(),
                order_id: super::find(clients, &order).await?.order_id,
                tenders,
                reason_code: reason,
                note,
                wait: Wait::Completed.into(),
            };
            told(clients.remedies().restore_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Refund { order, amount, retry_of, reason, note } => {
            let request = RefundOrderRequest {
                request_id: request_id(),
                order_id: super::find(clients, &order).await?.order_id,
                amount_minor: amount.unwrap_or_default(),
                retry_of: retry_of.unwrap_or_default(),
                reason_code: reason,
                note,
                wait: Wait::Completed.into(),
            };
            told(clients.remedies().refund_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Propose { order, lines, shipping, group, note, valid, counter_of } => {
            let order_id = super::find(clients, &order).await?.order_id;
            let proposed = proposed(&lines, shipping, group);
            let request = ProposeChangeOrderRequest {
                request_id: request_id(),
                order_id,
                note,
                valid_seconds: valid,
                counter_of,
                ..proposed
            };
            told(clients.proposals().propose_change_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Approve { change_order } => {
            let request = ApproveChangeOrderRequest {
                request_id: request_id(),
                change_order_id: change_order,
                wait: Wait::Completed.into(),
            };
            told(clients.proposals().approve_change_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Decline { change_order, note } => {
            let request =
                DeclineChangeOrderRequest { request_id: request_id(), change_order_id: change_order, note };
            told(clients.proposals().decline_change_order(request).await?.into_inner().change_order, json)
        }
        RemedyVerb::Withdrawal { number, contact } => withdrawal(clients, number, contact, json).await,
    }
}

async fn reissue(clients: &Clients, order: &str, tenders: Vec<TenderInput>, json: bool) -> Result<()> {
    let request = ReissueOrderRequest {
        request_id: request_id(),
        order_id: super::find(clients, order).await?.order_id,
        copy_lines: true,
        tenders,
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

fn proposed(
    lines: &[(i64, i64)],
    shipping: Option<i64>,
    delivery_group: String,
) -> ProposeChangeOrderRequest {
    if let Some(shipping_minor) = shipping {
        return ProposeChangeOrderRequest {
            r#type: ChangeOrderType::ShippingAdjust.into(),
            shipping: vec![ShippingReversalInput { delivery_group, shipping_minor, shipping_tax_minor: 0 }],
            ..ProposeChangeOrderRequest::default()
        };
    }
    let line = |&(line_number, new_quantity): &(i64, i64)| ProposedLine {
        line_id: String::new(),
        line_number,
        new_quantity,
    };
    ProposeChangeOrderRequest {
        r#type: ChangeOrderType::EditQuantity.into(),
        lines: lines.iter().map(line).collect(),
        ..ProposeChangeOrderRequest::default()
    }
}

/// Shows what became of a change; one that was put back is an error to the caller's shell.
fn told(change: Option<ChangeOrder>, json: bool) -> Result<()> {
    let change = change.context("the answer holds no change order")?;
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.ChangeOrder", &change)?)?;
    } else {
        say!("{}", show::changes_table(std::slice::from_ref(&change)));
    }
    match (change.state(), &change.cause) {
        (ChangeOrderState::Rejected, Some(cause)) => {
            bail!("everything was put back: {} ({})", cause.message, cause.reason)
        }
        _ => Ok(()),
    }
}

fn parse_tender(text: &str) -> Result<TenderInput, String> {
    let parsed = text.split_once(':').and_then(|(gateway, rest)| {
        let (token, amount) = rest.rsplit_once('=')?;
        Some(TenderInput {
            gateway: gateway.to_owned(),
            payment_token: token.to_owned(),
            amount_minor: amount.parse().ok()?,
            capture_now: true,
        })
    });
    parsed.ok_or_else(|| {
        format!("\"{text}\" is not GATEWAY:TOKEN=MINOR-UNITS, such as sandbox:tok_approve=5000")
    })
}

fn parse_line(text: &str) -> Result<(i64, i64), String> {
    let parsed = text.split_once('=').and_then(|(line, left)| Some((line.parse().ok()?, left.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=QUANTITY, such as 2=1"))
}
