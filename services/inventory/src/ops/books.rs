//! The books of one batch: everything its commands may touch, as it was read and as they leave it.

use std::collections::BTreeMap;

use storage::{DbError, NewEvent, Overlay, RequestKeys, StepLedger, Table, Tx, outbox};
use types::{LineId, OrderId, Refusal, ReservationId, Tenant, Timestamp};

use crate::domain::{
    Goods, Integrations, Moment, Movement, Posting, PostingError, Sku, Stock, WarehouseId, Warehouses,
};
use crate::store::assignments::Assignments;
use crate::store::fulfilments::FulfilmentKey;
use crate::store::goods::OrderKey;
use crate::store::labels::{LabelKey, Owner};
use crate::store::partner_numbers::Numbers;
use crate::store::partner_tasks::TaskKey;
use crate::store::stock::{Ledger, LedgerRow, Origin, StockKey};
use crate::store::{assignments, goods_flush, integrations, partner_numbers, stock, warehouses};

/// The four verbs of every overlay: load, mark, rollback, flush. [`Books::load`] stands in `load.rs`.
pub struct Books {
    pub steps: StepLedger,
    pub requests: RequestKeys,
    pub orders_of_fulfilments: BTreeMap<FulfilmentKey, OrderId>,
    pub owners_of_labels: BTreeMap<LabelKey, Owner>,
    pub owners_of_tasks: BTreeMap<TaskKey, (OrderId, String)>,
    pub warehouses: Table<Tenant, Warehouses>,
    pub integrations: Table<Tenant, Integrations>,
    pub assignments: Assignments,
    pub numbers: Numbers,
    pub goods: Table<OrderKey, Goods>,
    pub stock: Table<StockKey, Stock>,
    pub ledger: Ledger,
    pub events: Table<(OrderKey, i64), NewEvent>,
}

/// Why a command can't be done: the rules say no, or the books themselves are wrong.
pub enum Stop {
    Refused(Refusal),
    Broken(DbError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Broken(error)
    }
}

/// What a change of goods or stock is written down with.
pub struct Cause<'a> {
    pub origin: Origin,
    pub moment: Moment<'a>,
    pub traceparent: Option<&'a str>,
}

/// What a stock movement is for.
pub enum Purpose<'a> {
    /// A count, a receipt or a correction.
    StockKeeping,
    Goods {
        order: &'a OrderId,
        line: &'a LineId,
        reservation: &'a ReservationId,
    },
}

impl Overlay for Books {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self {
            steps,
            requests,
            orders_of_fulfilments: _,
            owners_of_labels: _,
            owners_of_tasks: _,
            warehouses,
            integrations,
            assignments,
            numbers,
            goods,
            stock,
            ledger,
            events,
        } = self;
        vec![steps, requests, warehouses, integrations, assignments, numbers, goods, stock, ledger, events]
    }
}

impl Books {
    /// Writes what has changed, parents before children.
    pub async fn flush(&self, tx: &mut Tx, now: Timestamp) -> Result<(), DbError> {
        self.steps.flush(tx).await?;
        self.requests.flush(tx).await?;
        warehouses::flush(tx, &self.warehouses).await?;
        integrations::flush(tx, &self.integrations, now).await?;
        assignments::flush(tx, &self.assignments).await?;
        partner_numbers::flush(tx, &self.numbers).await?;
        goods_flush::flush(tx, &self.goods).await?;
        stock::flush(tx, &self.stock, &self.ledger).await?;
        let events: Vec<NewEvent> = self.events.values().cloned().collect();
        outbox::append(tx, &events).await
    }

    pub fn warehouses(&self, tenant: &Tenant) -> &Warehouses {
        self.warehouses.get(tenant).expect("the warehouses of every tenant of the batch were read")
    }

    pub fn integrations(&self, tenant: &Tenant) -> &Integrations {
        self.integrations.get(tenant).expect("the profiles of every tenant of the batch were read")
    }

    /// The warehouse that an article is assigned to.
    pub fn assigned(&self, tenant: &Tenant, sku: &Sku) -> Option<WarehouseId> {
        self.assignments.get(&(tenant.clone(), sku.clone())).cloned().flatten()
    }

    /// What a warehouse of our own has free of an article. A row that does not exist has nothing.
    pub fn available(&self, tenant: &Tenant, warehouse_id: &WarehouseId, sku: &Sku) -> i64 {
        let key = StockKey { tenant: tenant.clone(), warehouse_id: warehouse_id.clone(), sku: sku.clone() };
        self.stock.get(&key).map_or(0, Stock::available)
    }

    /// Moves one stock row and writes the ledger's entry. After an error the command must be rolled back.
    pub fn post(
        &mut self,
        key: StockKey,
        posting: Posting,
        purpose: &Purpose<'_>,
        cause: &Cause<'_>,
    ) -> Result<(), PostingError> {
        if !self.stock.contains(&key) {
            self.stock.insert(key.clone(), Stock::default());
        }
        let entry =
            self.stock.update(&key, |stock| stock.post(posting)).expect("the row was made sure of")?;
        let (reservation_id, order_id, line_id) = match purpose {
            Purpose::StockKeeping => (place_name(&key), String::new(), String::new()),
            Purpose::Goods { order, line, reservation } => {
                (reservation.to_string(), order.to_string(), line.to_string())
            }
        };
        let (origin, at) = (cause.origin.clone(), cause.moment.at);
        let row = LedgerRow { entry, origin, reservation_id, order_id, line_id, at };
        self.ledger.insert((key, row.entry.seq), row);
        Ok(())
    }

    /// Takes over an order's changed goods together with the stock they move. A movement that does not fit the stock
    /// is no refusal: the rules were asked before, so the books disagree with themselves and nothing is written.
    pub fn put_goods(
        &mut self,
        key: &OrderKey,
        goods: Goods,
        movements: Vec<Movement>,
        cause: &Cause<'_>,
    ) -> Result<(), DbError> {
        let (tenant, order_id) = key;
        for movement in movements {
            if !goods.moves_stock(&movement, self.warehouses(tenant)) {
                continue;
            }
            let stock_key =
                StockKey { tenant: tenant.clone(), warehouse_id: movement.warehouse_id, sku: movement.sku };
            let purpose = Purpose::Goods {
                order: order_id,
                line: &movement.line_id,
                reservation: &movement.reservation_id,
            };
            self.post(stock_key, movement.posting, &purpose, cause)
                .map_err(|problem| DbError::malformed("inventory.put_goods", problem))?;
        }
        if self.goods.contains(key) {
            let replaced = self.goods.update(key, |row| *row = goods);
            replaced.expect("the row was found above");
        } else {
            self.goods.insert(key.clone(), goods);
        }
        Ok(())
    }
}

/// Stands in the ledger's uniqueness in place of a reservation, so two places must never have one name: the slash
/// between the parts is the first one.
fn place_name(key: &StockKey) -> String {
    let warehouse = key.warehouse_id.as_str().replace('%', "%25").replace('/', "%2F");
    format!("{warehouse}/{}", key.sku.as_str())
}
