//! `countermand events`: what happened to all orders, in one order that never changes.

use anyhow::{Context, Result};
use prost::Message as _;
use proto::events::v1::{MovedOrder, OrderFigures};
use proto::order::v1::{OrderEvent, SubscribeRequest};

use crate::clients::Clients;
use crate::say::one_line;
use crate::{orders, render};

pub struct Wish {
    pub follow: bool,
    pub from: Option<String>,
    pub order: Option<String>,
    pub types: Vec<String>,
}

pub async fn run(clients: &Clients, wish: Wish, json: bool) -> Result<()> {
    let order_id = match &wish.order {
        Some(order) => orders::find(clients, order).await?.order_id,
        None => String::new(),
    };
    let request = SubscribeRequest {
        resume_token: wish.from.unwrap_or_default(),
        order_id,
        types: wish.types,
        only_new: false,
        until_now: !wish.follow,
    };
    let mut stream = clients.events().subscribe(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        let event = message.event.context("the answer holds no event")?;
        if json {
            say_json!(event_json(&event, &message.resume_token)?);
        } else {
            say!("{}", one_line(&row(&event, &message.resume_token)?));
        }
    }
    Ok(())
}

fn row(event: &OrderEvent, token: &str) -> Result<String> {
    let at = event.time.get(..23).unwrap_or(&event.time).replace('T', " ");
    let kind = event.r#type.rsplit('.').next().unwrap_or_default();
    Ok(format!("{token}  {at}  {} #{}  {kind}{}", event.subject, event.sequence, moved(event)?))
}

/// What the order comes to, and the units that moved.
fn moved(event: &OrderEvent) -> Result<String> {
    let Some(movement) = MovedOrder::decode(event.data.as_slice())?.movement else {
        return Ok(String::new());
    };
    let total = |figures: &Option<OrderFigures>| {
        figures.as_ref().and_then(|figures| figures.totals).map_or(0, |totals| totals.total_minor)
    };
    let (before, after) = (total(&movement.before), total(&movement.after));
    let money = |minor| render::money(&movement.currency_code, minor);
    let total = if before == after {
        format!("  {}", money(after))
    } else {
        format!("  {} → {}", money(before), money(after))
    };
    let lines = movement.delta.map(|delta| delta.lines).unwrap_or_default();
    let units = lines.iter().filter_map(|line| {
        let units = line.quantities?;
        let named = [
            ("open", units.open),
            ("pending", units.cancel_pending),
            ("cancelled", units.cancelled),
            ("fulfilled", units.fulfilled),
            ("returned", units.returned),
        ];
        let parts: Vec<String> =
            named.iter().filter(|(_, by)| *by != 0).map(|(name, by)| format!("{name} {by:+}")).collect();
        Some(format!("  {}: {}", line.sku, parts.join(" ")))
    });
    Ok(units.fold(total, |text, line| text + &line))
}

fn event_json(event: &OrderEvent, token: &str) -> Result<serde_json::Value> {
    Ok(serde_json::json!({
        "specversion": event.spec_version,
        "id": event.id,
        "source": event.source,
        "type": event.r#type,
        "subject": event.subject,
        "time": event.time,
        "traceparent": event.trace_parent,
        "datacontenttype": "application/json",
        "sequence": event.sequence,
        "data": render::encoded_json(&event.r#type, &event.data)?,
        "resume_token": token,
    }))
}
