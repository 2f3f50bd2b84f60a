//! Writing orders' goods: only the rows that are new or not as they were read.

use storage::{DbError, Statement, Table, Tx, Value, values};
use types::{FulfilmentId, LineId, ReservationId};

use crate::domain::{Goods, Line, LineState, Reservation};
use crate::store::delta::Delta;
use crate::store::goods::{OrderKey, RESTOCKED, WRITTEN_OFF};
use crate::store::{labels, partner_tasks};

static INSERT_GOODS: Statement = Statement::new(
    "inventory.insert_goods",
    "INSERT INTO goods (tenant_id, order_id, event_seq, created_at, awaits_payment)
     SELECT tenant_id, order_id, event_seq, created_at, awaits_payment
       FROM rows($1: tenant_id text, order_id text, event_seq bigint, created_at text, awaits_payment bigint)",
);

static UPDATE_GOODS: Statement = Statement::new(
    "inventory.update_goods",
    "UPDATE goods SET event_seq = r.event_seq, awaits_payment = r.awaits_payment
       FROM rows($1: tenant_id text, order_id text, event_seq bigint, created_at text, awaits_payment bigint) AS r
      WHERE goods.tenant_id = r.tenant_id AND goods.order_id = r.order_id",
);

static INSERT_LINES: Statement = Statement::new(
    "inventory.insert_goods_lines",
    "INSERT INTO goods_line (tenant_id, order_id, line_id, sku, reserved_quantity, allocated, deallocated, submitted,
                             shipped, unshipped, delivered)
     SELECT tenant_id, order_id, line_id, sku, reserved_quantity, allocated, deallocated, submitted, shipped,
            unshipped, delivered
       FROM rows($1: tenant_id text, order_id text, line_id text, sku text, reserved_quantity bigint,
                 allocated bigint, deallocated bigint, submitted bigint, shipped bigint, unshipped bigint,
                 delivered bigint)",
);

static UPDATE_LINES: Statement = Statement::new(
    "inventory.update_goods_lines",
    "UPDATE goods_line SET reserved_quantity = r.reserved_quantity, allocated = r.allocated,
            deallocated = r.deallocated, submitted = r.submitted, shipped = r.shipped, unshipped = r.unshipped, delivered = r.delivered
       FROM rows($1: tenant_id text, order_id text, line_id text, sku text, reserved_quantity bigint,
                 allocated bigint, deallocated bigint, submitted bigint, shipped bigint, unshipped bigint,
                 delivered bigint) AS r
      WHERE goods_line.tenant_id = r.tenant_id AND goods_line.order_id = r.order_id
        AND goods_line.line_id = r.line_id",
);

static INSERT_FULFILMENTS: Statement = Statement::new(
    "inventory.insert_fulfilments",
    "INSERT INTO fulfilment (tenant_id, order_id, fulfilment_id, warehouse_id, state, integration_key,
                             external_number, submitted_at, created_at)
     SELECT tenant_id, order_id, fulfilment_id, warehouse_id, state, integration_key, external_number, submitted_at,
            created_at
       FROM rows($1: tenant_id text, order_id text, fulfilment_id text, warehouse_id text, state text,
                 integration_key text, external_number text, submitted_at text, created_at text)",
);

static UPDATE_FULFILMENTS: Statement = Statement::new(
    "inventory.update_fulfilments",
    "UPDATE fulfilment SET state = r.state, integration_key = r.integration_key,
            external_number = r.external_number, submitted_at = r.submitted_at
       FROM rows($1: tenant_id text, order_id text, fulfilment_id text, warehouse_id text, state text,
                 integration_key text, external_number text, submitted_at text, created_at text) AS r
      WHERE fulfilment.tenant_id = r.tenant_id AND fulfilment.order_id = r.order_id
        AND fulfilment.fulfilment_id = r.fulfilment_id",
);

static INSERT_RESERVATIONS: Statement = Statement::new(
    "inventory.insert_reservations",
    "INSERT INTO reservation (tenant_id, order_id, reservation_id, line_id, warehouse_id, sku, quantity, state,
                              saga_id, held_by, split_of, fulfilment_id, created_at, without_stock)
     SELECT tenant_id, order_id, reservation_id, line_id, warehouse_id, sku, quantity, state, saga_id, held_by,
            split_of, fulfilment_id, created_at, without_stock
       FROM rows($1: tenant_id text, order_id text, reservation_id text, line_id text, warehouse_id text, sku text,
                 quantity bigint, state text, saga_id text, held_by text, split_of text, fulfilment_id text,
                 created_at text, without_stock bigint)",
);

static UPDATE_RESERVATIONS: Statement = Statement::new(
    "inventory.update_reservations",
    "UPDATE reservation SET quantity = r.quantity, state = r.state, held_by = r.held_by,
            fulfilment_id = r.fulfilment_id, saga_id = r.saga_id
       FROM rows($1: tenant_id text, order_id text, reservation_id text, line_id text, warehouse_id text, sku text,
                 quantity bigint, state text, saga_id text, held_by text, split_of text, fulfilment_id text,
                 created_at text, without_stock bigint) AS r
      WHERE reservation.tenant_id = r.tenant_id AND reservation.order_id = r.order_id
        AND reservation.reservation_id = r.reservation_id",
);

static INSERT_FULFILMENT_LINES: Statement = Statement::new(
    "inventory.insert_fulfilment_lines",
    "INSERT INTO fulfilment_line (tenant_id, order_id, fulfilment_line_id, fulfilment_id, reservation_id, line_id, sku,
                                  quantity, state, held_by, split_of, tracking_number, restocked, reshipped,
                                  resubmit_needed, task_id, returned, claimed_by, label_id,
                                  reported_number)
     SELECT tenant_id, order_id, fulfilment_line_id, fulfilment_id, reservation_id, line_id, sku, quantity, state,
            held_by, split_of, tracking_number, restocked, reshipped, resubmit_needed, task_id, returned,
            claimed_by, label_id, reported_number
       FROM rows($1: tenant_id text, order_id text, fulfilment_line_id text, fulfilment_id text, reservation_id text,
                 line_id text, sku text, quantity bigint, state text, held_by text, split_of text,
                 tracking_number text, restocked bigint, reshipped bigint, resubmit_needed bigint, task_id text,
                 returned text, claimed_by text, label_id text, reported_number text)",
);

static UPDATE_FULFILMENT_LINES: Statement = Statement::new(
    "inventory.update_fulfilment_lines",
    "UPDATE fulfilment_line SET quantity = r.quantity, state = r.state, held_by = r.held_by,
            tracking_number = r.tracking_number, restocked = r.restocked, reshipped = r.reshipped,
            resubmit_needed = r.resubmit_needed, task_id = r.task_id, returned = r.returned, claimed_by = r.claimed_by,
            label_id = r.label_id, reported_number = r.reported_number
       FROM rows($1: tenant_id text, order_id text, fulfilment_line_id text, fulfilment_id text, reservation_id text,
                 line_id text, sku text, quantity bigint, state text, held_by text, split_of text,
                 tracking_number text, restocked bigint, reshipped bigint, resubmit_needed bigint, task_id text,
                 returned text, claimed_by text, label_id text, reported_number text) AS r
      WHERE fulfilment_line.tenant_id = r.tenant_id AND fulfilment_line.order_id = r.order_id
        AND fulfilment_line.fulfilment_line_id = r.fulfilment_line_id",
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

fn head((tenant, order): &OrderKey, goods: &Goods) -> Vec<Value> {
    values![tenant, order, goods.event_seq, goods.created_at, i64::from(goods.awaits_payment)]
}

fn line_row((tenant, order): &OrderKey, id: &LineId, line: &Line) -> Vec<Value> {
    let counters = line.counters;
    values![
        tenant,
        order,
        id,
        &line.sku,
        line.reserved_quantity,
        counters.allocated,
        counters.deallocated,
        counters.submitted,
        counters.shipped,
        counters.unshipped,
        counters.delivered,
    ]
}

fn fulfilment_row((tenant, order): &OrderKey, id: &FulfilmentId, goods: &Goods) -> Vec<Value> {
    let fulfilment = &goods.fulfilments[id];
    let state = goods.fulfilment_state(id).as_str();
    let partner = fulfilment.partner.as_ref();
    values![
        tenant,
        order,
        id,
        &fulfilment.warehouse_id,
        state,
        partner.map_or("", |partner| partner.integration.as_str()),
        partner.map_or("", |partner| partner.external_number.as_str()),
        fulfilment.submitted_at,
        fulfilment.created_at,
    ]
}

fn reservation_row((tenant, order): &OrderKey, id: &ReservationId, row: &Reservation) -> Vec<Value> {
    values![
        tenant,
        order,
        id,
        &row.line_id,
        &row.warehouse_id,
        &row.sku,
        row.quantity,
        row.state.as_str(),
        &row.saga_id,
        row.held_by(),
        row.split_of.as_ref(),
        row.packed.as_ref().map(|line| &line.fulfilment_id),
        row.created_at,
        i64::from(row.without_stock),
    ]
}

fn fulfilment_line_row(
    (tenant, order): &OrderKey,
    id: &ReservationId,
    row: &Reservation,
) -> Option<Vec<Value>> {
    let (line, state) = (row.packed.as_ref()?, row.line_state()?);
    let by = row.held_by().or(row.claimed_by());
    let (held_by, claimed_by) = if state == LineState::Delivered { (None, by) } else { (by, None) };
    Some(values![
        tenant,
        order,
        &line.id,
        &line.fulfilment_id,
        id,
        &row.line_id,
        &row.sku,
        row.quantity,
        state.as_str(),
        held_by,
        line.split_of.as_ref(),
        row.tracking_number(),
        line.restocked,
        line.reshipped,
        i64::from(line.resubmit_needed),
        line.task.as_ref(),
        row.returned().map(|sellable| if sellable { RESTOCKED } else { WRITTEN_OFF }),
        claimed_by,
        line.label.as_ref(),
        line.reported.as_deref(),
    ])
}
