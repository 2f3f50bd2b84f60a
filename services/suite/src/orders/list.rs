//! `countermand order list` and `countermand attention`.

use anyhow::Result;
use proto::order::v1::{ListAttentionItemsRequest, ListOrdersRequest};

use crate::clients::Clients;
use crate::render;

pub async fn orders(clients: &Clients, limit: i32, json: bool) -> Result<()> {
    let request = ListOrdersRequest { page_size: limit, ..ListOrdersRequest::default() };
    let page = clients.orders().list_orders(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListOrdersResponse", &page)?);
    }
    if page.orders.is_empty() {
        say!(
            "There are no orders yet. Place some with `countermand replay FILE`, or try `countermand demo`."
        );
        return Ok(());
    }
    let rows = page.orders.iter().map(|order| {
        vec![
            order.number.clone(),
            render::state(render::short(order.state().as_str_name(), "ORDER_STATE_")),
            order.line_count.to_string(),
            order.units_ordered.to_string(),
            order.units_cancelled.to_string(),
            render::money(&order.currency_code, order.totals.map_or(0, |totals| totals.total_minor)),
            order.order_id.clone(),
        ]
    });
    say!(
        "{}",
        render::table(
            &["number", "state", "lines", "units", "cancelled", "total", "id"],
            &[2, 3, 4, 5],
            rows
        )
    );
    if !page.next_page_token.is_empty() {
        say!("{}", render::dim("there are more; ask for more with --limit, or page through ListOrders"));
    }
    Ok(())
}

pub async fn attention(clients: &Clients, json: bool) -> Result<()> {
    let request = ListAttentionItemsRequest { page_size: 200, ..ListAttentionItemsRequest::default() };
    let page = clients.operations().list_attention_items(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json(
            "countermand.order.v1.ListAttentionItemsResponse",
            &page,
        )?);
    }
    if page.items.is_empty() {
        say!("Nothing needs attention.");
        return Ok(());
    }
    let rows = page.items.iter().map(|item| {
        let cause = item.cause.clone().unwrap_or_default();
        vec![
            item.opened_at.clone(),
            format!("{} {}", item.subject_type, item.subject_id),
            cause.reason,
            cause.message,
            item.allowed_actions.join(", "),
        ]
    });
    say!("{}", render::table(&["since", "about", "cause", "what happened", "you may"], &[], rows));
    Ok(())
}
