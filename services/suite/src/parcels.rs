//! `countermand parcel`: goods on their way out of the door, and their labels.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use proto::common::v1::Money;
use proto::inventory::v1::{
    AttachLabelRequest, CreateFulfillmentRequest, DeliverFulfillmentRequest, Fulfillment,
    FulfillmentLineSelection, FulfillmentState, ListFulfillmentsRequest, MoveFulfillmentRequest,
    ReportPartnerShipmentRequest, ShipFulfillmentRequest, SubmitFulfillmentRequest, UnpackFulfillmentRequest,
};
use proto::order::v1::Order;
use types::Currency;

use crate::clients::Clients;
use crate::{amounts, orders, partners, render};

#[derive(Debug, Subcommand)]
pub enum ParcelVerb {
    /// Allocate an order's goods to a parcel.
    Pack {
        /// Order id (ord_…) or number.
        order: String,
        #[arg(long)]
        warehouse: String,
        /// A line number and units, as 1=2; everything that is not in a parcel when none is given.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        /// Take what is reserved in other warehouses as well; its reservation moves here.
        #[arg(long)]
        from_anywhere: bool,
    },
    /// Take goods out of a parcel that has not left; they stay reserved.
    #[command(after_help = "Examples:
  countermand parcel unpack WEB-3
  countermand parcel unpack ful_01… --line 1=1")]
    Unpack {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        /// A line number and units, as 1=2; everything when none is given.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
    },
    /// Pack goods of a parcel that has not left in another warehouse instead; their reservation moves along.
    #[command(after_help = "Example:\n  countermand parcel move WEB-3 --warehouse YORK")]
    Move {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        #[arg(long)]
        warehouse: String,
        /// A line number and units, as 1=2; everything when none is given.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
    },
    /// Give a parcel to the floor, or to the partner that has the goods.
    Submit {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        /// The number the partner is to know it by.
        #[arg(long, default_value = "")]
        number: String,
    },
    /// Ship a parcel, wholly or in part; one that was not given to the floor is first.
    #[command(after_help = "Examples:
  countermand parcel ship WEB-3 --line 1=2 --tracking RM123456785GB
  countermand parcel ship ful_01…")]
    Ship {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        /// A line number and units, as 1=2; everything when none is given.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        #[arg(long, default_value = "")]
        tracking: String,
    },
    /// Report that a parcel has left, whatever its goods are: wanted, held by a change, or cancelled.
    #[command(after_help = "Example:\n  countermand parcel left WEB-3 --tracking RM123456785GB")]
    Left {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        /// A line number and units, as 1=2; what is still wanted when none is given, else what was cancelled.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        #[arg(long)]
        tracking: String,
    },
    /// Record that what was shipped has arrived.
    Deliver {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
    },
    /// Record the label that was bought for a parcel.
    Label {
        /// The parcel (ful_…), or its order where there is one parcel.
        parcel: String,
        #[arg(long)]
        tracking: String,
        /// The carrier's handle; the sandbox carrier does by it, such as lbl_used.
        #[arg(long, default_value = "lbl_ok")]
        token: String,
        /// What it cost, in the order's currency.
        #[arg(long, default_value = "0")]
        cost: String,
    },
    /// The parcels of an order.
    List {
        /// Order id (ord_…) or number.
        order: String,
    },
}

pub async fn run(clients: &Clients, verb: ParcelVerb, json: bool) -> Result<()> {
    let request_id = render::request_id();
    let parcel = match verb {
        ParcelVerb::Pack { order, warehouse, lines, from_anywhere } => {
            let order = orders::find(clients, &order).await?;
            let request = CreateFulfillmentRequest {
                request_id,
                order_id: order.order_id.clone(),
                warehouse_id: warehouse,
                lines: selection(&order, &lines)?,
                move_reservation: from_anywhere,
            };
            clients.fulfillments().create_fulfillment(request).await?.into_inner().fulfillment
        }
        ParcelVerb::Unpack { parcel, lines } => {
            let (fulfillment, order) = find(clients, &parcel).await?;
            let request = UnpackFulfillmentRequest {
                request_id,
                fulfillment_id: fulfillment.fulfillment_id,
                lines: selection(&order, &lines)?,
            };
            clients.fulfillments().unpack_fulfillment(request).await?.into_inner().fulfillment
        }
        ParcelVerb::Move { parcel, warehouse, lines } => {
            let (fulfillment, order) = find(clients, &parcel).await?;
            let request = MoveFulfillmentRequest {
                request_id,
                fulfillment_id: fulfillment.fulfillment_id,
                warehouse_id: warehouse,
                lines: selection(&order, &lines)?,
            };
            clients.fulfillments().move_fulfillment(request).await?.into_inner().fulfillment
        }
        ParcelVerb::Left { parcel, lines, tracking } => {
            return left(clients, &parcel, &lines, tracking).await;
        }
        ParcelVerb::Submit { parcel, number } => {
            let (fulfillment, _) = find(clients, &parcel).await?;
            submit(clients, fulfillment.fulfillment_id, number).await?
        }
        ParcelVerb::Ship { parcel, lines, tracking } => {
            let (fulfillment, order) = find(clients, &parcel).await?;
            if fulfillment.state() == FulfillmentState::Allocated {
                submit(clients, fulfillment.fulfillment_id.clone(), String::new()).await?;
            }
            let request = ShipFulfillmentRequest {
                request_id,
                fulfillment_id: fulfillment.fulfillment_id,
                lines: selection(&order, &lines)?,
                tracking_number: tracking,
            };
            clients.fulfillments().ship_fulfillment(request).await?.into_inner().fulfillment
        }
        ParcelVerb::Deliver { parcel } => {
            let (Fulfillment { fulfillment_id, .. }, _) = find(clients, &parcel).await?;
            let request = DeliverFulfillmentRequest { request_id, fulfillment_id, lines: Vec::new() };
            clients.fulfillments().deliver_fulfillment(request).await?.into_inner().fulfillment
        }
        ParcelVerb::Label { parcel, tracking, token, cost } => {
            return label(clients, &parcel, tracking, token, &cost).await;
        }
        ParcelVerb::List { order } => return list(clients, &order, json).await,
    };
    shown(&[parcel.context("the answer holds no fulfillment")?], json)
}

async fn left(clients: &Clients, parcel: &str, lines: &[(i64, i64)], tracking: String) -> Result<()> {
    let (fulfillment, order) = find(clients, parcel).await?;
    let request = ReportPartnerShipmentRequest {
        request_id: render::request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        tracking_number: tracking,
        lines: selection(&order, lines)?,
    };
    let report = clients.integrations().report_partner_shipment(request).await?.into_inner();
    say!("{}", partners::left(&report));
    Ok(())
}

async fn submit(
    clients: &Clients,
    fulfillment_id: String,
    external_number: String,
) -> Result<Option<Fulfillment>> {
    let request =
        SubmitFulfillmentRequest { request_id: render::request_id(), fulfillment_id, external_number };
    Ok(clients.fulfillments().submit_fulfillment(request).await?.into_inner().fulfillment)
}

async fn label(clients: &Clients, parcel: &str, tracking: String, token: String, cost: &str) -> Result<()> {
    let (fulfillment, order) = find(clients, parcel).await?;
    let currency = Currency::parse(&order.currency_code).context("the order's currency is unknown here")?;
    let cost =
        Money { currency_code: order.currency_code.clone(), minor_units: amounts::minor(currency, cost)? };
    let request = AttachLabelRequest {
        request_id: render::request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        carrier: "sandbox".to_owned(),
        token,
        tracking_number: tracking,
        cost: Some(cost),
    };
    let label = clients.labels().attach_label(request).await?.into_inner().label.unwrap_or_default();
    say!("{}  {} is on the parcel", label.label_id, label.tracking_number);
    Ok(())
}

/// A parcel by its id, or the only one of an order that has something to do.
async fn find(clients: &Clients, parcel_or_order: &str) -> Result<(Fulfillment, Order)> {
    if parcel_or_order.starts_with("ful_") {
        let request =
            proto::inventory::v1::GetFulfillmentRequest { fulfillment_id: parcel_or_order.to_owned() };
        let found = clients.fulfillments().get_fulfillment(request).await?.into_inner().fulfillment;
        let found = found.context("the answer holds no fulfillment")?;
        let order = orders::find(clients, &found.order_id).await?;
        return Ok((found, order));
    }
    let order = orders::find(clients, parcel_or_order).await?;
    let mut parcels = of_order(clients, &order.order_id).await?;
    match (parcels.pop(), parcels.len()) {
        (None, _) => bail!("order {} has no parcel yet; `countermand parcel pack` makes one", order.number),
        (Some(only), 0) => Ok((only, order)),
        (Some(_), others) => bail!(
            "order {} has {} parcels; name one by its id, which `countermand parcel list` shows",
            order.number,
            others + 1
        ),
    }
}

async fn of_order(clients: &Clients, order_id: &str) -> Result<Vec<Fulfillment>> {
    let request = ListFulfillmentsRequest { order_id: order_id.to_owned() };
    Ok(clients.fulfillments().list_fulfillments(request).await?.into_inner().fulfillments)
}

fn selection(order: &Order, lines: &[(i64, i64)]) -> Result<Vec<FulfillmentLineSelection>> {
    let select = |&(number, quantity): &(i64, i64)| {
        let line = order.lines.iter().find(|line| line.line_number == number);
        let line = line.with_context(|| format!("order {} has no line {number}", order.number))?;
        Ok(FulfillmentLineSelection { line_id: line.line_id.clone(), quantity })
    };
    lines.iter().map(select).collect()
}

async fn list(clients: &Clients, order: &str, json: bool) -> Result<()> {
    let order = orders::find(clients, order).await?;
    let parcels = of_order(clients, &order.order_id).await?;
    if parcels.is_empty() && !json {
        say!("Order {} has no parcel yet.", order.number);
        return Ok(());
    }
    shown(&parcels, json)
}

fn shown(parcels: &[Fulfillment], json: bool) -> Result<()> {
    if json {
        let parcels = parcels
            .iter()
            .map(|parcel| render::proto_json("countermand.inventory.v1.Fulfillment", parcel))
            .collect::<Result<Vec<_>>>()?;
        return render::print_json(&parcels);
    }
    let rows = parcels.iter().map(|parcel| {
        let goods: Vec<String> = parcel
            .lines
            .iter()
            .map(|line| format!("{} {} {}", line.quantity, line.sku, line.state))
            .collect();
        let state = render::short(parcel.state().as_str_name(), "FULFILLMENT_STATE_").to_owned();
        vec![
            parcel.fulfillment_id.clone(),
            parcel.warehouse_id.clone(),
            render::state(&state),
            goods.join(", "),
        ]
    });
    say!("{}", render::table(&["parcel", "warehouse", "state", "goods"], &[], rows));
    Ok(())
}

fn parse_line(text: &str) -> Result<(i64, i64), String> {
    let parsed =
        text.split_once('=').and_then(|(line, units)| Some((line.parse().ok()?, units.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=UNITS, such as 1=2"))
}
