//! What the service is asked to do, and what it answers.

use proto::inventory::v1::GoodsReply;
use storage::{RequestKey, StepCall};
use types::{Fingerprint, FulfilmentId, OrderId, Refusal, ReservationId, Tenant};

use crate::domain::{
    FulfilmentState, Goods, HoldLine, Reservation, Selection, Sku, Stock, Wanted, Warehouse, WarehouseId,
};

#[derive(Debug, Clone)]
pub enum Command {
    Step(StepCommand),
    Request(RequestCommand),
}

/// One step of a saga.
#[derive(Debug, Clone)]
pub struct StepCommand {
    pub call: StepCall,
    pub order_id: OrderId,
    pub step: Step,
    pub traceparent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    ReserveStock(Vec<Wanted>),
    UnreserveStock,
    HoldGoods { lines: Vec<HoldLine>, void_label: bool },
    ResumeGoods,
    StopPartner,
    WithdrawStop,
    ReleaseGoods,
    VoidLabels,
}

/// One mutation of a client.
#[derive(Debug, Clone)]
pub struct RequestCommand {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub action: Action,
    pub traceparent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    UpsertWarehouse { id: WarehouseId, warehouse: Warehouse },
    SetStock { warehouse_id: WarehouseId, sku: Sku, on_hand: i64 },
    AdjustStock(Vec<Adjustment>),
    CreateFulfilment { order_id: OrderId, warehouse_id: WarehouseId, lines: Vec<Selection> },
    SubmitFulfilment { fulfilment_id: FulfilmentId },
    ShipFulfilment { fulfilment_id: FulfilmentId, lines: Vec<Selection>, tracking_number: String },
    DeliverFulfilment { fulfilment_id: FulfilmentId, lines: Vec<Selection> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub warehouse_id: WarehouseId,
    pub sku: Sku,
    pub delta: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Step(StepAnswer),
    Request(Result<Resource, Refusal>),
}

/// The answer to a step, as it is recorded in the ledger. No step of this service ends later than its call.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAnswer {
    Applied(GoodsReply),
    Refused(Refusal),
}

/// What a mutation leaves behind, as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Warehouse(WarehouseId, Warehouse),
    Stock(Vec<ShownStock>),
    Fulfilment(ShownFulfilment),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStock {
    pub warehouse_id: WarehouseId,
    pub sku: Sku,
    pub stock: Stock,
}

/// A fulfilment with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFulfilment {
    pub id: FulfilmentId,
    pub order_id: OrderId,
    pub warehouse_id: WarehouseId,
    pub state: FulfilmentState,
    pub lines: Vec<(ReservationId, Reservation)>,
}

impl ShownFulfilment {
    /// None if the goods have no such fulfilment.
    pub fn of(goods: &Goods, id: &FulfilmentId) -> Option<Self> {
        let fulfilment = goods.fulfilments.get(id)?;
        let lines = goods.reservations.iter().filter(|(_, row)| row.is_packed_in(id));
        Some(Self {
            id: id.clone(),
            order_id: goods.order_id.clone(),
            warehouse_id: fulfilment.warehouse_id.clone(),
            state: goods.fulfilment_state(id),
            lines: lines.map(|(id, row)| (id.clone(), row.clone())).collect(),
        })
    }
}

impl Command {
    pub fn tenant(&self) -> &Tenant {
        match self {
            Self::Step(command) => &command.call.context.tenant,
            Self::Request(command) => &command.key.tenant,
        }
    }

    /// Two commands with one idempotency key must not meet in a batch; commands that merely touch the same goods may,
    /// because each is decided on what the one before it has left.
    pub fn key(&self) -> String {
        match self {
            Self::Step(command) => {
                let context = &command.call.context;
                let (tenant, direction) = (&context.tenant, context.direction.as_str());
                format!("{tenant}\n{}\n{}\n{direction}", context.saga_id, context.step)
            }
            Self::Request(command) => {
                let key = &command.key;
                format!("{}\n{}\n{}", key.tenant, key.method, key.request_id)
            }
        }
    }
}
