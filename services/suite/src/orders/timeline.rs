//! `countermand timeline`: what happened to an order, with who and why.

use anyhow::Result;
use proto::order::v1::{GetTimelineRequest, TimelineEntry, WatchTimelineRequest};

use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

const PAGE_SIZE: i32 = 200;

pub async fn run(clients: &Clients, id_or_number: &str, follow: bool, json: bool) -> Result<()> {
    let order = super::find(clients, id_or_number).await?;
    if follow {
        return follow_order(clients, order.order_id, json).await;
    }
    let entries = entries(clients, &order.order_id).await?;
    if json {
        let entries = entries.iter().map(entry_json).collect::<Result<Vec<_>>>()?;
        return render::print_json(&entries);
    }
    say!("{}", table(&entries));
    Ok(())
}

/// Every entry of the order, oldest first.
pub async fn entries(clients: &Clients, order_id: &str) -> Result<Vec<TimelineEntry>> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = GetTimelineRequest { order_id: order_id.to_owned(), page_size: PAGE_SIZE, page_token };
        let page = clients.orders().get_timeline(request).await?.into_inner();
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(entries);
        }
    }
}

pub fn table(entries: &[TimelineEntry]) -> String {
    render::table(&["#", "at", "who", "event", "what happened"], &[0], entries.iter().map(row))
}

async fn follow_order(clients: &Clients, order_id: String, json: bool) -> Result<()> {
    let request = WatchTimelineRequest { order_id, after_sequence: 0 };
    let mut stream = clients.orders().watch_timeline(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        let Some(entry) = message.entry else { continue };
        if json {
            say_json!(entry_json(&entry)?);
        } else {
            say!("{}", one_line(&row(&entry).join("  ")));
        }
    }
    Ok(())
}

fn row(entry: &TimelineEntry) -> Vec<String> {
    let actor = entry.actor.clone().unwrap_or_default();
    let who = if actor.role.is_empty() { actor.user } else { format!("{} ({})", actor.user, actor.role) };
    let mut what = entry.summary.clone();
    if !entry.reason_code.is_empty() {
        what = format!("{what} [{}]", entry.reason_code);
    }
    if !entry.note.is_empty() {
        what = format!("{what}: {}", entry.note);
    }
    // The date and the time to the millisecond are what a person compares.
    let at = entry.at.get(..23).unwrap_or(&entry.at).replace('T', " ");
    vec![entry.sequence.to_string(), at, who, entry.event.clone(), what]
}

fn entry_json(entry: &TimelineEntry) -> Result<serde_json::Value> {
    render::proto_json("countermand.order.v1.TimelineEntry", entry)
}
