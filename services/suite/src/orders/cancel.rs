//! `countermand order cancel`: preview, submit, watch until it is done.

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use proto::common::v1::Wait;
use proto::order::v1::{
    ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderState, ChangeOrderType, OrderState,
    PreviewChangeOrderRequest, PreviewChangeOrderResponse, Settlement, SubmitChangeOrderRequest,
    WatchChangeOrderRequest,
};

use super::show;
use crate::clients::Clients;
use crate::render;

/// What the person asked for.
pub struct Wish<'a> {
    pub order: &'a str,
    /// (line number, quantity); the whole order when empty.
    pub lines: &'a [(i64, i64)],
    pub reason: &'a str,
    pub note: &'a str,
    pub settlement: Settlement,
    pub preview: bool,
    pub request_id: Option<String>,
}

pub async fn run(clients: &Clients, wish: Wish<'_>, json: bool) -> Result<()> {
    let order = super::find(clients, wish.order).await?;
    let placing = order.state() == OrderState::Placing;
    let change = change_input(order.order_id, &wish);
    if wish.preview {
        let preview = preview(clients, &change).await?;
        return if json {
            render::print_json(&render::proto_json(
                "countermand.order.v1.PreviewChangeOrderResponse",
                &preview,
            )?)
        } else {
            say!("{}", preview_table(&preview));
            say!("\nNothing was changed. Leave --preview out to do it.");
            Ok(())
        };
    }
    // An order that is still being placed has no prices to bind a quote to: all of it is called off, for nothing was paid.
    let quote_id = if placing { String::new() } else { preview(clients, &change).await?.quote_id };
    let request = SubmitChangeOrderRequest {
        request_id: wish
            .request_id
            .unwrap_or_else(|| types::Ids::random(types::Clock::System).mint::<types::EventId>().to_string()),
        change: Some(change),
        quote_id,
        wait: Wait::Unspecified.into(),
    };
    let submitted = clients.changes().submit_change_order(request).await?.into_inner();
    let submitted = submitted.change_order.context("the answer holds no change order")?;
    let finished = watch(clients, submitted, json).await?;
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.ChangeOrder", &finished)?)?;
    } else {
        say!("{}", show::changes_table(std::slice::from_ref(&finished)));
    }
    match (finished.state(), &finished.cause) {
        (ChangeOrderState::Rejected, Some(cause)) => {
            bail!("nothing was cancelled, everything was put back: {} ({})", cause.message, cause.reason)
        }
        _ => Ok(()),
    }
}

async fn preview(clients: &Clients, change: &ChangeInput) -> Result<PreviewChangeOrderResponse> {
    let request = PreviewChangeOrderRequest { change: Some(change.clone()) };
    Ok(clients.changes().preview_change_order(request).await?.into_inner())
}

fn change_input(order_id: String, wish: &Wish<'_>) -> ChangeInput {
    let kind =
        if wish.lines.is_empty() { ChangeOrderType::CancelOrder } else { ChangeOrderType::CancelItems };
    let line =
        |&(line_number, quantity)| ChangeLineInput { line_number, quantity, ..ChangeLineInput::default() };
    ChangeInput {
        order_id,
        r#type: kind.into(),
        lines: wish.lines.iter().map(line).collect(),
        settlement: wish.settlement.into(),
        reason_code: wish.reason.to_owned(),
        note: wish.note.to_owned(),
        ..ChangeInput::default()
    }
}

/// Shows step k of n until the change is final. Steps after the decision may take long: a person may stop watching.
async fn watch(clients: &Clients, submitted: ChangeOrder, json: bool) -> Result<ChangeOrder> {
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(1) };
    bar.set_style(
        ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}").expect("the template is a constant"),
    );
    let request =
        WatchChangeOrderRequest { change_order_id: submitted.change_order_id.clone(), after_version: 0 };
    let mut stream = clients.changes().watch_change_order(request).await?.into_inner();
    let mut latest = submitted;
    while let Some(message) = stream.message().await? {
        let Some(change) = message.change_order else { continue };
        bar.set_length(change.steps_total.max(1).unsigned_abs().into());
        bar.set_position(change.steps_done.max(0).unsigned_abs().into());
        bar.set_message(change.current_step.clone());
        latest = change;
    }
    bar.finish_and_clear();
    Ok(latest)
}

fn preview_table(preview: &PreviewChangeOrderResponse) -> String {
    let amount = |minor| render::money(&preview.currency_code, minor);
    let rows = preview.lines.iter().map(|line| {
        let parts = line.parts.unwrap_or_default();
        vec![
            line.line_number.to_string(),
            line.sku.clone(),
            line.quantity.to_string(),
            amount(parts.gross_minor),
            amount(parts.discount_minor),
            amount(parts.tax_minor),
            amount(parts.amount_minor),
        ]
    });
    let table = render::table(
        &["line", "sku", "units", "gross", "discount", "tax", "gives back"],
        &[0, 2, 3, 4, 5, 6],
        rows,
    );
    let parts = preview.amounts.unwrap_or_default();
    format!(
        "{table}\n\nshipping {}   gives back {}   total {} -> {}",
        amount(parts.shipping_minor + parts.shipping_tax_minor),
        amount(parts.amount_minor),
        amount(preview.total_before_minor),
        amount(preview.total_after_minor),
    )
}
