//! One database with a stocked warehouse, and words to ask for things.

use std::sync::Arc;
use std::time::Duration;

use inventory::config::{PartnerSecret, Secret};
use inventory::domain::{
    Ask, Hold, HoldLine, Reach, Reservable, Selection, Sku, Unconfirmed, Wanted, Warehouse, WarehouseId,
    WarehouseKind,
};
use inventory::ops::{
    Action, Adjustment, Command, Desk, Inventory, Packing, Patience, Reply, RequestCommand, Resource,
    ShownFulfilment, Step, StepAnswer, StepCommand, Worker,
};
use inventory::ports::carrier::Carrier;
use inventory::ports::connector::Partners;
use inventory::ports::sandbox::Sandbox;
use inventory::store;
use kit::outbound::Outbound;
use proto::inventory::v1::GoodsReply;
use storage::{Batch, Database, Direction, RequestKey, StepCall, StepContext, testing};
use types::{
    Clock, Fingerprint, FulfilmentId, Ids, LineId, OrderId, Quantity, Reason, Refusal, RequestId, SagaId,
    Subject, Tenant, Timestamp,
};

pub struct World {
    pub database: Database,
    pub inventory: Inventory,
    pub desk: Desk,
    pub ids: Ids,
    pub clock: Clock,
}

/// An order as this service knows it: its lines' ids, and the saga that placed it.
#[derive(Clone)]
pub struct Order {
    pub id: OrderId,
    pub lines: Vec<LineId>,
    pub place: String,
}

/// A migrated world on each engine there is.
pub async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for database in testing::databases(name).await {
        database.migrate("inventory", store::MIGRATIONS).await.unwrap();
        let clock = Clock::manual(Timestamp::UNIX_EPOCH.plus(Duration::from_secs(1)));
        let ids = Ids::random(clock.clone());
        let inventory = Inventory::start(database.clone(), clock.clone(), ids.clone());
        let desk = Desk::new(clock.clone(), ids.clone(), Arc::default(), Arc::default());
        let world = World { database, inventory, desk, ids, clock };
        world.warehouse("main", WarehouseKind::Own, 1).await;
        worlds.push(world);
    }
    worlds
}

pub fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

pub fn warehouse(name: &str) -> WarehouseId {
    WarehouseId::parse(name).unwrap()
}

pub fn quantity(units: i64) -> Quantity {
    Quantity::parse(units).unwrap()
}

pub fn select(line: &LineId, units: i64) -> Vec<Selection> {
    vec![Selection { line_id: line.clone(), quantity: quantity(units) }]
}

pub fn applied(answer: StepAnswer) -> GoodsReply {
    match answer {
        StepAnswer::Applied(reply) => reply,
        StepAnswer::Pending => panic!("pending"),
        StepAnswer::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

pub fn refused(answer: StepAnswer) -> Refusal {
    match answer {
        StepAnswer::Applied(reply) => panic!("applied: {reply:?}"),
        StepAnswer::Pending => panic!("pending"),
        StepAnswer::Refused(refusal) => refusal,
    }
}

pub fn reason(answer: StepAnswer) -> Reason {
    refused(answer).reason
}

pub fn step(saga: &str, name: &str, direction: Direction, order: &OrderId, step: Step) -> StepCommand {
    let request_hash = Fingerprint::of(&[format!("{name} {direction:?} {order} {step:?}").as_bytes()]);
    let completes = (name == "release_goods").then_some("hold_goods");
    let context = StepContext {
        tenant: Tenant::DEFAULT,
        saga_id: saga.to_owned(),
        step: name.to_owned(),
        direction,
        epoch: 1,
        attempt: 1,
    };
    StepCommand {
        call: StepCall { context, request_hash, completes },
        order_id: order.clone(),
        step,
        traceparent: None,
    }
}

pub fn request(method: &str, id: &str, action: Action) -> RequestCommand {
    RequestCommand {
        key: RequestKey {
            tenant: Tenant::DEFAULT,
            subject: Subject::of("", "ada", "shop"),
            method: method.to_owned(),
            request_id: RequestId::parse(id).unwrap(),
        },
        fingerprint: Fingerprint::of(&[format!("{action:?}").as_bytes()]),
        action,
        traceparent: None,
    }
}

/// What a change asks of partners, if nobody says otherwise.
pub fn ask() -> Ask {
    Ask {
        change_order_id: "chg".to_owned(),
        reason_code: "OTHER".to_owned(),
        note: String::new(),
        unconfirmed: Unconfirmed::Commit,
    }
}

impl World {
    pub fn saga(&self) -> String {
        self.ids.mint::<SagaId>().to_string()
    }

    pub async fn act(&self, method: &str, action: Action) -> Result<Resource, Refusal> {
        let id = self.saga();
        self.inventory.request(request(method, &id, action)).await.unwrap()
    }

    pub async fn warehouse(&self, name: &str, kind: WarehouseKind, priority: i64) {
        let warehouse_row = Warehouse { kind, priority, active: true, integration: None };
        let action = Action::UpsertWarehouse { id: warehouse(name), warehouse: warehouse_row };
        self.act("UpsertWarehouse", action).await.unwrap();
        if kind == WarehouseKind::Dropship {
            self.assign("kite", Some(name)).await.unwrap();
        }
    }

    /// A third party serves what is assigned to it, and nothing else.
    pub async fn assign(&self, article: &str, at: Option<&str>) -> Result<Resource, Refusal> {
        let action = Action::AssignSku { sku: sku(article), warehouse_id: at.map(warehouse) };
        self.act("AssignSku", action).await
    }

    pub async fn receive(&self, at: &str, name: &str, units: i64) {
        let adjustment = Adjustment { warehouse_id: warehouse(at), sku: sku(name), delta: units };
        self.act("AdjustStock", Action::AdjustStock(vec![adjustment])).await.unwrap();
    }

    pub async fn step(&self, command: &StepCommand) -> StepAnswer {
        self.inventory.step(command.clone()).await.unwrap()
    }

    /// Decides these commands in one transaction.
    pub async fn batch(&self, commands: &[Command]) -> Vec<Reply> {
        let mut tx = self.database.begin().await.unwrap();
        let replies = self.desk.decide(&mut tx, commands).await.unwrap();
        tx.commit().await.unwrap();
        replies
    }

    /// A new order's reservation, not sent yet: one line for each article and quantity.
    pub fn placing(&self, lines: &[(&str, i64)]) -> (Order, StepCommand) {
        let order = Order {
            id: self.ids.mint(),
            lines: lines.iter().map(|_| self.ids.mint()).collect(),
            place: self.saga(),
        };
        let wanted = order.lines.iter().zip(lines).map(|(line_id, (name, units))| Wanted {
            line_id: line_id.clone(),
            sku: sku(name),
            quantity: quantity(*units),
            warehouse_id: None,
            without_stock: false,
            part_of: None,
        });
        let wanted = Reservable { lines: wanted.collect(), reshipped: Vec::new() };
        let reserve = Step::ReserveStock { wanted, until_paid: false };
        let command = step(&order.place, "reserve_stock", Direction::Do, &order.id, reserve);
        (order, command)
    }

    pub async fn placed(&self, lines: &[(&str, i64)]) -> Order {
        let (order, command) = self.placing(lines);
        applied(self.step(&command).await);
        order
    }

    pub async fn create_fulfilment(
        &self,
        order: &Order,
        lines: Vec<Selection>,
    ) -> Result<ShownFulfilment, Refusal> {
        let action = order.pack("main", lines);
        self.act("CreateFulfillment", action).await.map(shown)
    }

    pub async fn ship(&self, id: &FulfilmentId, lines: Vec<Selection>) -> Result<ShownFulfilment, Refusal> {
        let action =
            Action::ShipFulfilment { fulfilment_id: id.clone(), lines, tracking_number: "1Z999".to_owned() };
        self.act("ShipFulfillment", action).await.map(shown)
    }

    /// The worker that asks carriers and partners, with a client that reaches this machine only.
    pub fn worker(&self) -> Worker {
        let patience = Patience {
            call: Duration::from_millis(300),
            poll: Duration::from_hours(1),
            claim: Duration::from_secs(90),
        };
        let sandbox = Sandbox::new(self.database.clone(), self.clock.clone(), Duration::from_mins(1));
        Worker {
            database: self.database.clone(),
            inventory: self.inventory.clone(),
            carrier: Carrier::Sandbox(sandbox),
            partners: partners(),
            clock: self.clock.clone(),
            patience,
        }
    }

    /// Everything that is due is asked.
    pub async fn run_errands(&self) {
        self.worker().look().await.unwrap();
    }

    pub async fn submit(&self, id: &FulfilmentId, number: &str) -> Result<ShownFulfilment, Refusal> {
        let (fulfilment_id, external_number) = (id.clone(), number.to_owned());
        let action = Action::SubmitFulfilment { fulfilment_id, external_number };
        self.act("SubmitFulfillment", action).await.map(shown)
    }

    /// On hand and reserved.
    pub async fn stock(&self, at: &str, name: &str) -> (i64, i64) {
        let at = warehouse(at);
        let rows = self.inventory.get_stock(&Tenant::DEFAULT, &sku(name), Some(&at)).await.unwrap();
        rows.first().map_or((0, 0), |(_, stock)| (stock.on_hand, stock.reserved))
    }

    /// Every book balances: ledgers sum to stock, stock to reservations, reservations to lines.
    pub async fn check(&self) {
        crate::audit::check_books(self).await;
    }
}

/// A client that reaches this machine, with a secret for it.
pub fn partners() -> Partners {
    let secret = PartnerSecret {
        value: Secret("s3cret".to_owned()),
        tenants: vec![Tenant::DEFAULT.to_string()],
        hosts: vec!["127.0.0.1:*".to_owned()],
    };
    let guard = Outbound::with_this_machine().guard().unwrap();
    Partners::new(guard, &[("partner_key".to_owned(), secret)].into()).unwrap()
}

pub fn shown(resource: Resource) -> ShownFulfilment {
    match resource {
        Resource::Fulfilment(shown) => shown,
        other => panic!("{other:?}"),
    }
}

impl Order {
    /// What the order service calls decided is given out.
    pub fn pack(&self, at: &str, lines: Vec<Selection>) -> Action {
        Action::CreateFulfilment(Packing {
            order_id: self.id.clone(),
            warehouse_id: warehouse(at),
            lines,
            move_reservation: false,
            decided: [self.place.clone()].into(),
        })
    }

    pub fn hold(&self, saga: &str, units: &[i64]) -> StepCommand {
        let lines = self.lines.iter().zip(units).filter(|(_, units)| **units > 0);
        let lines =
            lines.map(|(line_id, units)| HoldLine { line_id: line_id.clone(), quantity: quantity(*units) });
        let hold = Step::HoldGoods(Hold {
            lines: lines.collect(),
            void_label: false,
            reach: Reach::Here,
            take_what_is_left: false,
            only_here: false,
        });
        step(saga, "hold_goods", Direction::Do, &self.id, hold)
    }

    pub fn resume(&self, saga: &str) -> StepCommand {
        step(saga, "hold_goods", Direction::Undo, &self.id, Step::ResumeGoods)
    }

    pub fn release(&self, saga: &str) -> StepCommand {
        step(saga, "release_goods", Direction::Do, &self.id, Step::ReleaseGoods(Vec::new()))
    }

    pub fn unreserve(&self) -> StepCommand {
        step(&self.place, "reserve_stock", Direction::Undo, &self.id, Step::UnreserveStock)
    }
}
