//! Reading the books of a batch, in the one order in which every batch takes its locks: sagas' fences, then orders,
//! then stock, each by key.

use std::collections::BTreeSet;

use storage::{DbError, RequestKey, RequestKeys, StepLedger, Table, Tx};
use types::Tenant;

use super::books::Books;
use super::command::{Action, Command, Step};
use crate::domain::{Sku, Wanted, WarehouseId};
use crate::store::fulfilments::{self, FulfilmentKey};
use crate::store::goods::{self, OrderKey};
use crate::store::stock::{self, StockKey};
use crate::store::warehouses;

impl Books {
    pub async fn load(tx: &mut Tx, commands: &[Command]) -> Result<Self, DbError> {
        let steps = StepLedger::load(tx, &sagas(commands)).await?;
        let requests = RequestKeys::load(tx, &request_keys(commands)).await?;
        let orders_of_fulfilments = fulfilments::orders(tx, &named_fulfilments(commands)).await?;
        let tenants: BTreeSet<Tenant> = commands.iter().map(|command| command.tenant().clone()).collect();
        let warehouses = warehouses::load(tx, &tenants).await?;

        let mut books = Self {
            steps,
            requests,
            orders_of_fulfilments,
            warehouses,
            goods: Table::new(),
            stock: Table::new(),
            ledger: Table::new(),
            events: Table::new(),
        };
        let orders = commands.iter().filter_map(|command| books.order_of(command)).collect();
        books.goods = goods::load(tx, &orders).await?;
        let mut keys = BTreeSet::new();
        for command in commands {
            books.collect_stock(command, &mut keys);
        }
        books.stock = stock::load(tx, &keys).await?;
        Ok(books)
    }

    /// The order whose goods a command is about. None for stock keeping, and for a fulfilment that does not exist.
    pub fn order_of(&self, command: &Command) -> Option<OrderKey> {
        match command {
            Command::Step(step) => Some((command.tenant().clone(), step.order_id.clone())),
            Command::Request(request) => match &request.action {
                Action::UpsertWarehouse { .. } | Action::SetStock { .. } | Action::AdjustStock(_) => None,
                Action::CreateFulfilment { order_id, .. } => {
                    Some((command.tenant().clone(), order_id.clone()))
                }
                Action::SubmitFulfilment { fulfilment_id }
                | Action::ShipFulfilment { fulfilment_id, .. }
                | Action::DeliverFulfilment { fulfilment_id, .. } => {
                    let tenant = command.tenant().clone();
                    let order = self.orders_of_fulfilments.get(&(tenant.clone(), fulfilment_id.clone()))?;
                    Some((tenant, order.clone()))
                }
            },
        }
    }

    /// The stock rows a command may move.
    fn collect_stock(&self, command: &Command, keys: &mut BTreeSet<StockKey>) {
        let tenant = command.tenant();
        let mut add = |warehouse_id: &WarehouseId, sku: &Sku| {
            keys.insert(StockKey {
                tenant: tenant.clone(),
                warehouse_id: warehouse_id.clone(),
                sku: sku.clone(),
            });
        };
        match command {
            Command::Step(step) => match &step.step {
                Step::ReserveStock(lines) => self.collect_shelves(tenant, lines, &mut add),
                Step::UnreserveStock | Step::ReleaseGoods => self.collect_reserved(command, &mut add),
                Step::HoldGoods { .. }
                | Step::ResumeGoods
                | Step::StopPartner
                | Step::WithdrawStop
                | Step::VoidLabels => {}
            },
            Command::Request(request) => match &request.action {
                Action::SetStock { warehouse_id, sku, .. } => add(warehouse_id, sku),
                Action::AdjustStock(adjustments) => {
                    for adjustment in adjustments {
                        add(&adjustment.warehouse_id, &adjustment.sku);
                    }
                }
                Action::ShipFulfilment { .. } => self.collect_reserved(command, &mut add),
                Action::UpsertWarehouse { .. }
                | Action::CreateFulfilment { .. }
                | Action::SubmitFulfilment { .. }
                | Action::DeliverFulfilment { .. } => {}
            },
        }
    }

    /// Every shelf that a line might be served from.
    fn collect_shelves(&self, tenant: &Tenant, lines: &[Wanted], add: &mut impl FnMut(&WarehouseId, &Sku)) {
        let active = self.warehouses(tenant).by_priority();
        for line in lines {
            match &line.warehouse_id {
                Some(named) => add(named, &line.sku),
                None => active.iter().for_each(|(warehouse_id, _)| add(warehouse_id, &line.sku)),
            }
        }
    }

    /// The shelves that the order's goods still stand on. Goods that an earlier command of this batch reserves are not
    /// here yet; their stock rows are, because that command has asked for them.
    fn collect_reserved(&self, command: &Command, add: &mut impl FnMut(&WarehouseId, &Sku)) {
        let goods = self.order_of(command).and_then(|key| self.goods.get(&key));
        for row in goods.into_iter().flat_map(|goods| goods.reservations.values()) {
            if row.is_reserved() {
                add(&row.warehouse_id, &row.sku);
            }
        }
    }
}

fn sagas(commands: &[Command]) -> Vec<(Tenant, String)> {
    let sagas = commands.iter().filter_map(|command| match command {
        Command::Step(step) => Some((command.tenant().clone(), step.call.context.saga_id.clone())),
        Command::Request(_) => None,
    });
    sagas.collect()
}

fn request_keys(commands: &[Command]) -> Vec<RequestKey> {
    let keys = commands.iter().filter_map(|command| match command {
        Command::Step(_) => None,
        Command::Request(request) => Some(request.key.clone()),
    });
    keys.collect()
}

fn named_fulfilments(commands: &[Command]) -> BTreeSet<FulfilmentKey> {
    let named = commands.iter().filter_map(|command| match command {
        Command::Step(_) => None,
        Command::Request(request) => match &request.action {
            Action::SubmitFulfilment { fulfilment_id }
            | Action::ShipFulfilment { fulfilment_id, .. }
            | Action::DeliverFulfilment { fulfilment_id, .. } => {
                Some((command.tenant().clone(), fulfilment_id.clone()))
            }
            Action::UpsertWarehouse { .. }
            | Action::SetStock { .. }
            | Action::AdjustStock(_)
            | Action::CreateFulfilment { .. } => None,
        },
    });
    named.collect()
}
