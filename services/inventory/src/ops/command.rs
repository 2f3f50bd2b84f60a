//! What the service is asked to do, and what it answers.

use std::collections::BTreeSet;

use proto::inventory::v1::GoodsReply;
use storage::{RequestKey, StepCall};
use types::{Fingerprint, FulfilmentId, LabelId, OrderId, PartnerTaskId, Refusal, ReservationId, Tenant};

use super::labelling::Bought;
use crate::domain::{
    Ask, CarrierAnswer, CartNotice, Fulfilment, FulfilmentState, Goods, Hold, Integration, IntegrationKey,
    Label, PartnerAnswer, PartnerTask, Reported, Reservable, Reservation, ReturnedLine, Selection, Sku,
    Stock, Warehouse, WarehouseId, Warehouses, Word,
};

#[derive(Debug, Clone)]
pub enum Command {
    Step(StepCommand),
    Request(RequestCommand),
    Errand(Errand),
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
    /// `until_paid`: no fulfilment gets the units before [`Step::GoodsPaid`].
    ReserveStock {
        wanted: Reservable,
        until_paid: bool,
    },
    GoodsPaid,
    /// What was shipped, cancelled and restored is the buyer's again.
    Reship,
    UnreserveStock,
    HoldGoods(Hold),
    ResumeGoods,
    /// What was held is let go, and stays sold.
    KeepGoods,
    StopPartner(Ask),
    WithdrawStop,
    /// With the carts that are told of it.
    ReleaseGoods(Vec<CartNotice>),
    /// The held units do not exist.
    WriteDown,
    VoidLabels,
    ClaimReturned(Vec<ReturnedLine>),
    UnclaimReturned,
    TakeBack(Vec<ReturnedLine>),
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
    UpsertWarehouse {
        id: WarehouseId,
        warehouse: Warehouse,
    },
    SetStock {
        warehouse_id: WarehouseId,
        sku: Sku,
        on_hand: i64,
    },
    AdjustStock(Vec<Adjustment>),
    CreateFulfilment(Packing),
    UnpackFulfilment {
        fulfilment_id: FulfilmentId,
        lines: Vec<Selection>,
    },
    MoveFulfilment {
        fulfilment_id: FulfilmentId,
        warehouse_id: WarehouseId,
        lines: Vec<Selection>,
    },
    AssignSku {
        sku: Sku,
        warehouse_id: Option<WarehouseId>,
    },
    SubmitFulfilment {
        fulfilment_id: FulfilmentId,
        external_number: String,
    },
    ShipFulfilment {
        fulfilment_id: FulfilmentId,
        lines: Vec<Selection>,
        tracking_number: String,
    },
    DeliverFulfilment {
        fulfilment_id: FulfilmentId,
        lines: Vec<Selection>,
    },
    /// `of` is the integration the caller speaks for; operators speak for any.
    ReportShipment {
        fulfilment_id: FulfilmentId,
        lines: Vec<Selection>,
        tracking_number: String,
        of: Option<String>,
    },
    AttachLabel(Bought),
    VoidLabel {
        label_id: LabelId,
    },
    RestockLabel {
        label_id: LabelId,
        warehouse_id: WarehouseId,
    },
    UpsertIntegration {
        key: IntegrationKey,
        integration: Integration,
    },
    /// `of` is the integration the caller speaks for; operators speak for any.
    PartnerWord {
        task_id: PartnerTaskId,
        word: Word,
        note: String,
        by: String,
        of: Option<String>,
    },
    AskedByHand {
        task_id: PartnerTaskId,
        note: String,
    },
    TellCart {
        order_id: OrderId,
        notice: CartNotice,
    },
}

/// Goods that a fulfilment is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    pub order_id: OrderId,
    pub warehouse_id: WarehouseId,
    pub lines: Vec<Selection>,
    /// Units that other warehouses have are taken as well.
    pub move_reservation: bool,
    /// The sagas that the order service has called decided: only what they have reserved may be given out.
    pub decided: BTreeSet<String>,
}

/// What a carrier or a partner said to the worker that asked.
#[derive(Debug, Clone)]
pub struct Errand {
    pub tenant: Tenant,
    pub order_id: OrderId,
    /// The saga whose step waits for it, if one does.
    pub saga_id: Option<String>,
    pub said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Carrier { label_id: LabelId, answer: CarrierAnswer },
    Partner { task_id: PartnerTaskId, answer: PartnerAnswer },
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
    Request(Box<Result<Resource, Refusal>>),
    Errand,
}

/// The answer to a step, as it is recorded in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAnswer {
    Applied(GoodsReply),
    /// A carrier or a partner has to be heard first; an event tells when.
    Pending,
    Refused(Refusal),
}

/// What a mutation leaves behind, as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Warehouse(WarehouseId, Warehouse),
    Stock(Vec<ShownStock>),
    Fulfilment(ShownFulfilment),
    /// What a partner's shipment came to.
    Report(FulfilmentId, Reported),
    Label(ShownLabel),
    Integration(ShownIntegration),
    Task(ShownTask),
    Assignment(Sku, Option<WarehouseId>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLabel {
    pub id: LabelId,
    pub order_id: OrderId,
    pub label: Label,
    /// Units that no warehouse takes back.
    pub restock_waiting: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownIntegration {
    pub key: IntegrationKey,
    pub integration: Integration,
    pub seeded: bool,
    pub shipped_after_cancel: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownTask {
    pub id: PartnerTaskId,
    pub order_id: OrderId,
    pub task: PartnerTask,
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
    pub fulfilment: Fulfilment,
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
            fulfilment: fulfilment.clone(),
            lines: lines.map(|(id, row)| (id.clone(), row.clone())).collect(),
        })
    }
}

impl ShownLabel {
    /// None if the goods have no such label.
    pub fn of(goods: &Goods, id: &LabelId, warehouses: &Warehouses) -> Option<Self> {
        Some(Self {
            id: id.clone(),
            order_id: goods.order_id.clone(),
            label: goods.labels.get(id)?.clone(),
            restock_waiting: goods.restock_waiting(id, warehouses),
        })
    }
}

impl Command {
    pub fn tenant(&self) -> &Tenant {
        match self {
            Self::Step(command) => &command.call.context.tenant,
            Self::Request(command) => &command.key.tenant,
            Self::Errand(errand) => &errand.tenant,
        }
    }

    /// Whether a carrier or a partner may have to be asked after it.
    pub fn may_leave_errands(&self) -> bool {
        match self {
            Self::Step(command) => {
                matches!(command.step, Step::StopPartner(_) | Step::VoidLabels | Step::ReleaseGoods(_))
            }
            Self::Request(command) => {
                matches!(command.action, Action::VoidLabel { .. } | Action::TellCart { .. })
            }
            Self::Errand(_) => true,
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
            Self::Request(command) => command.key.text(),
            Self::Errand(errand) => match &errand.said {
                Said::Carrier { label_id, .. } => format!("{}\n{label_id}", errand.tenant),
                Said::Partner { task_id, .. } => format!("{}\n{task_id}", errand.tenant),
            },
        }
    }
}
