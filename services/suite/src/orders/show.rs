//! `countermand order show`: lines, quantities, money and change orders.

use anyhow::Result;
use proto::order::v1::{ChangeOrder, ListChangeOrdersRequest, Order, PropagationTarget};
use proto::payment::v1::{GetMoneyPositionRequest, MoneyPosition};

use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

const CHANGES_SHOWN_MAX: i32 = 200;

pub async fn run(clients: &Clients, id_or_number: &str, json: bool) -> Result<()> {
    let order = super::find(clients, id_or_number).await?;
    let request = ListChangeOrdersRequest {
        page_size: CHANGES_SHOWN_MAX,
        order_id: order.order_id.clone(),
        ..ListChangeOrdersRequest::default()
    };
    let changes = clients.changes().list_change_orders(request).await?.into_inner().change_orders;
    let request = GetMoneyPositionRequest { order_id: order.order_id.clone() };
    // An order without any tender has no money account; it is shown without one.
    let position = clients
        .payments()
        .get_money_position(request)
        .await
        .ok()
        .and_then(|answer| answer.into_inner().position);
    if json {
        let changes = changes
            .iter()
            .map(|change| render::proto_json("countermand.order.v1.ChangeOrder", change))
            .collect::<Result<Vec<_>>>()?;
        let position =
            position.map(|it| render::proto_json("countermand.payment.v1.MoneyPosition", &it)).transpose()?;
        let order = render::proto_json("countermand.order.v1.Order", &order)?;
        return render::print_json(
            &serde_json::json!({ "order": order, "change_orders": changes, "money_position": position }),
        );
    }
    print_order(&order);
    if let Some(position) = &position {
        say!("\n{}", money_line(position));
    }
    if !order.propagation.is_empty() {
        say!("\n{}", render::heading("Carts and partners"));
        say!("{}", targets_table(&order.propagation));
    }
    if !changes.is_empty() {
        say!("\n{}", render::heading("Change orders"));
        say!("{}", changes_table(&changes));
    }
    Ok(())
}

pub fn print_order(order: &Order) {
    let state = render::short(order.state().as_str_name(), "ORDER_STATE_").to_owned();
    say!("{}  {}  {}", render::heading(&order.number), render::state(&state), render::dim(&order.order_id));
    if let Some(cause) = &order.placement_cause {
        say!("not placed: {} ({})", one_line(&cause.message), cause.reason);
    }
    if !order.change_in_progress.is_empty() {
        say!("held by change order {}", order.change_in_progress);
    }
    say!("\n{}", lines_table(order));
    let totals = order.totals.unwrap_or_default();
    let amount = |minor| render::money(&order.currency_code, minor);
    say!(
        "\nplaced {}   taken back {}   total now {}   owed to the customer {}",
        amount(totals.placed_minor),
        amount(totals.reversed_minor),
        amount(totals.total_minor),
        if totals.position_pending { "not told yet".to_owned() } else { amount(totals.refund_owed_minor) },
    );
    if order.awaits_payment_minor > 0 {
        let (missing, since) = (amount(order.awaits_payment_minor), &order.awaits_payment_since);
        say!("awaits {missing} since {since}; nothing ships before `countermand order pay {}`", order.number);
    }
}

/// Who was told of a cancellation, and what became of it.
pub fn targets_table(targets: &[PropagationTarget]) -> String {
    let rows = targets.iter().map(|target| {
        let side = if target.upstream { "cart" } else { "partner" };
        vec![
            side.to_owned(),
            target.target.clone(),
            target.external_number.clone(),
            render::state(render::short(target.state().as_str_name(), "PROPAGATION_STATE_")),
            target.method.clone(),
            target.detail.clone(),
        ]
    });
    render::table(&["side", "who", "its number", "state", "by", "what was heard"], &[], rows)
}

fn lines_table(order: &Order) -> String {
    let rows = order.lines.iter().map(|line| {
        let quantities = line.quantities.unwrap_or_default();
        let amounts = line.amounts.unwrap_or_default();
        vec![
            line.line_number.to_string(),
            line.sku.clone(),
            quantities.ordered.to_string(),
            quantities.open.to_string(),
            quantities.cancel_pending.to_string(),
            quantities.cancelled.to_string(),
            quantities.fulfilled.to_string(),
            render::money(&order.currency_code, amounts.goods_net),
            render::money(&order.currency_code, line.reversed_minor),
        ]
    });
    let header = ["line", "sku", "ordered", "open", "held", "cancelled", "shipped", "goods", "taken back"];
    render::table(&header, &[0, 2, 3, 4, 5, 6, 7, 8], rows)
}

pub fn changes_table(changes: &[ChangeOrder]) -> String {
    let rows = changes.iter().map(|change| {
        let amounts = change.amounts.unwrap_or_default();
        let refunds: Vec<String> = change
            .refunds
            .iter()
            .map(|refund| {
                let what = if refund.void_of_authorisation { "void" } else { "refund" };
                format!(
                    "{what} {} {}",
                    render::money(&change.currency_code, refund.amount_minor),
                    refund.state
                )
            })
            .collect();
        vec![
            change.number.clone(),
            render::short(change.r#type().as_str_name(), "CHANGE_ORDER_TYPE_").to_owned(),
            render::state(render::short(change.state().as_str_name(), "CHANGE_ORDER_STATE_")),
            change.lines.iter().map(|line| line.quantity).sum::<i64>().to_string(),
            render::money(&change.currency_code, amounts.amount_minor),
            refunds.join(", "),
            change.cause.as_ref().map_or_else(|| change.reason_code.clone(), |cause| cause.reason.clone()),
        ]
    });
    render::table(&["number", "type", "state", "units", "amount", "money", "reason"], &[3, 4], rows)
}

fn money_line(position: &MoneyPosition) -> String {
    let amount = |minor| render::money(&position.currency_code, minor);
    format!(
        "authorised {}   captured {}   refund reserved {}   in flight {}   confirmed {}   reversed {}",
        amount(position.authorised_minor),
        amount(position.captured_minor),
        amount(position.reserved_minor),
        amount(position.in_flight_minor),
        amount(position.confirmed_minor),
        amount(position.reversed_minor),
    )
}
