//! Puts what is broken on the attention list of the order service, and takes off it what is sound again.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use proto::order::v1::{Finding as Told, ListAttentionItemsRequest, RaiseFindingsRequest};
use types::{Clock, EventId, Ids, text};

use super::books::PAGE_SIZE;
use super::report::Report;
use super::{PATIENCE, Which};
use crate::clients::Clients;

/// The subject of the items that this makes.
const SUBJECT: &str = "books";
/// Findings and sound items of one call.
const AT_ONCE: usize = 100;
/// What an item shows of its rows.
const ROW_LENGTH_MAX: usize = 500;

/// Each equation that an order breaks becomes an item, once; raising it again changes nothing.
pub async fn raise(clients: &Clients, report: &Report, which: &Which) -> Result<()> {
    let found = findings(report);
    let sound = match which {
        Which::All => sound(clients, &found, report, "").await?,
        Which::One(order_id) => sound(clients, &found, report, order_id).await?,
        // Which orders were looked at is not known here.
        Which::ChangedSince(_) => Vec::new(),
    };
    let ids = Ids::random(Clock::System);
    let told: Vec<Told> = found.into_values().collect();
    let calls = told.len().max(sound.len()).div_ceil(AT_ONCE);
    for nth in 0..calls {
        let request = RaiseFindingsRequest {
            request_id: ids.mint::<EventId>().to_string(),
            findings: told.iter().skip(nth * AT_ONCE).take(AT_ONCE).cloned().collect(),
            sound_subject_ids: sound.iter().skip(nth * AT_ONCE).take(AT_ONCE).cloned().collect(),
        };
        let call = async || clients.operations().raise_findings(request.clone()).await;
        PATIENCE.call(call).await.context("putting what is broken on the attention list")?;
    }
    Ok(())
}

/// By equation and order, with the name that their item has.
fn findings(report: &Report) -> BTreeMap<String, Told> {
    let mut found: BTreeMap<String, Told> = BTreeMap::new();
    for broken in report.broken() {
        for finding in &broken.findings {
            let subject = subject(broken.equation.id, &finding.order_id);
            let told = found.entry(subject.clone()).or_insert_with(|| Told {
                subject_id: subject,
                equation: format!("{} {}", broken.equation.id, broken.equation.says),
                order_id: finding.order_id.clone(),
                rows: 0,
                row: shown(&finding.row),
            });
            told.rows += 1;
        }
    }
    found
}

/// A row may hold what somebody has written; the list takes one line of characters that are seen.
fn shown(row: &str) -> String {
    let is_seen = |character: &char| text::is_plain(character.encode_utf8(&mut [0; 4]));
    row.chars().filter(is_seen).take(ROW_LENGTH_MAX).collect()
}

fn subject(equation: &str, order_id: &str) -> String {
    if order_id.is_empty() { equation.to_owned() } else { format!("{equation}/{order_id}") }
}

/// Open items of earlier times whose cause is gone, of one order or of all.
async fn sound(
    clients: &Clients,
    found: &BTreeMap<String, Told>,
    report: &Report,
    order_id: &str,
) -> Result<Vec<String>> {
    let (mut page_token, mut sound) = (String::new(), Vec::new());
    loop {
        let request = ListAttentionItemsRequest { page_size: PAGE_SIZE, page_token, include_closed: false };
        let call = async || clients.operations().list_attention_items(request.clone()).await;
        let page = PATIENCE.call(call).await.context("reading the attention list")?;
        let gone = page.items.into_iter().filter(|item| {
            item.subject_type == SUBJECT
                && !found.contains_key(&item.subject_id)
                && !report.is_in_flight(&item.order_id)
                && (order_id.is_empty() || item.order_id == order_id)
        });
        sound.extend(gone.map(|item| item.subject_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(sound);
        }
    }
}
