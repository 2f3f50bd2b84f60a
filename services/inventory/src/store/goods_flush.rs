//! Writing orders' goods: only the rows that are new or not as they were read.

use storage::{DbError, Record, Statement, Table, Tx, record};
use types::{FulfilmentId, LineId, ReservationId};

use crate::domain::{Goods, Line, LineState, Reservation};
use crate::store::delta::Delta;
use crate::store::goods::{OrderKey, RESTOCKED, WRITTEN_OFF};
use crate::store::{labels, partner_tasks};

static INSERT_GOODS: Statement = Statement::new(
    "inventory.insert_goods",
    "INSERT INTO goods rows($1: tenant_id text, order_id text, event_seq bigint, created_at text,
       awaits_payment bigint)",
);

static UPDATE_GOODS: Statement = Statement::new(
    "inventory.update_goods",
    "UPDATE goods SET rows($1: tenant_id text, order_id text | event_seq bigint, awaits_payment bigint)",
);

static INSERT_LINES: Statement = Statement::new(
    "inventory.insert_goods_lines",
    "INSERT INTO goods_line rows($1: tenant_id text, order_id text, line_id text, sku text,
       reserved_quantity bigint, allocated bigint, deallocated bigint, submitted bigint, shipped bigint,
       unshipped bigint, delivered bigint)",
);

static UPDATE_LINES: Statement = Statement::new(
    "inventory.update_goods_lines",
    "UPDATE goods_line SET rows($1: tenant_id text, order_id text, line_id text | reserved_quantity bigint,
       allocated bigint, deallocated bigint, submitted bigint, shipped bigint, unshipped bigint,
       delivered bigint)",
);

static INSERT_FULFILMENTS: Statement = Statement::new(
    "inventory.insert_fulfilments",
    "INSERT INTO fulfilment rows($1: tenant_id text, order_id text, fulfilment_id text, warehouse_id text,
       state text, integration_key text, external_number text, submitted_at text, created_at text)",
);

static UPDATE_FULFILMENTS: Statement = Statement::new(
    "inventory.update_fulfilments",
    "UPDATE fulfilment SET rows($1: tenant_id text, order_id text, fulfilment_id text | state text,
       integration_key text, external_number text, submitted_at text)",
);

static INSERT_RESERVATIONS: Statement = Statement::new(
    "inventory.insert_reservations",
    "INSERT INTO reservation rows($1: tenant_id text, order_id text, reservation_id text, line_id text,
       warehouse_id text, sku text, quantity bigint, state text, saga_id text, held_by text,
       split_of text, fulfilment_id text, created_at text, without_stock bigint)",
);

static UPDATE_RESERVATIONS: Statement = Statement::new(
    "inventory.update_reservations",
    "UPDATE reservation SET rows($1: tenant_id text, order_id text, reservation_id text | quantity bigint,
       state text, held_by text, fulfilment_id text, saga_id text)",
);

static INSERT_FULFILMENT_LINES: Statement = Statement::new(
    "inventory.insert_fulfilment_lines",
    "INSERT INTO fulfilment_line rows($1: tenant_id text, order_id text, fulfilment_line_id text,
       fulfilment_id text, reservation_id text, line_id text, sku text, quantity bigint, state text,
       held_by text, split_of text, tracking_number text, restocked bigint, reshipped bigint,
       resubmit_needed bigint, task_id text, returned text, claimed_by text, label_id text,
       reported_number text)",
);

static UPDATE_FULFILMENT_LINES: Statement = Statement::new(
    "inventory.update_fulfilment_lines",
    "UPDATE fulfilment_line SET rows($1: tenant_id text, order_id text, fulfilment_line_id text |
       quantity bigint, state text, held_by text, tracking_number text, restocked bigint,
       reshipped bigint, resubmit_needed bigint, task_id text, returned text, claimed_by text,
       label_id text, reported_number text)",
);

/// Writes parents before children. Goods whose books do not balance are not written at all.
pub async fn flush(tx: &mut Tx, table: &Table<OrderKey, Goods>) -> Result<(), DbError> {
    let mut changes = Changes::default();
    for (key, goods) in table.inserted().into_iter().chain(table.updated()) {
        if let Some(imbalance) = goods.imbalance() {
            return Err(DbError::malformed("inventory.flush_goods", imbalance));
        }
        changes.collect(key, table.loaded(key), goods);
    }
    changes.heads.write(tx, &INSERT_GOODS, &UPDATE_GOODS).await?;
    changes.lines.write(tx, &INSERT_LINES, &UPDATE_LINES).await?;
    changes.fulfilments.write(tx, &INSERT_FULFILMENTS, &UPDATE_FULFILMENTS).await?;
    changes.reservations.write(tx, &INSERT_RESERVATIONS, &UPDATE_RESERVATIONS).await?;
    changes.fulfilment_lines.write(tx, &INSERT_FULFILMENT_LINES, &UPDATE_FULFILMENT_LINES).await?;
    changes.labels.write(tx, &labels::INSERT, &labels::UPDATE).await?;
    changes.tasks.write(tx, &partner_tasks::INSERT, &partner_tasks::UPDATE).await
}

#[derive(Default)]
struct Changes {
    heads: Delta,
    lines: Delta,
    fulfilments: Delta,
    reservations: Delta,
    fulfilment_lines: Delta,
    labels: Delta,
    tasks: Delta,
}

impl Changes {
    fn collect(&mut self, key: &OrderKey, before: Option<&Goods>, now: &Goods) {
        self.heads.note(before.map(|before| head(key, before)), head(key, now));
        for (id, line) in &now.lines {
            let was = before.and_then(|before| before.lines.get(id));
            if was != Some(line) {
                self.lines.note(was.map(|was| line_row(key, id, was)), line_row(key, id, line));
            }
        }
        for id in now.fulfilments.keys() {
            let was = before.filter(|before| before.fulfilments.contains_key(id));
            self.fulfilments.note(was.map(|was| fulfilment_row(key, id, was)), fulfilment_row(key, id, now));
        }
        for (id, row) in &now.reservations {
            let was = before.and_then(|before| before.reservations.get(id));
            if was == Some(row) {
                continue;
            }
            self.reservations
                .note(was.map(|was| reservation_row(key, id, was)), reservation_row(key, id, row));
            if let Some(line) = fulfilment_line_row(key, id, row) {
                let was = was.and_then(|was| fulfilment_line_row(key, id, was));
                self.fulfilment_lines.note(was, line);
            }
        }
        for (id, label) in &now.labels {
            let was = before.and_then(|before| before.labels.get(id));
            self.labels.note(was.map(|was| labels::row(key, id, was)), labels::row(key, id, label));
        }
        for (id, task) in &now.tasks {
            let was = before.and_then(|before| before.tasks.get(id));
            let was = was.map(|was| partner_tasks::row(key, id, was));
            self.tasks.note(was, partner_tasks::row(key, id, task));
        }
    }
}

fn head((tenant, order): &OrderKey, goods: &Goods) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order,
        event_seq: goods.event_seq,
        created_at: goods.created_at,
        awaits_payment: i64::from(goods.awaits_payment),
    }
}

fn line_row((tenant, order): &OrderKey, id: &LineId, line: &Line) -> Record {
    let counters = line.counters;
    record! {
        tenant_id: tenant,
        order_id: order,
        line_id: id,
        sku: &line.sku,
        reserved_quantity: line.reserved_quantity,
        allocated: counters.allocated,
        deallocated: counters.deallocated,
        submitted: counters.submitted,
        shipped: counters.shipped,
        unshipped: counters.unshipped,
        delivered: counters.delivered,
    }
}

fn fulfilment_row((tenant, order): &OrderKey, id: &FulfilmentId, goods: &Goods) -> Record {
    let fulfilment = &goods.fulfilments[id];
    let state = goods.fulfilment_state(id).as_str();
    let partner = fulfilment.partner.as_ref();
    record! {
        tenant_id: tenant,
        order_id: order,
        fulfilment_id: id,
        warehouse_id: &fulfilment.warehouse_id,
        state: state,
        integration_key: partner.map_or("", |partner| partner.integration.as_str()),
        external_number: partner.map_or("", |partner| partner.external_number.as_str()),
        submitted_at: fulfilment.submitted_at,
        created_at: fulfilment.created_at,
    }
}

fn reservation_row((tenant, order): &OrderKey, id: &ReservationId, row: &Reservation) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order,
        reservation_id: id,
        line_id: &row.line_id,
        warehouse_id: &row.warehouse_id,
        sku: &row.sku,
        quantity: row.quantity,
        state: row.state.as_str(),
        saga_id: &row.saga_id,
        held_by: row.held_by(),
        split_of: row.split_of.as_ref(),
        fulfilment_id: row.packed.as_ref().map(|line| &line.fulfilment_id),
        created_at: row.created_at,
        without_stock: i64::from(row.without_stock),
    }
}

fn fulfilment_line_row((tenant, order): &OrderKey, id: &ReservationId, row: &Reservation) -> Option<Record> {
    let (line, state) = (row.packed.as_ref()?, row.line_state()?);
    let by = row.held_by().or(row.claimed_by());
    let (held_by, claimed_by) = if state == LineState::Delivered { (None, by) } else { (by, None) };
    Some(record! {
        tenant_id: tenant,
        order_id: order,
        fulfilment_line_id: &line.id,
        fulfilment_id: &line.fulfilment_id,
        reservation_id: id,
        line_id: &row.line_id,
        sku: &row.sku,
        quantity: row.quantity,
        state: state.as_str(),
        held_by: held_by,
        split_of: line.split_of.as_ref(),
        tracking_number: row.tracking_number(),
        restocked: line.restocked,
        reshipped: line.reshipped,
        resubmit_needed: i64::from(line.resubmit_needed),
        task_id: line.task.as_ref(),
        returned: row.returned().map(|sellable| if sellable { RESTOCKED } else { WRITTEN_OFF }),
        claimed_by: claimed_by,
        label_id: line.label.as_ref(),
        reported_number: line.reported.as_deref(),
    })
}
