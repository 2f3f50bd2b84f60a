//! `countermand order cancel`: preview, submit, watch until it is done.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use proto::common::v1::Wait;
use proto::order::v1::{
    BundleChildInput, ChangeInput, ChangeLineInput, ChangeOrder, ChangeOrderState, ChangeOrderType, Channel,
    LabelAction, Order, OrderState, PreviewChangeOrderRequest, PreviewChangeOrderResponse, Settlement,
    SubmitChangeOrderRequest, WatchChangeOrderRequest,
};

use super::show;
use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

/// What the person asked for.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Wish {
    /// Order id (ord_…) or number.
    order: String,
    /// A line number or a SKU, and a quantity, as 2=3 or TEAPOT=3; the whole order when none is given.
    #[arg(long = "line", value_parser = parse_line, conflicts_with = "all_eligible")]
    lines: Vec<(String, i64)>,
    /// Everything that can be cancelled; what cannot stays and is listed.
    #[arg(long)]
    all_eligible: bool,
    /// A code of `countermand reasons list`; empty to give none.
    #[arg(long, default_value = "CUSTOMER_REQUEST")]
    reason: String,
    #[arg(long, default_value = "")]
    note: String,
    /// Another reason for one line, as 2=DAMAGED_IN_WAREHOUSE; all others have --reason.
    #[arg(long, value_name = "LINE=REASON", value_parser = parse_word)]
    line_reason: Vec<(i64, String)>,
    /// A note for one line, as 2='the box was wet'.
    #[arg(long, value_name = "LINE=NOTE", value_parser = parse_word)]
    line_note: Vec<(i64, String)>,
    /// Exactly these units of a part, instead of all that belong to the bundle's, as 2=1; 0 leaves the part alone.
    #[arg(long = "part", value_name = "LINE=UNITS", value_parser = parse_part)]
    parts: Vec<(i64, i64)>,
    /// Leave all parts of the bundles alone.
    #[arg(long, conflicts_with = "parts")]
    without_parts: bool,
    /// Where the button stood.
    #[arg(long, value_enum, default_value_t = Entry::Api)]
    from: Entry,
    /// The supplier was spoken to.
    #[arg(long)]
    ack_contact: bool,
    /// The message (msg_…) by which the supplier was contacted.
    #[arg(long, default_value = "")]
    contacted_in: String,
    /// For our own people; no party of the order reads it.
    #[arg(long, default_value = "")]
    staff_note: String,
    /// An audience that gets no mail about it: buyer, supplier, client or staff; may be repeated.
    #[arg(long, value_name = "AUDIENCE")]
    without_mail_to: Vec<String>,
    /// You have seen what it does to others' work.
    #[arg(long)]
    confirm: bool,
    /// Go on without either; somebody looks at it afterwards.
    #[arg(long)]
    force: bool,
    /// Only show what it would give back.
    #[arg(long)]
    preview: bool,
    /// What to do with the money; what the policy says when not given.
    #[arg(long, value_enum)]
    settlement: Option<SettlementChoice>,
    /// Void the label, too, and ask for its refund; only where there is one.
    #[arg(long)]
    void_label: bool,
    /// Do not watch it to its end.
    #[arg(long)]
    no_wait: bool,
    /// Repeat an earlier request safely; minted when not given.
    #[arg(long)]
    request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Entry {
    /// The order's own page.
    Details,
    /// A step of the order's timeline.
    Timeline,
    Api,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SettlementChoice {
    /// Void and refund what exceeds the new total.
    Auto,
    /// Move no money; what is owed is shown.
    None,
}

fn parse_line(text: &str) -> Result<(String, i64), String> {
    let parsed = text.rsplit_once('=').and_then(|(line, quantity)| {
        let named = !line.is_empty();
        named.then_some(())?;
        Some((line.to_owned(), quantity.parse().ok()?))
    });
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=QUANTITY, such as 2=3 or TEAPOT=3"))
}

fn parse_word(text: &str) -> Result<(i64, String), String> {
    let parsed = text.split_once('=').and_then(|(line, word)| Some((line.parse().ok()?, word.to_owned())));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=TEXT, such as 2=DAMAGED_IN_WAREHOUSE"))
}

fn parse_part(text: &str) -> Result<(i64, i64), String> {
    let parsed =
        text.split_once('=').and_then(|(line, units)| Some((line.parse().ok()?, units.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=UNITS, such as 2=1"))
}

pub async fn run(clients: &Clients, wish: Wish, json: bool) -> Result<()> {
    let order = super::find(clients, &wish.order).await?;
    let placing = order.state() == OrderState::Placing;
    let change = change_input(&order, &wish)?;
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
    // And a request that may be a repeated one has to be the same one: a quote is another each time.
    let is_free = placing || wish.request_id.is_some();
    let quote_id = if is_free { String::new() } else { preview(clients, &change).await?.quote_id };
    let request = SubmitChangeOrderRequest {
        request_id: wish.request_id.unwrap_or_else(super::request_id),
        change: Some(change),
        quote_id,
        wait: Wait::Unspecified.into(),
    };
    let submitted = clients.changes().submit_change_order(request).await?.into_inner();
    let submitted = submitted.change_order.context("the answer holds no change order")?;
    let finished = if wish.no_wait { submitted } else { watch(clients, submitted, json).await? };
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.ChangeOrder", &finished)?)?;
    } else {
        say!("{}", show::changes_table(std::slice::from_ref(&finished)));
    }
    match (finished.state(), &finished.cause) {
        (ChangeOrderState::Rejected, Some(cause)) => {
            bail!(
                "nothing was cancelled, everything was put back: {} ({})",
                one_line(&cause.message),
                cause.reason
            )
        }
        _ => Ok(()),
    }
}

async fn preview(clients: &Clients, change: &ChangeInput) -> Result<PreviewChangeOrderResponse> {
    let request = PreviewChangeOrderRequest { change: Some(change.clone()) };
    Ok(clients.changes().preview_change_order(request).await?.into_inner())
}

fn change_input(order: &Order, wish: &Wish) -> Result<ChangeInput> {
    let kind = match (wish.all_eligible, wish.lines.is_empty()) {
        (true, _) => ChangeOrderType::AllEligible,
        (false, true) => ChangeOrderType::CancelOrder,
        (false, false) => ChangeOrderType::CancelItems,
    };
    let settlement = match wish.settlement {
        None => Settlement::Unspecified,
        Some(SettlementChoice::Auto) => Settlement::Auto,
        Some(SettlementChoice::None) => Settlement::None,
    };
    let channel = match wish.from {
        Entry::Details => Channel::Details,
        Entry::Timeline => Channel::Timeline,
        Entry::Api => Channel::Api,
    };
    Ok(ChangeInput {
        order_id: order.order_id.clone(),
        r#type: kind.into(),
        lines: wish.lines.iter().map(|line| selected(order, line, wish)).collect::<Result<_>>()?,
        settlement: settlement.into(),
        label_action: if wish.void_label { LabelAction::Void } else { LabelAction::Keep }.into(),
        reason_code: wish.reason.clone(),
        note: wish.note.clone(),
        channel: channel.into(),
        supplier_contacted: wish.ack_contact,
        supplier_contact_ref: wish.contacted_in.clone(),
        staff_note: wish.staff_note.clone(),
        without_mail_to: wish.without_mail_to.clone(),
        confirm: wish.confirm,
        force: wish.force,
        ..ChangeInput::default()
    })
}

/// A line by its number, or by a SKU that no other line of the order has.
fn selected(order: &Order, (named, quantity): &(String, i64), wish: &Wish) -> Result<ChangeLineInput> {
    let line_number = match named.parse::<i64>() {
        Ok(number) => number,
        Err(_) => match order.lines.iter().filter(|line| line.sku == *named).collect::<Vec<_>>()[..] {
            [line] => line.line_number,
            [] => bail!("order {} has no line of {named}", order.number),
            [..] => bail!("several lines of order {} are of {named}: name one by its number", order.number),
        },
    };
    let said = |words: &[(i64, String)]| {
        words.iter().find(|(line, _)| *line == line_number).map(|(_, word)| word.clone()).unwrap_or_default()
    };
    let is_its_part = |number: i64| {
        order.lines.iter().any(|line| line.line_number == number && line.parent_line == line_number)
    };
    let parts = wish.parts.iter().filter(|(number, _)| is_its_part(*number));
    let part = |&(line_number, quantity): &(i64, i64)| BundleChildInput {
        line_number,
        quantity,
        ..BundleChildInput::default()
    };
    let is_bundle = order.lines.iter().any(|line| line.parent_line == line_number);
    Ok(ChangeLineInput {
        line_number,
        quantity: *quantity,
        reason_code: said(&wish.line_reason),
        note: said(&wish.line_note),
        bundle_children: parts.map(part).collect(),
        without_children: wish.without_parts && is_bundle,
        ..ChangeLineInput::default()
    })
}

/// Shows step k of n until the change is final. Steps after the decision may take long: a person may stop watching.
async fn watch(clients: &Clients, submitted: ChangeOrder, json: bool) -> Result<ChangeOrder> {
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(1) };
    bar.set_style(
        ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}").expect("the template is a constant"),
    );
    let request = WatchChangeOrderRequest {
        change_order_id: submitted.change_order_id.clone(),
        after_version: 0,
        with_steps: true,
        follow: false,
    };
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
    let fee = match parts.fee_minor {
        0 => String::new(),
        fee => format!("   fee {} ({})", amount(fee), preview.fee_rule),
    };
    let mut notes: Vec<String> =
        preview.blockers.iter().map(|no| format!("\n{}: {}", no.reason, one_line(&no.message))).collect();
    notes.extend(preview.warnings.iter().map(|note| format!("\n{}: {}", note.code, one_line(&note.message))));
    notes.extend(
        preview.skipped.iter().map(|line| {
            format!("\nstays: line {} {}: {}", line.line_number, line.sku, one_line(&line.message))
        }),
    );
    format!(
        "{table}\n\nshipping {}{fee}   gives back {}   total {} -> {}",
        amount(parts.shipping_minor + parts.shipping_tax_minor),
        amount(parts.amount_minor),
        amount(preview.total_before_minor),
        amount(preview.total_after_minor),
    ) + &notes.concat()
}
