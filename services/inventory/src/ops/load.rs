//! Reading the books of a batch, in the one order in which every batch takes its locks: sagas' fences, then orders,
//! then stock, each by key.

use std::collections::BTreeSet;

use storage::{DbError, RequestKey, RequestKeys, StepLedger, Table, Tx};
use types::Tenant;

use super::books::Books;
use super::command::{Action, Command, Packing, RequestCommand, Step, StepCommand};
use super::labelling::Bought;
use crate::domain::{ReturnedLine, Sku, Wanted, WarehouseId};
use crate::store::assignments::{self, SkuKey};
use crate::store::fulfilments::{self, FulfilmentKey};
use crate::store::goods::{self, OrderKey};
use crate::store::labels::{self, LabelKey};
use crate::store::partner_tasks::{self, TaskKey};
use crate::store::stock::{self, StockKey};
use crate::store::{integrations, partner_numbers, warehouses};

impl Books {
    pub async fn load(tx: &mut Tx, commands: &[Command]) -> Result<Self, DbError> {
        // Whose a label or a task is never changes, so it is read before anything is locked.
        let owners_of_labels = labels::owners(tx, &named_labels(commands)).await?;
        let owners_of_tasks = partner_tasks::owners(tx, &named_tasks(commands)).await?;
        let waiting = owners_of_labels.iter().filter_map(|((tenant, _), owner)| {
            owner.saga_id.clone().map(|saga_id| (tenant.clone(), saga_id))
        });
        let asking = owners_of_tasks
            .iter()
            .filter(|(_, (_, saga_id))| !saga_id.is_empty())
            .map(|((tenant, _), (_, saga_id))| (tenant.clone(), saga_id.clone()));
        let sagas: Vec<(Tenant, String)> = sagas(commands).into_iter().chain(waiting).chain(asking).collect();
        let steps = StepLedger::load(tx, &sagas).await?;
        let requests = RequestKeys::load(tx, &request_keys(commands)).await?;
        let named = named_fulfilments(commands);
        let orders_of_fulfilments = fulfilments::orders(tx, &named).await?;
        let numbers = partner_numbers::load(tx, &named_numbers(commands), &submitted(commands)).await?;
        let tenants: BTreeSet<Tenant> = commands.iter().map(|command| command.tenant().clone()).collect();
        let warehouses = warehouses::load(tx, &tenants).await?;
        let integrations = integrations::load(tx, &tenants).await?;
        let assignments = assignments::load(tx, &named_articles(commands)).await?;

        let mut books = Self {
            steps,
            requests,
            orders_of_fulfilments,
            owners_of_labels,
            owners_of_tasks,
            warehouses,
            integrations,
            assignments,
            numbers,
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
            Command::Errand(errand) => Some((errand.tenant.clone(), errand.order_id.clone())),
            Command::Request(request) => match &request.action {
                Action::UpsertWarehouse { .. }
                | Action::SetStock { .. }
                | Action::AdjustStock(_)
                | Action::AssignSku { .. }
                | Action::UpsertIntegration { .. } => None,
                Action::VoidLabel { label_id } | Action::RestockLabel { label_id, .. } => {
                    let tenant = command.tenant().clone();
                    let owner = self.owners_of_labels.get(&(tenant.clone(), label_id.clone()))?;
                    Some((tenant, owner.order_id.clone()))
                }
                Action::PartnerWord { task_id, .. } | Action::AskedByHand { task_id, .. } => {
                    let tenant = command.tenant().clone();
                    let (order, _) = self.owners_of_tasks.get(&(tenant.clone(), task_id.clone()))?;
                    Some((tenant, order.clone()))
                }
                Action::CreateFulfilment(Packing { order_id, .. }) | Action::TellCart { order_id, .. } => {
                    Some((command.tenant().clone(), order_id.clone()))
                }
                Action::SubmitFulfilment { fulfilment_id, .. }
                | Action::ShipFulfilment { fulfilment_id, .. }
                | Action::DeliverFulfilment { fulfilment_id, .. }
                | Action::UnpackFulfilment { fulfilment_id, .. }
                | Action::MoveFulfilment { fulfilment_id, .. }
                | Action::ReportShipment { fulfilment_id, .. }
                | Action::AttachLabel(Bought { fulfilment_id, .. }) => {
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
                Step::ReserveStock { wanted, .. } => {
                    self.collect_shelves(tenant, &wanted.lines, &mut add);
                    if !wanted.reshipped.is_empty() {
                        self.collect_all(command, &mut add);
                    }
                }
                Step::UnreserveStock
                | Step::ReleaseGoods(_)
                | Step::ResumeGoods
                | Step::KeepGoods
                | Step::WriteDown
                | Step::UnclaimReturned => {
                    self.collect_movable(command, &mut add);
                }
                Step::TakeBack(lines) => self.collect_returned(command, lines, &mut add),
                Step::HoldGoods(_)
                | Step::GoodsPaid
                | Step::Reship
                | Step::StopPartner(_)
                | Step::WithdrawStop
                | Step::VoidLabels
                | Step::ClaimReturned(_) => {}
            },
            Command::Errand(_) => self.collect_movable(command, &mut add),
            Command::Request(request) => match &request.action {
                Action::SetStock { warehouse_id, sku, .. } => add(warehouse_id, sku),
                Action::AdjustStock(adjustments) => {
                    for adjustment in adjustments {
                        add(&adjustment.warehouse_id, &adjustment.sku);
                    }
                }
                Action::ShipFulfilment { .. } | Action::UnpackFulfilment { .. } => {
                    self.collect_movable(command, &mut add);
                }
                Action::ReportShipment { .. } => self.collect_all(command, &mut add),
                Action::CreateFulfilment(Packing { warehouse_id, move_reservation: true, .. })
                | Action::MoveFulfilment { warehouse_id, .. } => {
                    self.collect_movable(command, &mut |_, sku| add(warehouse_id, sku));
                    self.collect_movable(command, &mut add);
                }
                Action::RestockLabel { warehouse_id, .. } => {
                    self.collect_movable(command, &mut |_, sku| add(warehouse_id, sku));
                    self.collect_movable(command, &mut add);
                }
                Action::UpsertWarehouse { .. }
                | Action::AssignSku { .. }
                | Action::CreateFulfilment(_)
                | Action::SubmitFulfilment { .. }
                | Action::DeliverFulfilment { .. }
                | Action::AttachLabel(_)
                | Action::VoidLabel { .. }
                | Action::UpsertIntegration { .. }
                | Action::PartnerWord { .. }
                | Action::AskedByHand { .. }
                | Action::TellCart { .. } => {}
            },
        }
    }

    /// Every shelf that a line might be served from.
    fn collect_shelves(&self, tenant: &Tenant, lines: &[Wanted], add: &mut impl FnMut(&WarehouseId, &Sku)) {
        let active = self.warehouses(tenant).by_priority();
        for line in lines {
            match line.warehouse_id.clone().or_else(|| self.assigned(tenant, &line.sku)) {
                Some(named) => add(&named, &line.sku),
                None => active.iter().for_each(|(warehouse_id, _)| add(warehouse_id, &line.sku)),
            }
        }
    }

    /// The shelves that units which came back go to: the warehouse that is named, or the one they had left.
    fn collect_returned(
        &self,
        command: &Command,
        lines: &[ReturnedLine],
        add: &mut impl FnMut(&WarehouseId, &Sku),
    ) {
        let goods = self.order_of(command).and_then(|key| self.goods.get(&key));
        let rows = goods.into_iter().flat_map(|goods| goods.reservations.values());
        for row in rows.filter(|row| row.claimed_by().is_some()) {
            let line = lines.iter().find(|line| line.line_id == row.line_id);
            let named = line.and_then(|line| line.warehouse_id.as_ref());
            add(named.unwrap_or(&row.warehouse_id), &row.sku);
        }
    }

    /// The shelves that the order's goods still stand on, and those that labelled goods may come back to. Goods that an earlier command of this batch reserves are not
    /// here yet; their stock rows are, because that command has asked for them.
    fn collect_movable(&self, command: &Command, add: &mut impl FnMut(&WarehouseId, &Sku)) {
        let goods = self.order_of(command).and_then(|key| self.goods.get(&key));
        let Some(goods) = goods else { return };
        for row in goods.reservations.values() {
            let claimed = row.claimed_by().is_some();
            if row.is_reserved() || claimed || (row.is_consumed() && !goods.labels.is_empty()) {
                add(&row.warehouse_id, &row.sku);
            }
        }
    }

    /// Every shelf that goods of the order have ever stood on.
    fn collect_all(&self, command: &Command, add: &mut impl FnMut(&WarehouseId, &Sku)) {
        let goods = self.order_of(command).and_then(|key| self.goods.get(&key));
        for row in goods.into_iter().flat_map(|goods| goods.reservations.values()) {
            add(&row.warehouse_id, &row.sku);
        }
    }
}

fn sagas(commands: &[Command]) -> Vec<(Tenant, String)> {
    let sagas = commands.iter().filter_map(|command| match command {
        Command::Step(step) => Some((command.tenant().clone(), step.call.context.saga_id.clone())),
        Command::Errand(errand) => errand.saga_id.clone().map(|saga_id| (errand.tenant.clone(), saga_id)),
        Command::Request(_) => None,
    });
    sagas.collect()
}

fn request_keys(commands: &[Command]) -> Vec<RequestKey> {
    let keys = commands.iter().filter_map(|command| match command {
        Command::Step(_) | Command::Errand(_) => None,
        Command::Request(request) => Some(request.key.clone()),
    });
    keys.collect()
}

fn requests(commands: &[Command]) -> impl Iterator<Item = (&Tenant, &Action)> {
    commands.iter().filter_map(|command| match command {
        Command::Step(_) | Command::Errand(_) => None,
        Command::Request(request) => Some((command.tenant(), &request.action)),
    })
}

fn named_fulfilments(commands: &[Command]) -> BTreeSet<FulfilmentKey> {
    let named = requests(commands).filter_map(|(tenant, action)| match action {
        Action::SubmitFulfilment { fulfilment_id, .. }
        | Action::ShipFulfilment { fulfilment_id, .. }
        | Action::DeliverFulfilment { fulfilment_id, .. }
        | Action::UnpackFulfilment { fulfilment_id, .. }
        | Action::MoveFulfilment { fulfilment_id, .. }
        | Action::ReportShipment { fulfilment_id, .. }
        | Action::AttachLabel(Bought { fulfilment_id, .. }) => Some((tenant.clone(), fulfilment_id.clone())),
        Action::UpsertWarehouse { .. }
        | Action::SetStock { .. }
        | Action::AdjustStock(_)
        | Action::AssignSku { .. }
        | Action::CreateFulfilment(_)
        | Action::VoidLabel { .. }
        | Action::RestockLabel { .. }
        | Action::UpsertIntegration { .. }
        | Action::PartnerWord { .. }
        | Action::AskedByHand { .. }
        | Action::TellCart { .. } => None,
    });
    named.collect()
}

/// Articles whose warehouse may be chosen, or is being assigned.
fn named_articles(commands: &[Command]) -> BTreeSet<SkuKey> {
    let mut named = BTreeSet::new();
    for command in commands {
        let tenant = command.tenant();
        match command {
            Command::Step(StepCommand { step: Step::ReserveStock { wanted, .. }, .. }) => {
                let lines = wanted.lines.iter().filter(|line| line.warehouse_id.is_none());
                named.extend(lines.map(|line| (tenant.clone(), line.sku.clone())));
            }
            Command::Request(RequestCommand { action: Action::AssignSku { sku, .. }, .. }) => {
                named.insert((tenant.clone(), sku.clone()));
            }
            Command::Step(_) | Command::Request(_) | Command::Errand(_) => {}
        }
    }
    named
}

fn submitted(commands: &[Command]) -> BTreeSet<FulfilmentKey> {
    let submitted = requests(commands).filter_map(|(tenant, action)| match action {
        Action::SubmitFulfilment { fulfilment_id, .. } => Some((tenant.clone(), fulfilment_id.clone())),
        _ => None,
    });
    submitted.collect()
}

fn named_numbers(commands: &[Command]) -> BTreeSet<(Tenant, String)> {
    let named = requests(commands).filter_map(|(tenant, action)| match action {
        Action::SubmitFulfilment { external_number, .. } if !external_number.is_empty() => {
            Some((tenant.clone(), external_number.clone()))
        }
        _ => None,
    });
    named.collect()
}

fn named_labels(commands: &[Command]) -> BTreeSet<LabelKey> {
    let named = requests(commands).filter_map(|(tenant, action)| match action {
        Action::VoidLabel { label_id } | Action::RestockLabel { label_id, .. } => {
            Some((tenant.clone(), label_id.clone()))
        }
        _ => None,
    });
    named.collect()
}

fn named_tasks(commands: &[Command]) -> BTreeSet<TaskKey> {
    let named = requests(commands).filter_map(|(tenant, action)| match action {
        Action::PartnerWord { task_id, .. } | Action::AskedByHand { task_id, .. } => {
            Some((tenant.clone(), task_id.clone()))
        }
        _ => None,
    });
    named.collect()
}
