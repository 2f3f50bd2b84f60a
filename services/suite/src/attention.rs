//! `countermand attention`: what needs a person, and that somebody has looked.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::order::v1::{AcknowledgeAttentionRequest, AttentionItem, ListAttentionItemsRequest};

use crate::clients::Clients;
use crate::{orders, render};

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Subcommand)]
pub enum AttentionVerb {
    /// Close an item that is done with once somebody has looked: one that lists AcknowledgeAttention.
    #[command(after_help = "Example:
  countermand attention acknowledge att_01m80ydvzfe17tvxr2wq003haa --note 'counted the shelf, nothing is missing'")]
    Acknowledge {
        /// The item's id, as `countermand attention` shows it.
        item: String,
        /// What was found or done; kept with the item and in the order's timeline.
        #[arg(long, default_value = "")]
        note: String,
    },
}

pub async fn run(clients: &Clients, verb: Option<AttentionVerb>, json: bool) -> Result<()> {
    match verb {
        None => list(clients, json).await,
        Some(AttentionVerb::Acknowledge { item, note }) => acknowledge(clients, item, note, json).await,
    }
}

async fn list(clients: &Clients, json: bool) -> Result<()> {
    let request = ListAttentionItemsRequest { page_size: PAGE_SIZE, ..ListAttentionItemsRequest::default() };
    let page = clients.operations().list_attention_items(request).await?.into_inner();
    if json {
        let name = "countermand.order.v1.ListAttentionItemsResponse";
        return render::print_json(&render::proto_json(name, &page)?);
    }
    if page.items.is_empty() {
        say!("Nothing needs attention.");
        return Ok(());
    }
    say!("{}", table(&page.items));
    if !page.next_page_token.is_empty() {
        say!("{}", render::dim("there are more; page through ListAttentionItems"));
    }
    Ok(())
}

async fn acknowledge(clients: &Clients, attention_id: String, note: String, json: bool) -> Result<()> {
    let request = AcknowledgeAttentionRequest { request_id: orders::request_id(), attention_id, note };
    let answer = clients.operations().acknowledge_attention(request).await?.into_inner();
    if json {
        let name = "countermand.order.v1.AcknowledgeAttentionResponse";
        return render::print_json(&render::proto_json(name, &answer)?);
    }
    let item = answer.item.context("the answer holds no item")?;
    say!("{} {} {} is closed.", item.attention_id, item.subject_type, item.subject_id);
    Ok(())
}

fn table(items: &[AttentionItem]) -> String {
    let rows = items.iter().map(|item| {
        let cause = item.cause.clone().unwrap_or_default();
        vec![
            item.attention_id.clone(),
            item.opened_at.clone(),
            format!("{} {}", item.subject_type, item.subject_id),
            cause.reason,
            cause.message,
            item.allowed_actions.join(", "),
        ]
    });
    render::table(&["item", "since", "about", "cause", "what happened", "you may"], &[], rows)
}
