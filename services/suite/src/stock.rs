//! `countermand stock`: goods in warehouses, for a person who sets a suite up.

use anyhow::Result;
use clap::Subcommand;
use proto::inventory::v1::{
    AdjustStockRequest, AssignSkuRequest, GetStockRequest, ListSkuAssignmentsRequest, ListWarehousesRequest,
    Stock, StockAdjustment, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};

use crate::clients::Clients;
use crate::render;

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Subcommand)]
pub enum StockVerb {
    /// Put goods into a warehouse; the warehouse is made when it is not there.
    #[command(after_help = "Example:\n  countermand stock receive LEEDS LANTERN=40 MUG=25")]
    Receive {
        warehouse: String,
        /// SKU=UNITS; negative units are taken out.
        #[arg(required = true, value_parser = parse_goods)]
        goods: Vec<(String, i64)>,
    },
    /// What there is of articles, in all warehouses.
    Show {
        #[arg(required = true)]
        skus: Vec<String>,
    },
    /// Say which warehouse serves an article on lines that name none; a third party serves only what is assigned to it.
    #[command(after_help = "Examples:
  countermand stock assign KITE MILL
  countermand stock assign KITE                              back to our own by priority
  countermand stock assign                                   what is assigned")]
    Assign { sku: Option<String>, warehouse: Option<String> },
    /// Make or change a warehouse.
    #[command(after_help = "Examples:
  countermand stock warehouse LEEDS
  countermand stock warehouse MILL --dropship mww            a third party has the goods
  countermand stock warehouse LEEDS --closed")]
    Warehouse {
        warehouse: String,
        /// A third party holds the goods, and is reached by this integration.
        #[arg(long, value_name = "INTEGRATION")]
        dropship: Option<String>,
        /// Lower is asked first.
        #[arg(long, default_value_t = 1)]
        priority: i64,
        /// It takes nothing and gives nothing.
        #[arg(long)]
        closed: bool,
    },
}

pub async fn run(clients: &Clients, verb: StockVerb, json: bool) -> Result<()> {
    match verb {
        StockVerb::Receive { warehouse, goods } => {
            open(clients, &warehouse).await?;
            let adjustment =
                |(sku, delta): (String, i64)| StockAdjustment { warehouse_id: warehouse.clone(), sku, delta };
            let request = AdjustStockRequest {
                request_id: render::request_id(),
                adjustments: goods.into_iter().map(adjustment).collect(),
            };
            shown(&clients.stock().adjust_stock(request).await?.into_inner().stock, json)
        }
        StockVerb::Show { skus } => {
            let mut stock = Vec::new();
            for sku in skus {
                let request = GetStockRequest { sku, warehouse_id: String::new() };
                stock.extend(clients.stock().get_stock(request).await?.into_inner().stock);
            }
            shown(&stock, json)
        }
        StockVerb::Assign { sku: Some(sku), warehouse } => assign(clients, sku, warehouse).await,
        StockVerb::Assign { sku: None, .. } => assignments(clients, json).await,
        StockVerb::Warehouse { warehouse, dropship, priority, closed } => {
            let kind = if dropship.is_some() { WarehouseKind::Dropship } else { WarehouseKind::Own };
            let warehouse = Warehouse {
                warehouse_id: warehouse,
                kind: kind.into(),
                priority,
                active: !closed,
                integration: dropship.unwrap_or_default(),
            };
            written(clients, warehouse).await
        }
    }
}

/// Makes the warehouse unless it is there; one that is there stays as it is.
pub async fn open(clients: &Clients, warehouse_id: &str) -> Result<()> {
    let mut page_token = String::new();
    loop {
        let request = ListWarehousesRequest { page_size: PAGE_SIZE, page_token };
        let page = clients.stock().list_warehouses(request).await?.into_inner();
        if page.warehouses.iter().any(|warehouse| warehouse.warehouse_id == warehouse_id) {
            return Ok(());
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let warehouse = Warehouse {
        warehouse_id: warehouse_id.to_owned(),
        kind: WarehouseKind::Own.into(),
        priority: 1,
        active: true,
        ..Warehouse::default()
    };
    let request = UpsertWarehouseRequest { request_id: render::request_id(), warehouse: Some(warehouse) };
    clients.stock().upsert_warehouse(request).await?;
    Ok(())
}

async fn written(clients: &Clients, warehouse: Warehouse) -> Result<()> {
    let request = UpsertWarehouseRequest { request_id: render::request_id(), warehouse: Some(warehouse) };
    let warehouse =
        clients.stock().upsert_warehouse(request).await?.into_inner().warehouse.unwrap_or_default();
    let whose = match warehouse.kind() {
        WarehouseKind::Dropship => format!("a third party's, reached by {}", warehouse.integration),
        WarehouseKind::Own | WarehouseKind::Unspecified => "our own".to_owned(),
    };
    let open = if warehouse.active { "open" } else { "closed" };
    say!("{} is {whose}, {open}", warehouse.warehouse_id);
    Ok(())
}

async fn assign(clients: &Clients, sku: String, warehouse: Option<String>) -> Result<()> {
    let warehouse_id = warehouse.unwrap_or_default();
    let request = AssignSkuRequest { request_id: render::request_id(), sku, warehouse_id };
    let assigned = clients.stock().assign_sku(request).await?.into_inner().assignment.unwrap_or_default();
    if assigned.warehouse_id.is_empty() {
        say!("{} is assigned to no warehouse", assigned.sku);
    } else {
        say!("{} is assigned to {}", assigned.sku, assigned.warehouse_id);
    }
    Ok(())
}

async fn assignments(clients: &Clients, json: bool) -> Result<()> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListSkuAssignmentsRequest { page_size: PAGE_SIZE, page_token };
        let page = clients.stock().list_sku_assignments(request).await?.into_inner();
        all.extend(page.assignments);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if json {
        let rows = all
            .iter()
            .map(|row| render::proto_json("countermand.inventory.v1.SkuAssignment", row))
            .collect::<Result<Vec<_>>>()?;
        return render::print_json(&rows);
    }
    let rows = all.into_iter().map(|row| vec![row.sku, row.warehouse_id]);
    say!("{}", render::table(&["sku", "warehouse"], &[], rows));
    Ok(())
}

fn shown(stock: &[Stock], json: bool) -> Result<()> {
    if json {
        let stock = stock
            .iter()
            .map(|row| render::proto_json("countermand.inventory.v1.Stock", row))
            .collect::<Result<Vec<_>>>()?;
        return render::print_json(&stock);
    }
    let rows = stock.iter().map(|row| {
        vec![
            row.warehouse_id.clone(),
            row.sku.clone(),
            render::count(row.on_hand),
            render::count(row.reserved),
            render::count(row.available),
        ]
    });
    say!("{}", render::table(&["warehouse", "sku", "on hand", "reserved", "available"], &[2, 3, 4], rows));
    Ok(())
}

fn parse_goods(text: &str) -> Result<(String, i64), String> {
    let parsed = text.rsplit_once('=').and_then(|(sku, units)| Some((sku.to_owned(), units.parse().ok()?)));
    parsed
        .filter(|(sku, _)| !sku.is_empty())
        .ok_or_else(|| format!("\"{text}\" is not SKU=UNITS, such as MUG=25"))
}
