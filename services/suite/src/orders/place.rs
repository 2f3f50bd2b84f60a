//! `countermand order place`: a new order, paid and reserved, for a person who tries things out.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use proto::common::v1::{ExternalReference, Wait};
use proto::order::v1::{
    CreateOrderRequest, LineInput, LineTax, OrderState, Parties, ShippingInput, TenderInput,
};
use types::Currency;

use super::show;
use crate::clients::Clients;
use crate::{amounts, render};

/// Pays for an order of which nothing else is said: the sandbox's card that always works.
const CARD: (&str, &str) = ("sandbox", "tok_approve");

#[derive(Debug, Args)]
pub struct PlaceWish {
    /// The order's number; one is made when not given.
    #[arg(default_value = "")]
    number: String,
    /// Goods, as SKU=UNITS@PRICE of one; the lines are numbered from 1.
    #[arg(long = "line", value_name = "SKU=UNITS@PRICE", value_parser = parse_line, required = true)]
    lines: Vec<(String, i64, String)>,
    /// A part of a bundle whose price stands on its parent: the parent's line, and how many one of it has. Parts are
    /// numbered on behind the lines.
    #[arg(long = "part", value_name = "LINE:SKU=UNITS", value_parser = parse_part)]
    parts: Vec<(i64, String, i64)>,
    /// A bundle whose own article stands on a shelf and is reserved beside its parts: the number of its line.
    #[arg(long, value_name = "LINE")]
    own_stock: Vec<i64>,
    /// Off one line.
    #[arg(long, value_name = "LINE=AMOUNT", value_parser = parse_amount)]
    line_discount: Vec<(i64, String)>,
    /// Tax that the price of a line contains.
    #[arg(long, value_name = "LINE=AMOUNT", value_parser = parse_amount)]
    line_tax: Vec<(i64, String)>,
    /// Off the whole order.
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    discount: String,
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    shipping: String,
    #[arg(long, default_value = "GBP")]
    currency: String,
    /// A payment that is taken at once; without an amount, what is left of the price.
    #[arg(long, value_name = "GATEWAY:TOKEN[=AMOUNT]", value_parser = parse_payment)]
    pay: Vec<Payment>,
    /// A payment that is only authorised.
    #[arg(long, value_name = "GATEWAY:TOKEN[=AMOUNT]", value_parser = parse_payment)]
    authorise: Vec<Payment>,
    #[arg(long, default_value = "")]
    customer: String,
    /// The buying organisation.
    #[arg(long, default_value = "")]
    buyer: String,
    /// The supplying organisation.
    #[arg(long, default_value = "")]
    supplier: String,
    /// The organisation that routed the order here.
    #[arg(long, default_value = "")]
    router: String,
    /// The client's e-mail address.
    #[arg(long, default_value = "")]
    contact: String,
    /// What another system calls it, as SYSTEM:REFERENCE.
    #[arg(long, value_parser = parse_reference)]
    reference: Vec<ExternalReference>,
    /// Leave it PENDING, to be confirmed by `order confirm`.
    #[arg(long)]
    confirm_later: bool,
    /// Do not wait until stock and payment are arranged.
    #[arg(long)]
    no_wait: bool,
    /// Repeat an earlier request safely; minted when not given.
    #[arg(long)]
    request_id: Option<String>,
}

#[derive(Debug, Clone)]
struct Payment {
    gateway: String,
    token: String,
    /// What is left when not said.
    amount: Option<String>,
}

pub async fn run(clients: &Clients, wish: PlaceWish, json: bool) -> Result<()> {
    let request = request(wish)?;
    let answer = clients.orders().create_order(request).await?.into_inner();
    let order = answer.order.context("the answer holds no order")?;
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.Order", &order)?)?;
    } else {
        show::print_order(&order);
    }
    match (order.state(), &order.placement_cause) {
        (OrderState::PlacementFailed, Some(cause)) => {
            bail!("nothing was placed, everything was put back: {} ({})", cause.message, cause.reason)
        }
        _ => Ok(()),
    }
}

fn request(wish: PlaceWish) -> Result<CreateOrderRequest> {
    let currency = Currency::parse(&wish.currency).context("the currency is a code such as GBP")?;
    let mut total = 0;
    let mut lines = Vec::new();
    for (sku, quantity, unit_price) in &wish.lines {
        total += amounts::product(currency, unit_price, *quantity)?;
        lines.push(LineInput {
            sku: sku.clone(),
            quantity: *quantity,
            unit_price: unit_price.clone(),
            ..LineInput::default()
        });
    }
    for (parent_line, sku, ratio) in &wish.parts {
        let units = nth(&mut lines, *parent_line)?.quantity;
        lines.push(LineInput {
            sku: sku.clone(),
            quantity: units * ratio,
            unit_price: "0".to_owned(),
            parent_line: *parent_line,
            ratio: *ratio,
            ..LineInput::default()
        });
    }
    for line in &wish.own_stock {
        nth(&mut lines, *line)?.own_stock = true;
    }
    for (line, amount) in &wish.line_discount {
        let line = nth(&mut lines, *line)?;
        line.line_discount_minor = amounts::minor(currency, amount)?;
        total -= line.line_discount_minor;
    }
    for (line, amount) in &wish.line_tax {
        let amount_minor = amounts::minor(currency, amount)?;
        nth(&mut lines, *line)?.tax = Some(LineTax { amount_minor, included: true });
    }
    let order_discount_minor = amounts::minor(currency, &wish.discount)?;
    let amount_minor = amounts::minor(currency, &wish.shipping)?;
    total += amount_minor - order_discount_minor;
    let shipping = ShippingInput { amount_minor, ..ShippingInput::default() };
    let parties = Parties {
        buyer: wish.buyer,
        supplier: wish.supplier,
        source_router: wish.router,
        client_contact: wish.contact,
    };
    Ok(CreateOrderRequest {
        request_id: wish.request_id.unwrap_or_else(super::request_id),
        number: wish.number,
        currency_code: currency.code().to_owned(),
        lines,
        order_discount_minor,
        shipping: if amount_minor == 0 { Vec::new() } else { vec![shipping] },
        tenders: tenders(currency, total, &wish.pay, &wish.authorise)?,
        parties: if parties == Parties::default() { None } else { Some(parties) },
        customer_id: wish.customer,
        external_references: wish.reference,
        confirm_later: wish.confirm_later,
        wait: if wish.no_wait { Wait::Unspecified } else { Wait::Completed }.into(),
        ..CreateOrderRequest::default()
    })
}

/// At most one payment says no amount, and pays what the others leave.
fn tenders(
    currency: Currency,
    total: i64,
    pay: &[Payment],
    authorise: &[Payment],
) -> Result<Vec<TenderInput>> {
    let card = [Payment { gateway: CARD.0.to_owned(), token: CARD.1.to_owned(), amount: None }];
    let pay = if pay.is_empty() && authorise.is_empty() && total > 0 { &card[..] } else { pay };
    let said =
        pay.iter().map(|payment| (payment, true)).chain(authorise.iter().map(|payment| (payment, false)));
    let mut tenders = Vec::new();
    for (payment, capture_now) in said {
        let amount = payment.amount.as_ref().map(|amount| amounts::minor(currency, amount)).transpose()?;
        tenders.push(TenderInput {
            gateway: payment.gateway.clone(),
            payment_token: payment.token.clone(),
            amount_minor: amount.unwrap_or_default(),
            capture_now,
        });
    }
    let left = total - tenders.iter().map(|tender| tender.amount_minor).sum::<i64>();
    let mut open = tenders.iter_mut().filter(|tender| tender.amount_minor == 0);
    let (first, second) = (open.next(), open.next());
    ensure!(second.is_none(), "only one payment may leave its amount out");
    if let Some(rest) = first {
        rest.amount_minor = left;
    } else {
        ensure!(
            left == 0,
            "the payments come to {} and the order to {}; leave an amount out, and it pays the rest",
            render::money(currency.code(), total - left),
            render::money(currency.code(), total)
        );
    }
    Ok(tenders)
}

fn nth(lines: &mut [LineInput], number: i64) -> Result<&mut LineInput> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let line = index.and_then(|index| lines.get_mut(index));
    line.with_context(|| format!("there is no line {number}; they are numbered from 1"))
}

fn parse_line(text: &str) -> Result<(String, i64, String), String> {
    let parsed = text.rsplit_once('@').and_then(|(goods, price)| {
        let (sku, units) = goods.rsplit_once('=')?;
        Some((sku.to_owned(), units.parse().ok()?, price.to_owned()))
    });
    parsed.ok_or_else(|| format!("\"{text}\" is not SKU=UNITS@PRICE, such as MUG=2@7.50"))
}

fn parse_part(text: &str) -> Result<(i64, String, i64), String> {
    let parsed = text.split_once(':').and_then(|(parent, part)| {
        let (sku, units) = part.rsplit_once('=')?;
        Some((parent.parse().ok()?, sku.to_owned(), units.parse().ok()?))
    });
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE:SKU=UNITS, such as 1:CUP=2"))
}

fn parse_amount(text: &str) -> Result<(i64, String), String> {
    let parsed =
        text.split_once('=').and_then(|(line, amount)| Some((line.parse().ok()?, amount.to_owned())));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=AMOUNT, such as 2=1.50"))
}

fn parse_payment(text: &str) -> Result<Payment, String> {
    let (gateway, rest) = text.split_once(':').ok_or_else(|| {
        format!("\"{text}\" is not GATEWAY:TOKEN or GATEWAY:TOKEN=AMOUNT, such as sandbox:tok_approve=20.00")
    })?;
    let (token, amount) = match rest.rsplit_once('=') {
        Some((token, amount)) => (token, Some(amount.to_owned())),
        None => (rest, None),
    };
    Ok(Payment { gateway: gateway.to_owned(), token: token.to_owned(), amount })
}

fn parse_reference(text: &str) -> Result<ExternalReference, String> {
    let (system, reference) = text
        .split_once(':')
        .ok_or_else(|| format!("\"{text}\" is not SYSTEM:REFERENCE, such as shop:1001"))?;
    Ok(ExternalReference { system: system.to_owned(), reference: reference.to_owned() })
}
