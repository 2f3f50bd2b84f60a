//! `countermand order propose|approve`: changes that one side asks for and the other answers, and what the order would be.

use anyhow::{Context, Result};
use clap::Args;
use proto::common::v1::Wait;
use proto::order::v1::preview_proposal_request::Of;
use proto::order::v1::{
    Address, ApproveChangeOrderRequest, ChangeOrderType, GetChangeOrderRequest, PreviewProposalRequest,
    PreviewProposalResponse, ProposeChangeOrderRequest, ProposedItem, ProposedLine, ShippingReversalInput,
};
use types::Currency;

use super::remedies::{parse_line, told};
use super::{request_id, show, steering};
use crate::amounts::{self, WrittenTender};
use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

#[derive(Debug, Args)]
pub struct Proposal {
    /// Order id (ord_…) or number.
    order: String,
    /// A line number and what is to be left of it, fewer or more, as 2=1.
    #[arg(long = "line", value_parser = parse_line, group = "kind")]
    lines: Vec<(i64, i64)>,
    /// Goods that come, as SKU=QUANTITY@PRICE.
    #[arg(long = "add", value_parser = parse_item, group = "kind")]
    items: Vec<ProposedItem>,
    /// A line that is replaced by what --add names, wholly or as far as is said, as 2 or 2=1.
    #[arg(long = "replace", value_parser = parse_replaced, requires = "items")]
    replaced: Vec<(i64, i64)>,
    /// A line number and what is taken off its price, as 2=1.50.
    #[arg(long = "off", value_parser = parse_off, group = "kind")]
    off: Vec<(i64, String)>,
    /// What is taken off the delivery charge, such as 1.50.
    #[arg(long, group = "kind")]
    shipping: Option<String>,
    /// The delivery group whose charge it is, or whose goods come.
    #[arg(long, default_value = "")]
    group: String,
    #[command(flatten)]
    address: AddressArgs,
    /// A payment, as GATEWAY:TOKEN=AMOUNT; together they pay what the order comes to more.
    #[arg(long = "tender", value_parser = WrittenTender::parse)]
    tenders: Vec<WrittenTender>,
    #[arg(long, default_value = "")]
    reason: String,
    #[arg(long, default_value = "")]
    note: String,
    /// Seconds in which it may be answered; three days when not given.
    #[arg(long, default_value_t = 0)]
    valid: i64,
    /// The other side's proposal (chg_…) that this one answers.
    #[arg(long, default_value = "")]
    counter_of: String,
    /// Show what the order would be, and propose nothing.
    #[arg(long)]
    preview: bool,
}

#[derive(Debug, Args)]
struct AddressArgs {
    /// Whom the goods are to go to instead.
    #[arg(long = "to", group = "kind", requires_all = ["street", "city", "country"])]
    to: Option<String>,
    /// A line of the address; may be repeated.
    #[arg(long, requires = "to")]
    street: Vec<String>,
    #[arg(long, default_value = "", requires = "to")]
    city: String,
    #[arg(long, default_value = "", requires = "to")]
    postal_code: String,
    #[arg(long, default_value = "", requires = "to")]
    region: String,
    /// Two letters, such as GB.
    #[arg(long, default_value = "", requires = "to")]
    country: String,
}

#[derive(Debug, Args)]
pub struct Approval {
    /// Change order id (chg_…), or an order: then its latest change.
    change_order: String,
    /// A payment, as GATEWAY:TOKEN=AMOUNT; together they pay what the order comes to more.
    #[arg(long = "tender", value_parser = WrittenTender::parse)]
    tenders: Vec<WrittenTender>,
    /// Show what the order would be, and agree to nothing.
    #[arg(long)]
    preview: bool,
}

pub const PROPOSE_EXAMPLES: &str = "Examples:
  countermand order propose O-1 --line 2=1 --note 'one is cracked'
  countermand order propose O-1 --line 2=5 --preview
  countermand order propose O-1 --add SAUCER=2@3.50 --tender sandbox:tok_approve=7.00
  countermand order propose O-1 --replace 2 --add MUG=1@9.00
  countermand order propose O-1 --off 2=1.50 --note 'a scratch'
  countermand order propose O-1 --shipping 1.50
  countermand order propose O-1 --to 'Ann Lee' --street '1 High St' --city York --country GB";

pub const APPROVE_EXAMPLES: &str = "Examples:
  countermand order approve chg_01… --preview
  countermand order approve chg_01… --tender sandbox:tok_approve=7.00";

pub async fn propose(clients: &Clients, wish: Proposal, json: bool) -> Result<()> {
    let order = super::find(clients, &wish.order).await?;
    let preview = wish.preview;
    let counter_of = match wish.counter_of.as_str() {
        "" => String::new(),
        named => steering::find_change(clients, named.to_owned()).await?,
    };
    let proposed = proposed(wish, &order.currency_code)?;
    let order_id = order.order_id;
    let request = ProposeChangeOrderRequest { request_id: request_id(), order_id, counter_of, ..proposed };
    if preview {
        return look(clients, Of::Proposal(request), json).await;
    }
    told(clients.proposals().propose_change_order(request).await?.into_inner().change_order, json)
}

pub async fn approve(clients: &Clients, wish: Approval, json: bool) -> Result<()> {
    let change_order_id = steering::find_change(clients, wish.change_order).await?;
    if wish.preview {
        return look(clients, Of::ChangeOrderId(change_order_id), json).await;
    }
    let request = GetChangeOrderRequest { change_order_id: change_order_id.clone() };
    let change = clients.changes().get_change_order(request).await?.into_inner().change_order;
    let currency_code = change.context("the answer holds no change order")?.currency_code;
    let request = ApproveChangeOrderRequest {
        request_id: request_id(),
        change_order_id,
        wait: Wait::Completed.into(),
        tenders: amounts::tenders(&currency_code, &wish.tenders)?,
    };
    told(clients.proposals().approve_change_order(request).await?.into_inner().change_order, json)
}

async fn look(clients: &Clients, of: Of, json: bool) -> Result<()> {
    let request = PreviewProposalRequest { of: Some(of) };
    let preview = clients.proposals().preview_proposal(request).await?.into_inner();
    if json {
        let name = "countermand.order.v1.PreviewProposalResponse";
        return render::print_json(&render::proto_json(name, &preview)?);
    }
    print_preview(&preview)
}

fn print_preview(preview: &PreviewProposalResponse) -> Result<()> {
    let order = preview.order.as_ref().context("the answer holds no order")?;
    let amount = |minor| render::money(&order.currency_code, minor);
    show::print_order(order);
    say!(
        "\nnow {}   then {}   to pay {}   to give back {}",
        amount(preview.total_before_minor),
        amount(preview.total_after_minor),
        amount(preview.to_pay_minor),
        amount(preview.to_give_back_minor),
    );
    if preview.stock_unavailable {
        say!("the inventory does not say whether it has what would come");
    }
    for line in &preview.stock {
        let word = if line.enough { "in stock" } else { "NOT in stock" };
        say!("{} × {}: {word} ({} free)", line.wanted, line.sku, line.available);
    }
    for blocker in &preview.blockers {
        say!("{}: {}", blocker.reason, one_line(&blocker.message));
    }
    Ok(())
}

fn proposed(wish: Proposal, currency_code: &str) -> Result<ProposeChangeOrderRequest> {
    let currency = Currency::parse(currency_code)?;
    let group = wish.group;
    let line = |&(line_number, new_quantity): &(i64, i64)| ProposedLine {
        line_number,
        new_quantity,
        ..ProposedLine::default()
    };
    let cheaper = |(line_number, off): &(i64, String)| {
        let off_minor = amounts::minor(currency, off)?;
        Ok(ProposedLine { line_number: *line_number, off_minor, ..ProposedLine::default() })
    };
    let items = wish.items.into_iter().map(|item| ProposedItem { delivery_group: group.clone(), ..item });
    let items: Vec<ProposedItem> = items.collect();
    let general = ProposeChangeOrderRequest {
        reason_code: wish.reason,
        note: wish.note,
        valid_seconds: wish.valid,
        tenders: amounts::tenders(currency_code, &wish.tenders)?,
        ..ProposeChangeOrderRequest::default()
    };
    let of = |kind: ChangeOrderType| ProposeChangeOrderRequest { r#type: kind.into(), ..general.clone() };
    Ok(if let Some(shipping) = wish.shipping {
        let shipping_minor = amounts::minor(currency, &shipping)?;
        let reversal = ShippingReversalInput { delivery_group: group, shipping_minor, shipping_tax_minor: 0 };
        ProposeChangeOrderRequest { shipping: vec![reversal], ..of(ChangeOrderType::ShippingAdjust) }
    } else if !wish.replaced.is_empty() {
        let lines = wish.replaced.iter().map(line).collect();
        ProposeChangeOrderRequest { lines, items, ..of(ChangeOrderType::ReplaceItem) }
    } else if !items.is_empty() {
        ProposeChangeOrderRequest { items, ..of(ChangeOrderType::AddItem) }
    } else if !wish.off.is_empty() {
        let lines = wish.off.iter().map(cheaper).collect::<Result<_>>()?;
        ProposeChangeOrderRequest { lines, ..of(ChangeOrderType::PriceAdjust) }
    } else if let Some(recipient) = wish.address.to {
        let address = Address {
            recipient,
            lines: wish.address.street,
            city: wish.address.city,
            postal_code: wish.address.postal_code,
            region: wish.address.region,
            country_code: wish.address.country,
        };
        ProposeChangeOrderRequest { address: Some(address), ..of(ChangeOrderType::Address) }
    } else {
        anyhow::ensure!(!wish.lines.is_empty(), "say what is proposed; see --help for examples");
        let lines = wish.lines.iter().map(line).collect();
        ProposeChangeOrderRequest { lines, ..of(ChangeOrderType::EditQuantity) }
    })
}

fn parse_item(text: &str) -> Result<ProposedItem, String> {
    let parsed = text.split_once('=').and_then(|(sku, rest)| {
        let (quantity, unit_price) = rest.split_once('@')?;
        Some(ProposedItem {
            sku: sku.to_owned(),
            quantity: quantity.parse().ok()?,
            unit_price: unit_price.to_owned(),
            ..ProposedItem::default()
        })
    });
    parsed.ok_or_else(|| format!("\"{text}\" is not SKU=QUANTITY@PRICE, such as MUG=1@9.00"))
}

fn parse_off(text: &str) -> Result<(i64, String), String> {
    let parsed = text.split_once('=').and_then(|(line, off)| Some((line.parse().ok()?, off.to_owned())));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=AMOUNT, such as 2=1.50"))
}

fn parse_replaced(text: &str) -> Result<(i64, i64), String> {
    match text.parse() {
        Ok(line) => Ok((line, 0)),
        Err(_) => parse_line(text),
    }
}
