//! `countermand order confirm|process|withdraw|watch`: small moves of an order, and of a change that is under way.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::order::v1::{
    ChangeOrder, ConfirmOrderRequest, GetChangeOrderRequest, ListChangeOrdersRequest, StartProcessingRequest,
    WatchChangeOrderRequest, WithdrawChangeOrderRequest,
};

use super::{request_id, show};
use crate::clients::Clients;
use crate::render;

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Subcommand)]
pub enum SteeringVerb {
    /// Confirm an order that was placed PENDING.
    Confirm {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// Record that work on an order has begun.
    Process {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// Take a change back that is not decided yet.
    #[command(
        after_help = "Example:\n  countermand order withdraw chg_01… --note 'the customer called again'"
    )]
    Withdraw {
        /// Change order id (chg_…), or an order: then its latest change.
        change_order: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Follow a change step by step, to its end.
    Watch {
        /// Change order id (chg_…), or an order: then its latest change.
        change_order: String,
        /// Go on when it is final: a refund may fail later, or its last exception be settled.
        #[arg(long)]
        follow: bool,
    },
    /// Explain a change: its lines, and what each gives back.
    Explain {
        /// Change order id (chg_…), or an order: then its latest change.
        change_order: String,
    },
}

pub async fn run(clients: &Clients, verb: SteeringVerb, json: bool) -> Result<()> {
    match verb {
        SteeringVerb::Confirm { order } => {
            let order_id = super::find(clients, &order).await?.order_id;
            let request = ConfirmOrderRequest { request_id: request_id(), order_id };
            told(clients.orders().confirm_order(request).await?.into_inner().order, json)
        }
        SteeringVerb::Process { order } => {
            let order_id = super::find(clients, &order).await?.order_id;
            let request = StartProcessingRequest { request_id: request_id(), order_id };
            told(clients.orders().start_processing(request).await?.into_inner().order, json)
        }
        SteeringVerb::Withdraw { change_order, note } => {
            let change_order_id = find_change(clients, change_order).await?;
            let request = WithdrawChangeOrderRequest { request_id: request_id(), change_order_id, note };
            let change = clients.changes().withdraw_change_order(request).await?.into_inner().change_order;
            shown(&change.context("the answer holds no change order")?, json)
        }
        SteeringVerb::Watch { change_order, follow } => {
            watch(clients, find_change(clients, change_order).await?, follow, json).await
        }
        SteeringVerb::Explain { change_order } => {
            let request =
                GetChangeOrderRequest { change_order_id: find_change(clients, change_order).await? };
            let change = clients.changes().get_change_order(request).await?.into_inner().change_order;
            let change = change.context("the answer holds no change order")?;
            if json {
                return shown(&change, true);
            }
            say!("{}", explained(&change));
            Ok(())
        }
    }
}

/// The id that was given, or that of the order's latest change.
pub async fn find_change(clients: &Clients, change_or_order: String) -> Result<String> {
    if change_or_order.starts_with("chg_") {
        return Ok(change_or_order);
    }
    let order = super::find(clients, &change_or_order).await?;
    let mut request = ListChangeOrdersRequest {
        order_id: order.order_id,
        page_size: PAGE_SIZE,
        ..ListChangeOrdersRequest::default()
    };
    let mut latest = None;
    loop {
        let page = clients.changes().list_change_orders(request.clone()).await?.into_inner();
        latest = page.change_orders.into_iter().last().or(latest);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let latest = latest.with_context(|| format!("order {} has no change", order.number))?;
    Ok(latest.change_order_id)
}

fn told(order: Option<proto::order::v1::Order>, json: bool) -> Result<()> {
    let order = order.context("the answer holds no order")?;
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.Order", &order)?);
    }
    show::print_order(&order);
    Ok(())
}

fn shown(change: &ChangeOrder, json: bool) -> Result<()> {
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ChangeOrder", change)?);
    }
    say!("{}", show::changes_table(std::slice::from_ref(change)));
    Ok(())
}

/// One line a version, until the change is final; then the change.
async fn watch(clients: &Clients, change_order_id: String, follow: bool, json: bool) -> Result<()> {
    let request = WatchChangeOrderRequest { change_order_id, after_version: 0, with_steps: true, follow };
    let mut stream = clients.changes().watch_change_order(request).await?.into_inner();
    let mut last = None;
    while let Some(message) = stream.message().await? {
        let Some(change) = message.change_order else { continue };
        if json {
            say_json!(render::proto_json("countermand.order.v1.ChangeOrder", &change)?);
        } else {
            let state = render::short(change.state().as_str_name(), "CHANGE_ORDER_STATE_").to_owned();
            let (done, total) = (change.steps_done, change.steps_total);
            say!("step {done} of {total}  {}  {}", render::state(&state), change.current_step);
        }
        last = Some(change);
    }
    match last {
        Some(change) if !json => shown(&change, false),
        Some(_) | None => Ok(()),
    }
}

fn explained(change: &ChangeOrder) -> String {
    let amount = |minor| render::money(&change.currency_code, minor);
    let rows = change.lines.iter().map(|line| {
        let parts = line.parts.unwrap_or_default();
        let why = if line.explain.is_empty() { line.note.clone() } else { line.explain.clone() };
        vec![
            line.line_number.to_string(),
            line.sku.clone(),
            line.quantity.to_string(),
            amount(parts.amount_minor),
            line.reason_code.clone(),
            why,
        ]
    });
    let lines = render::table(&["line", "sku", "units", "gives back", "reason", "note"], &[0, 2, 3], rows);
    let mut text = format!("{}\n\n{lines}", show::changes_table(std::slice::from_ref(change)));
    if !change.propagation.is_empty() {
        text = format!("{text}\n\n{}", show::targets_table(&change.propagation));
    }
    let facts = [
        ("came in by", render::short(change.channel().as_str_name(), "CHANNEL_").to_lowercase()),
        ("stage", change.stage.clone()),
        ("policy", format!("{}, rule {}", change.policy_version, change.rule_id)),
        ("allowed by", change.granted_by.clone()),
        ("fee", change.fee_rule.clone()),
    ];
    for (name, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
        text = format!("{text}\n{}{fact}", render::dim(&format!("{name:12}")));
    }
    text
}
