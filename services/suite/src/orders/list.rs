//! `countermand order list`.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use proto::common::v1::ExternalReference;
use proto::order::v1::{ListOrdersRequest, OrderState, OrderSummary, OrderView};

use crate::clients::Clients;
use crate::{organising, render};

/// Which orders; everything without any.
#[derive(Debug, Default, Args)]
pub struct Filters {
    /// Only this state, such as CONFIRMED; several with commas.
    #[arg(long, value_delimiter = ',')]
    state: Vec<String>,
    /// Only one of the usual tabs.
    #[arg(long, value_enum)]
    view: Option<View>,
    /// Only this folder: id (fld_…) or name.
    #[arg(long)]
    folder: Option<String>,
    #[arg(long, default_value = "")]
    customer: String,
    /// Only orders that this organisation has a part in.
    #[arg(long, default_value = "")]
    organisation: String,
    #[arg(long, default_value = "")]
    number: String,
    /// Only the order with this name in another system, as SYSTEM:REFERENCE.
    #[arg(long)]
    reference: Option<String>,
    /// Created at this instant or later, such as 2026-11-01T00:00:00Z.
    #[arg(long, default_value = "")]
    from: String,
    /// Created before this instant.
    #[arg(long, default_value = "")]
    before: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum View {
    Active,
    Cancelled,
    Closed,
}

impl Filters {
    async fn request(self, clients: &Clients, page_size: i32) -> Result<ListOrdersRequest> {
        let state = |name: &String| {
            let named = OrderState::from_str_name(&format!("ORDER_STATE_{}", name.to_uppercase()));
            named.map(i32::from).with_context(|| format!("there is no state {name}"))
        };
        let view = match self.view {
            None => OrderView::Unspecified,
            Some(View::Active) => OrderView::Active,
            Some(View::Cancelled) => OrderView::Cancelled,
            Some(View::Closed) => OrderView::Closed,
        };
        let external_reference = match &self.reference {
            None => None,
            Some(text) => {
                let (system, reference) = text.split_once(':').context("a reference is SYSTEM:REFERENCE")?;
                Some(ExternalReference { system: system.to_owned(), reference: reference.to_owned() })
            }
        };
        let folder_id = match &self.folder {
            None => String::new(),
            Some(folder) => organising::find_folder(clients, folder).await?.folder_id,
        };
        Ok(ListOrdersRequest {
            page_size,
            states: self.state.iter().map(state).collect::<Result<_>>()?,
            view: view.into(),
            folder_id,
            customer_id: self.customer,
            organisation: self.organisation,
            number: self.number,
            external_reference,
            created_from: self.from,
            created_before: self.before,
            ..ListOrdersRequest::default()
        })
    }
}

/// The state, and what a restored order still has to be paid.
fn state_of(order: &OrderSummary) -> String {
    let state = render::state(render::short(order.state().as_str_name(), "ORDER_STATE_"));
    match order.awaits_payment_minor {
        0 => state,
        missing => format!("{state}, awaits {}", render::money(&order.currency_code, missing)),
    }
}

pub async fn orders(clients: &Clients, limit: i32, filters: Filters, json: bool) -> Result<()> {
    let is_filtered = format!("{filters:?}") != format!("{:?}", Filters::default());
    let request = filters.request(clients, limit).await?;
    let page = clients.orders().list_orders(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListOrdersResponse", &page)?);
    }
    if page.orders.is_empty() && is_filtered {
        say!("No order is like that.");
        return Ok(());
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
            state_of(order),
            order.line_count.to_string(),
            order.units_ordered.to_string(),
            order.units_cancelled.to_string(),
            render::money(&order.currency_code, order.totals.map_or(0, |totals| totals.total_minor)),
            order.folder.clone(),
            order.order_id.clone(),
        ]
    });
    say!(
        "{}",
        render::table(
            &["number", "state", "lines", "units", "cancelled", "total", "folder", "id"],
            &[2, 3, 4, 5],
            rows
        )
    );
    if !page.next_page_token.is_empty() {
        say!("{}", render::dim("there are more; ask for more with --limit, or page through ListOrders"));
    }
    Ok(())
}
