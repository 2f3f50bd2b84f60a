//! Reading orders' goods: the order's own row, which is its lock, and everything below it.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, values};
use types::{FulfilmentId, FulfilmentLineId, LabelId, LineId, OrderId, PartnerTaskId, ReservationId, Tenant};

use crate::domain::{
    AfterShip, Counters, Fulfilment, FulfilmentLine, Goods, IntegrationKey, Line, LineState, Partner,
    Reservation, Sku, State, WarehouseId,
};
use crate::store::{labels, partner_tasks};

static LOCK: Statement = Statement::new(
    "inventory.lock_goods",
    "SELECT g.tenant_id, g.order_id, g.event_seq, g.created_at, g.awaits_payment
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN goods AS g ON g.tenant_id = r.tenant_id AND g.order_id = r.order_id
      ORDER BY g.tenant_id, g.order_id FOR UPDATE OF g",
);

static READ: Statement = Statement::new(
    "inventory.read_goods",
    "SELECT tenant_id, order_id, event_seq, created_at, awaits_payment FROM goods
      WHERE tenant_id = $1 AND order_id = $2",
);

static LINES: Statement = Statement::new(
    "inventory.load_goods_lines",
    "SELECT l.tenant_id, l.order_id, l.line_id, l.sku, l.reserved_quantity, l.allocated, l.deallocated, l.submitted,
            l.shipped, l.unshipped, l.delivered
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN goods_line AS l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id",
);

static FULFILMENTS: Statement = Statement::new(
    "inventory.load_fulfilments",
    "SELECT f.tenant_id, f.order_id, f.fulfilment_id, f.warehouse_id, f.integration_key, f.external_number,
            f.submitted_at, f.created_at
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN fulfilment AS f ON f.tenant_id = r.tenant_id AND f.order_id = r.order_id",
);

static RESERVATIONS: Statement = Statement::new(
    "inventory.load_reservations",
    "SELECT v.tenant_id, v.order_id, v.reservation_id, v.line_id, v.warehouse_id, v.sku, v.quantity, v.state,
            v.saga_id, v.held_by, v.split_of, v.created_at, f.fulfilment_line_id, f.fulfilment_id,
            f.state AS line_state, f.split_of AS line_split_of, COALESCE(f.held_by, f.claimed_by) AS line_held_by,
            f.tracking_number,
            f.restocked, f.reshipped, f.resubmit_needed, f.task_id, f.returned, f.label_id, f.reported_number,
            v.without_stock
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN reservation AS v ON v.tenant_id = r.tenant_id AND v.order_id = r.order_id
       LEFT JOIN fulfilment_line AS f
         ON f.tenant_id = v.tenant_id AND f.order_id = v.order_id AND f.reservation_id = v.reservation_id",
);

/// What a fulfilment line says of units that came back.
pub const RESTOCKED: &str = "restocked";
pub const WRITTEN_OFF: &str = "written_off";

pub type OrderKey = (Tenant, OrderId);

/// Locks and reads the goods of these orders. Orders without goods are simply absent.
pub async fn load(tx: &mut Tx, orders: &BTreeSet<OrderKey>) -> Result<Table<OrderKey, Goods>, DbError> {
    let mut table = Table::new();
    if orders.is_empty() {
        return Ok(table);
    }
    let rows: Rows = orders.iter().map(|(tenant, order)| values![tenant, order]).collect();
    let heads = tx.fetch_all(&LOCK, values![rows]).await?;
    for (key, goods) in complete(tx, &heads).await? {
        table.load(key, goods);
    }
    Ok(table)
}

/// Reads one order's goods without locking anything.
pub async fn read(tx: &mut Tx, tenant: &Tenant, order: &OrderId) -> Result<Option<Goods>, DbError> {
    let heads = tx.fetch_all(&READ, values![tenant, order]).await?;
    Ok(complete(tx, &heads).await?.into_values().next())
}

async fn complete(tx: &mut Tx, heads: &[Row]) -> Result<BTreeMap<OrderKey, Goods>, DbError> {
    let mut all = BTreeMap::new();
    for row in heads {
        let (tenant, order) = key(row)?;
        let mut goods = Goods::new(order.clone(), row.timestamp("created_at")?);
        goods.event_seq = row.int("event_seq")?;
        goods.awaits_payment = row.int("awaits_payment")? == 1;
        all.insert((tenant, order), goods);
    }
    if all.is_empty() {
        return Ok(all);
    }
    let rows: Rows = all.keys().map(|(tenant, order)| values![tenant, order]).collect();
    for row in tx.fetch_all(&LINES, values![rows.clone()]).await? {
        let (id, line) = line(&row)?;
        owner(&mut all, &row)?.lines.insert(id, line);
    }
    for row in tx.fetch_all(&FULFILMENTS, values![rows.clone()]).await? {
        let (id, fulfilment) = fulfilment(&row)?;
        owner(&mut all, &row)?.fulfilments.insert(id, fulfilment);
    }
    for row in tx.fetch_all(&RESERVATIONS, values![rows.clone()]).await? {
        let (id, reservation) = reservation(&row)?;
        owner(&mut all, &row)?.reservations.insert(id, reservation);
    }
    for row in labels::load(tx, &rows).await? {
        let (id, label) = labels::read(&row)?;
        owner(&mut all, &row)?.labels.insert(id, label);
    }
    for row in partner_tasks::load(tx, &rows).await? {
        let (id, task) = partner_tasks::read(&row)?;
        owner(&mut all, &row)?.tasks.insert(id, task);
    }
    Ok(all)
}

fn key(row: &Row) -> Result<OrderKey, DbError> {
    Ok((row.tenant()?, row.parsed("order_id", OrderId::parse)?))
}

fn owner<'a>(all: &'a mut BTreeMap<OrderKey, Goods>, row: &Row) -> Result<&'a mut Goods, DbError> {
    let key = key(row)?;
    Ok(all.get_mut(&key).expect("the rows were read for these orders only"))
}

fn line(row: &Row) -> Result<(LineId, Line), DbError> {
    let counters = Counters {
        allocated: row.int("allocated")?,
        deallocated: row.int("deallocated")?,
        submitted: row.int("submitted")?,
        shipped: row.int("shipped")?,
        unshipped: row.int("unshipped")?,
        delivered: row.int("delivered")?,
    };
    let line = Line {
        sku: row.parsed("sku", Sku::parse)?,
        reserved_quantity: row.int("reserved_quantity")?,
        counters,
    };
    Ok((row.parsed("line_id", LineId::parse)?, line))
}

fn fulfilment(row: &Row) -> Result<(FulfilmentId, Fulfilment), DbError> {
    let external_number = row.text("external_number")?;
    let partner = if external_number.is_empty() {
        None
    } else {
        Some(Partner { integration: row.parsed("integration_key", IntegrationKey::parse)?, external_number })
    };
    let fulfilment = Fulfilment {
        warehouse_id: row.parsed("warehouse_id", WarehouseId::parse)?,
        created_at: row.timestamp("created_at")?,
        partner,
        submitted_at: row.opt_timestamp("submitted_at")?,
    };
    Ok((row.parsed("fulfilment_id", FulfilmentId::parse)?, fulfilment))
}

fn reservation(row: &Row) -> Result<(ReservationId, Reservation), DbError> {
    let id = row.parsed("reservation_id", ReservationId::parse)?;
    let line_state = match row.opt_text("line_state")? {
        Some(_) => Some(row.named("line_state", LineState::from_name)?),
        None => None,
    };
    let packed = match row.opt_parsed("fulfilment_line_id", FulfilmentLineId::parse)? {
        Some(line_id) => Some(FulfilmentLine {
            id: line_id,
            fulfilment_id: row.parsed("fulfilment_id", FulfilmentId::parse)?,
            split_of: row.opt_parsed("line_split_of", FulfilmentLineId::parse)?,
            submitted: line_state.is_some_and(|state| state != LineState::Allocated),
            restocked: row.int("restocked")?,
            reshipped: row.int("reshipped")?,
            resubmit_needed: row.int("resubmit_needed")? == 1,
            task: row.opt_parsed("task_id", PartnerTaskId::parse)?,
            label: row.opt_parsed("label_id", LabelId::parse)?,
            reported: row.opt_text("reported_number")?,
        }),
        None => None,
    };
    let reservation = Reservation {
        line_id: row.parsed("line_id", LineId::parse)?,
        warehouse_id: row.parsed("warehouse_id", WarehouseId::parse)?,
        sku: row.parsed("sku", Sku::parse)?,
        without_stock: row.int("without_stock")? == 1,
        quantity: row.int("quantity")?,
        state: state(row, line_state)?,
        saga_id: row.text("saga_id")?,
        split_of: row.opt_parsed("split_of", ReservationId::parse)?,
        packed,
        created_at: row.timestamp("created_at")?,
    };
    Ok((id, reservation))
}

fn state(row: &Row, line_state: Option<LineState>) -> Result<State, DbError> {
    let name = row.text("state")?;
    let read = match (name.as_str(), row.opt_text("held_by")?, row.opt_text("tracking_number")?) {
        ("active", None, None) => Some(State::Active),
        ("held", Some(by), None) => Some(State::Held { by }),
        ("released", None, None) if line_state == Some(LineState::Unpacked) => Some(State::Unpacked),
        ("released", None, None) => Some(State::Released),
        ("released", None, Some(tracking_number)) => Some(State::ShippedAfterCancel { tracking_number }),
        ("consumed", None, Some(tracking_number)) => {
            let delivered = line_state == Some(LineState::Delivered);
            let after = match (line_state, row.opt_text("line_held_by")?, row.opt_text("returned")?) {
                (Some(LineState::CancelledAfterShip), ..) => AfterShip::Cancelled,
                (_, Some(by), _) => AfterShip::Claimed { by },
                (_, None, Some(what)) => AfterShip::Returned { sellable: what == RESTOCKED },
                (_, None, None) => AfterShip::Sold,
            };
            Some(State::Consumed { tracking_number, delivered, after })
        }
        _ => None,
    };
    let detail = || format!("a reservation is {name} and its holder or tracking number says otherwise");
    read.ok_or_else(|| DbError::malformed(RESERVATIONS.name(), detail()))
}
