//! Events as order sends them, and the service's writing half.

use std::sync::{Arc, Mutex};

use notification::domain::{Event, OrderPicture, OrderState};
use notification::ops::courier::Handed;
use notification::ops::{Arrival, Courier, Handing, Intake, Noted, Run};
use notification::store::MIGRATIONS;
use notification::store::notifications::{self, Filter};
use prost::Message as _;
use proto::events::v1::{AttentionCleared, AttentionRaised};
use proto::events::v1::{ChangeOrderCommitted, ChangeOrderCompleted, EventEnvelope, OrderPlaced};
use proto::order::v1::{ChangeOrder, OrderSummary, OrderTotals, RefundSummary};
use storage::{Database, Delivery, Envelope, Writer, testing};
use types::{ChangeOrderId, Clock, EventId, Ids, Money, OrderId, Tenant, Timestamp};

pub const AT: &str = "2026-11-21T22:37:12.123456Z";

/// One service's database with its writer, a clock that stands still, and ids that repeat in every run.
pub struct World {
    pub database: Database,
    pub writer: Writer<Intake>,
    pub clock: Clock,
    pub ids: Ids,
    /// What the process that takes events in would hand to its courier.
    pub handing: Handing,
    pub handed: Handed,
}

impl World {
    /// One for each engine.
    pub async fn each(name: &str) -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in testing::databases(name).await {
            database.migrate("notification", MIGRATIONS).await.expect("an empty database migrates");
            let clock = Clock::manual(Timestamp::parse(AT).expect("AT is an instant"));
            let ids = Ids::seeded(clock.clone(), 7);
            let (handing, handed) = Handing::new(&ids);
            let intake = Intake {
                clock: clock.clone(),
                ids: ids.clone(),
                handing: handing.clone(),
                mails: true,
                queued: Arc::default(),
            };
            let writer = Writer::start(database.clone(), Arc::new(intake));
            worlds.push(Self { database, writer, clock, ids, handing, handed });
        }
        worlds
    }

    pub async fn deliver(&self, arrivals: &[&Arrival]) -> Vec<Delivery> {
        self.writer
            .submit(Run(arrivals.iter().copied().cloned().collect()))
            .await
            .expect("the database takes the run")
            .deliveries
    }

    /// The courier of another process.
    pub fn courier(&self) -> Courier {
        let (handing, _) = Handing::new(&self.ids);
        Courier::new(self.database.clone(), self.clock.clone(), &handing)
    }

    /// An event of `order`, the `seq`th about it: the order was placed and confirmed.
    pub fn placed(&self, order: &OrderId, seq: i64) -> Arrival {
        let event = Event::OrderPlaced {
            order: OrderPicture {
                order_id: order.clone(),
                number: "1042".to_owned(),
                state: OrderState::Confirmed,
                total: Money::parse("GBP", 1_234).expect("GBP is a currency"),
                line_count: 1,
                units_ordered: 2,
            },
            elsewhere: false,
        };
        let envelope = Envelope {
            source: "order".to_owned(),
            tenant: Tenant::DEFAULT,
            event_id: self.ids.mint(),
            aggregate_type: "order".to_owned(),
            aggregate_id: order.to_string(),
            aggregate_seq: seq,
            kind: "countermand.events.v1.OrderPlaced".to_owned(),
            payload: Vec::new(),
            traceparent: None,
            occurred_at: self.clock.now(),
        };
        Arrival { envelope, event: Ok(event), noted: Noted::default() }
    }

    /// What was sent to the order service since the last time: "raised type id number [actions]", or "cleared type id number".
    pub async fn alarms(&self) -> Vec<String> {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sent);
        let target = move |envelopes: Vec<Envelope>| {
            let deliveries = vec![Delivery::Accepted; envelopes.len()];
            kept.lock().expect("nothing panics with it").extend(envelopes);
            std::future::ready(Ok::<_, String>(deliveries))
        };
        let mut courier = storage::Courier::new(self.database.clone(), "notification");
        while courier.turn(&target).await.expect("the outbox can be read") != storage::relay::Turn::Idle {}
        let sent = sent.lock().expect("nothing panics with it");
        sent.iter().map(alarm).collect()
    }

    /// "template audience channel state" of everything told to a tenant, sorted.
    pub async fn told(&self, tenant: &Tenant) -> Vec<String> {
        let mut tx = self.database.read().await.expect("the database is open");
        let rows = notifications::list(&mut tx, tenant, &Filter::default(), "", 1_000)
            .await
            .expect("the rows can be read");
        tx.rollback().await;
        let mut told: Vec<String> = rows
            .iter()
            .map(|row| {
                let (audience, channel) = (row.audience.as_str(), row.channel.as_str());
                format!("{} {audience} {channel} {}", row.template, row.state.as_str())
            })
            .collect();
        told.sort_unstable();
        told
    }
}

fn alarm(envelope: &Envelope) -> String {
    let number = envelope.aggregate_seq;
    if envelope.kind.ends_with("AttentionCleared") {
        let event = AttentionCleared::decode(envelope.payload.as_slice()).expect("it is what it says");
        return format!("cleared {} {} {number}", event.subject_type, event.subject_id);
    }
    let event = AttentionRaised::decode(envelope.payload.as_slice()).expect("it is what it says");
    format!("raised {} {} {number}", event.subject_type, event.subject_id)
}

/// What one confirmed order tells before the courier has come by.
pub const CONFIRMED: [&str; 4] = [
    "order.confirmed buyer inbox sent",
    "order.confirmed buyer log enqueued",
    "order.confirmed supplier inbox sent",
    "order.confirmed supplier log enqueued",
];

/// An event on the wire.
pub fn on_the_wire(event_id: &EventId, order: &OrderId, seq: i64, (name, payload): Payload) -> EventEnvelope {
    EventEnvelope {
        event_id: event_id.to_string(),
        tenant: "default".to_owned(),
        source: "order".to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: order.to_string(),
        aggregate_sequence: seq,
        r#type: format!("countermand.events.v1.{name}"),
        payload,
        traceparent: String::new(),
        occurred_at: AT.to_owned(),
    }
}

/// An event's name and its bytes.
pub type Payload = (&'static str, Vec<u8>);

pub fn placed(order: &OrderId) -> Payload {
    ("OrderPlaced", OrderPlaced { order: Some(summary(order)), ..OrderPlaced::default() }.encode_to_vec())
}

pub fn committed(change: ChangeOrder, order: &OrderId) -> Payload {
    let event = ChangeOrderCommitted {
        change_order: Some(change),
        before: Some(summary(order)),
        after: Some(summary(order)),
        ..ChangeOrderCommitted::default()
    };
    ("ChangeOrderCommitted", event.encode_to_vec())
}

pub fn completed(change: ChangeOrder) -> Payload {
    let event = ChangeOrderCompleted { change_order: Some(change), ..ChangeOrderCompleted::default() };
    ("ChangeOrderCompleted", event.encode_to_vec())
}

fn summary(order: &OrderId) -> OrderSummary {
    OrderSummary {
        order_id: order.to_string(),
        number: "1042".to_owned(),
        state: proto::order::v1::OrderState::Confirmed.into(),
        currency_code: "GBP".to_owned(),
        totals: Some(OrderTotals { total_minor: 1_234, ..OrderTotals::default() }),
        ..OrderSummary::default()
    }
}

/// A cancellation of the whole order.
pub fn change(order: &OrderId, id: &ChangeOrderId, refunds: Vec<RefundSummary>) -> ChangeOrder {
    ChangeOrder {
        change_order_id: id.to_string(),
        number: "CO-000007".to_owned(),
        order_id: order.to_string(),
        order_number: "1042".to_owned(),
        r#type: proto::order::v1::ChangeOrderType::CancelOrder.into(),
        currency_code: "GBP".to_owned(),
        refunds,
        ..ChangeOrder::default()
    }
}
