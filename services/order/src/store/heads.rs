//! `order_head`: one row an order, and the lock of everything that belongs to it.

use std::collections::BTreeSet;

use storage::{DbError, Record, Row, Statement, Tx, record, values};
use types::{ChangeOrderId, Currency, OrderId};

use super::keys::{self, OrderKey};
use super::refusals;
use crate::domain::address::Address;
use crate::domain::order::{Actor, AwaitedPayment, Order, Parties, Placement};
use crate::domain::outside::Outside;
use crate::domain::position::Position;

/// The columns of a head, for every statement that reads whole ones.
macro_rules! columns {
    () => {
        "h.tenant_id, h.order_id, h.number, h.currency, h.placement, h.placement_reason, h.placement_message,
         h.placement_details, h.confirmed_at, h.processing_at, h.created_at, h.placed_at, h.created_by_user,
         h.created_by_org, h.created_by_role, h.customer_id, h.buyer, h.supplier, h.source_router,
         h.client_contact, h.placed_minor, h.reversed_minor, h.fees_minor, h.worth_version,
         h.refund_owed_minor, h.position_seq, h.position_version, h.next_owed_minor, h.next_seq,
         h.change_in_progress, h.version, h.pricing_version, h.event_seq, h.timeline_seq, h.attention_open,
         h.cancelled_by_change, h.goodwill_minor, h.outside, h.reissue_of, h.delivered_at,
         h.missing_minor, h.awaits_payment_since, h.address"
    };
}
pub(super) use columns;

/// Taken before anything of the orders is read, in the order of their keys, so that two batches never wait for
/// each other in a circle.
static LOCK: Statement = Statement::new(
    "order.lock_heads",
    "SELECT h.order_id FROM order_head AS h
       JOIN rows($1: tenant_id text, order_id text) AS r
         ON h.tenant_id = r.tenant_id AND h.order_id = r.order_id
      ORDER BY h.tenant_id, h.order_id FOR UPDATE OF h",
);

static LOAD: Statement = Statement::new(
    "order.load_heads",
    concat!(
        "SELECT ",
        columns!(),
        " FROM rows($1: tenant_id text, order_id text) AS r
          JOIN order_head AS h ON h.tenant_id = r.tenant_id AND h.order_id = r.order_id"
    ),
);

static INSERT: Statement = Statement::new(
    "order.insert_heads",
    "INSERT INTO order_head rows($1: tenant_id text, order_id text, number text, currency text,
       placement text, state text, placement_reason text, placement_message text,
       placement_details text, confirmed_at text, processing_at text, created_at text, placed_at text,
       created_by_user text, created_by_org text, created_by_role text, customer_id text, buyer text,
       supplier text, source_router text, client_contact text, placed_minor bigint,
       reversed_minor bigint, fees_minor bigint, worth_version bigint, refund_owed_minor bigint,
       position_seq bigint, position_version bigint, next_owed_minor bigint, next_seq bigint,
       change_in_progress text, version bigint, pricing_version bigint, event_seq bigint,
       timeline_seq bigint, attention_open bigint, cancelled_by_change text, goodwill_minor bigint,
       outside text, delivered_at text, missing_minor bigint, awaits_payment_since text, address text,
       reissue_of text)",
);

/// Only what may change: who placed the order, and when, stays as it was.
static UPDATE: Statement = Statement::new(
    "order.update_heads",
    "UPDATE order_head SET rows($1: tenant_id text, order_id text | placement text, state text,
       placement_reason text, placement_message text, placement_details text, confirmed_at text,
       processing_at text, reversed_minor bigint, fees_minor bigint, worth_version bigint,
       refund_owed_minor bigint, position_seq bigint, position_version bigint, next_owed_minor bigint,
       next_seq bigint, change_in_progress text, version bigint, pricing_version bigint,
       event_seq bigint, timeline_seq bigint, attention_open bigint, cancelled_by_change text,
       goodwill_minor bigint, outside text, delivered_at text, missing_minor bigint,
       awaits_payment_since text, placed_minor bigint, address text)",
);

pub(super) async fn lock(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<(), DbError> {
    tx.fetch_all(&LOCK, values![keys::rows(keys)]).await.map(drop)
}

pub(super) async fn load(tx: &mut Tx, keys: &BTreeSet<OrderKey>) -> Result<Vec<Order>, DbError> {
    let rows = tx.fetch_all(&LOAD, values![keys::rows(keys)]).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn insert(tx: &mut Tx, orders: &[&Order]) -> Result<(), DbError> {
    if orders.is_empty() {
        return Ok(());
    }
    let rows: Vec<Record> = orders.iter().map(|order| changing(order).and(unchanging(order))).collect();
    tx.execute_exactly(&INSERT, values![rows], orders.len() as u64).await
}

pub(super) async fn update(tx: &mut Tx, orders: &[&Order]) -> Result<(), DbError> {
    if orders.is_empty() {
        return Ok(());
    }
    let rows: Vec<Record> = orders.iter().map(|order| changing(order)).collect();
    tx.execute_exactly(&UPDATE, values![rows], orders.len() as u64).await
}

/// The key, and the columns that move.
fn changing(order: &Order) -> Record {
    let (placement, cause) = match &order.placement {
        Placement::Placing => ("placing", None),
        Placement::Open => ("open", None),
        Placement::Failed(cause) => ("failed", Some(cause)),
    };
    let row = record! {
        tenant_id: &order.tenant,
        order_id: &order.order_id,
        placement: placement,
        state: order.state().as_str(),
    };
    row.and(refusals::record(["placement_reason", "placement_message", "placement_details"], cause)).and(
        record! {
            confirmed_at: order.confirmed_at,
            processing_at: order.processing_at,
            reversed_minor: order.reversed_minor,
            fees_minor: order.fees_minor,
            worth_version: order.worth_version,
            refund_owed_minor: order.position.owed_minor,
            position_seq: order.position.sequence,
            position_version: order.position.worth_version,
            next_owed_minor: order.next_position.map(|next| next.owed_minor),
            next_seq: order.next_position.map(|next| next.sequence),
            change_in_progress: order.change_in_progress.as_ref(),
            version: order.version,
            pricing_version: order.pricing_version,
            event_seq: order.event_seq,
            timeline_seq: order.timeline_seq,
            attention_open: order.attention_open,
            cancelled_by_change: order.cancelled_by_change.as_ref(),
            goodwill_minor: order.goodwill_minor,
            outside: outside(&order.outside),
            delivered_at: order.delivered_at,
            missing_minor: order.awaits_payment.map_or(0, |awaited| awaited.missing_minor),
            awaits_payment_since: order.awaits_payment.map(|awaited| awaited.since),
            placed_minor: order.placed_minor,
            address: address(order.address.as_ref()),
        },
    )
}

/// Empty where none was given.
fn address(address: Option<&Address>) -> String {
    address.map_or_else(String::new, |known| serde_json::to_string(known).expect("texts have a JSON form"))
}

fn read_address(text: &str) -> Result<Option<Address>, serde_json::Error> {
    if text.is_empty() { Ok(None) } else { serde_json::from_str(text).map(Some) }
}

/// Most orders have nothing outside, and then nothing is stored.
fn outside(outside: &Outside) -> String {
    if *outside == Outside::default() {
        return String::new();
    }
    serde_json::to_string(outside).expect("plain values have a text")
}

fn read_outside(row: &Row) -> Result<Outside, DbError> {
    match row.text("outside")?.as_str() {
        "" => Ok(Outside::default()),
        text => serde_json::from_str(text).map_err(|problem| DbError::malformed(LOAD.name(), problem)),
    }
}

/// The columns that are written once.
fn unchanging(order: &Order) -> Record {
    let (by, parties) = (&order.created_by, &order.parties);
    record! {
        number: &order.number,
        currency: order.currency.code(),
        created_at: order.created_at,
        placed_at: order.placed_at,
        created_by_user: &by.user,
        created_by_org: &by.organisation,
        created_by_role: &by.role,
        customer_id: &order.customer_id,
        buyer: &parties.buyer,
        supplier: &parties.supplier,
        source_router: &parties.source_router,
        client_contact: &parties.client_contact,
        reissue_of: order.reissue_of.as_ref(),
    }
}

/// A head without what hangs on it.
pub(super) fn read(row: &Row) -> Result<Order, DbError> {
    Ok(Order {
        tenant: row.tenant()?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        number: row.text("number")?,
        currency: row.parsed("currency", Currency::parse)?,
        placement: placement(row)?,
        confirmed_at: row.opt_timestamp("confirmed_at")?,
        processing_at: row.opt_timestamp("processing_at")?,
        delivered_at: row.opt_timestamp("delivered_at")?,
        created_at: row.timestamp("created_at")?,
        placed_at: row.opt_timestamp("placed_at")?,
        created_by: Actor {
            user: row.text("created_by_user")?,
            organisation: row.text("created_by_org")?,
            role: row.text("created_by_role")?,
        },
        customer_id: row.text("customer_id")?,
        parties: Parties {
            buyer: row.text("buyer")?,
            supplier: row.text("supplier")?,
            source_router: row.text("source_router")?,
            client_contact: row.text("client_contact")?,
        },
        placed_minor: row.int("placed_minor")?,
        reversed_minor: row.int("reversed_minor")?,
        fees_minor: row.int("fees_minor")?,
        worth_version: row.int("worth_version")?,
        position: Position {
            sequence: row.int("position_seq")?,
            worth_version: row.int("position_version")?,
            owed_minor: row.int("refund_owed_minor")?,
        },
        next_position: next_position(row)?,
        awaits_payment: match row.opt_timestamp("awaits_payment_since")? {
            Some(since) => Some(AwaitedPayment { missing_minor: row.int("missing_minor")?, since }),
            None => None,
        },
        change_in_progress: row.opt_parsed("change_in_progress", ChangeOrderId::parse)?,
        version: row.int("version")?,
        pricing_version: row.int("pricing_version")?,
        event_seq: row.int("event_seq")?,
        timeline_seq: row.int("timeline_seq")?,
        attention_open: row.int("attention_open")?,
        cancelled_by_change: row.opt_parsed("cancelled_by_change", ChangeOrderId::parse)?,
        goodwill_minor: row.int("goodwill_minor")?,
        reissue_of: row.opt_parsed("reissue_of", OrderId::parse)?,
        outside: read_outside(row)?,
        address: row.parsed("address", read_address)?,
        lines: Vec::new(),
        groups: Vec::new(),
        references: Vec::new(),
    })
}

fn next_position(row: &Row) -> Result<Option<Position>, DbError> {
    let (Some(owed_minor), Some(sequence)) = (row.opt_int("next_owed_minor")?, row.opt_int("next_seq")?)
    else {
        return Ok(None);
    };
    Ok(Some(Position { sequence, worth_version: row.int("worth_version")? + 1, owed_minor }))
}

fn placement(row: &Row) -> Result<Placement, DbError> {
    let cause = refusals::read(row, "placement_reason", "placement_message", "placement_details")?;
    row.named("placement", |text| match (text, cause) {
        ("placing", None) => Some(Placement::Placing),
        ("open", None) => Some(Placement::Open),
        ("failed", Some(cause)) => Some(Placement::Failed(cause)),
        _ => None,
    })
}
