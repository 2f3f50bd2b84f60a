//! The use cases of the order service, wired as the app wires them, on one database and the fakes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kit::{Deadline, Failure};
use order::batches::Batches;
use order::domain::change::{ChangeRequest, ChangeState, ChangeView};
use order::domain::order::{Order, Placement};
use order::domain::placing::NewOrder;
use order::domain::quote::{Presented, QuoteKey};
use order::ops::use_cases::{CreateOrder, SubmitChange};
use order::ops::{Connected, Orders, Parts, Wait, bearer, number_claimed};
use order::ports::{Forecasts, Goods, Outsiders, Ports, Refunds};
use order::rules::Rules;
use order::{sagas, store};
use prost::Message;
use saga::{Doorbell, Limits, Runner, RunnerConfig};
use storage::{Courier, Database, Envelope, Relay, testing};
use tokio_util::sync::{CancellationToken, DropGuard};
use types::{Clock, EventId, Ids, OrderId, Tenant, Timestamp};

use crate::fakes::Fakes;
use crate::samples::{caller, new_order, request_id};

pub struct World {
    pub orders: Orders,
    pub batches: Batches,
    pub rules: Rules,
    pub fakes: Fakes,
    pub database: Database,
    pub ids: Ids,
    _stop: DropGuard,
}

/// One world for each engine that tests run on.
pub async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for database in testing::databases(name).await {
        worlds.push(World::start(database).await);
    }
    worlds
}

impl World {
    pub async fn start(database: Database) -> Self {
        Self::start_at(database, Clock::System).await
    }

    /// Business time is what this clock says.
    pub async fn start_at(database: Database, clock: Clock) -> Self {
        database.migrate("order", store::MIGRATIONS).await.unwrap();
        let fakes = Fakes::start().await;
        let ids = Ids::random(clock.clone());
        let config = RunnerConfig {
            inline_pause_max: Duration::from_millis(60),
            poll: Duration::from_millis(100),
            ..RunnerConfig::new("test-worker")
        };
        let bell = Doorbell::new(&config);
        // Short pauses: a lost answer is asked for again soon.
        let limits = Limits {
            first_delay: Duration::from_millis(20),
            backoff_max: Duration::from_millis(200),
            poll_max_before: Duration::from_hours(1),
            poll_max_after: Duration::from_hours(1),
            ..Limits::default()
        };
        let registry = sagas::registry(limits);
        let orders = Orders::start(Parts {
            database: database.clone(),
            registry: Arc::clone(&registry),
            clock,
            ids: ids.clone(),
            quote_key: QuoteKey::new("test"),
            seal: kit::Seal::new(b"test"),
            roles: kit::Roles::configured(&kit::config::Auth::default()),
            lease: config.grant(),
            bell: bell.clone(),
        });
        let stop = CancellationToken::new();
        let relay = Relay::run(
            Courier::new(database.clone(), "order").on_claim(number_claimed),
            kit::events::target(fakes.channel()),
            stop.clone(),
        );
        let connected = Connected {
            forecasts: Forecasts::new(fakes.channel(), fakes.channel()),
            outsiders: Outsiders::new(fakes.channel()),
            told_by_rules: Box::new(|_| Box::pin(async { Ok(BTreeSet::new()) })),
        };
        orders.connect(connected, relay);
        let ports = Ports { goods: Goods::start(fakes.channel()), refunds: Refunds::start(fakes.channel()) };
        Runner::start(Arc::new(orders.saga_owner()), Arc::new(ports), registry, config, bell, stop.clone());
        let (batches, rules) = (Batches::new(orders.clone()), Rules::new(orders.clone()));
        Self { orders, batches, rules, fakes, database, ids, _stop: stop.drop_guard() }
    }

    pub async fn create(&self, name: &str, new: NewOrder, wait: Wait) -> Result<Order, Failure> {
        self.orders.ask_for_order(&caller(), request_id(name), CreateOrder(new), (wait, soon())).await
    }

    /// An order that stands.
    pub async fn placed(&self, name: &str) -> Order {
        let order = self.create(name, new_order(name), Wait::Completed).await.unwrap();
        assert_eq!(order.placement, Placement::Open, "{order:?}");
        order
    }

    pub async fn submit(
        &self,
        name: &str,
        request: ChangeRequest,
        wait: Wait,
    ) -> Result<ChangeView, Failure> {
        self.submit_quoted(name, request, None, wait).await
    }

    pub async fn submit_quoted(
        &self,
        name: &str,
        request: ChangeRequest,
        quote: Option<String>,
        wait: Wait,
    ) -> Result<ChangeView, Failure> {
        let me = caller();
        let quote = quote.map(|quote_id| Presented { quote_id, by: bearer(&me) });
        let submit = SubmitChange { request, quote };
        self.orders.ask_for_change(&me, request_id(name), submit, (wait, soon())).await
    }

    pub async fn order(&self, order_id: &OrderId) -> Order {
        self.orders.get_order(&caller(), order_id).await.unwrap()
    }

    /// Waits until a change has come to a state; a change that never does fails the test.
    pub async fn change_in(&self, view: &ChangeView, state: ChangeState) -> ChangeView {
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let now = self.orders.get_change(&caller(), &view.change.change_order_id).await.unwrap();
            if now.change.state == state {
                return now;
            }
            assert!(tokio::time::Instant::now() < limit, "{state:?} was not reached: {now:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// An event about an order, as a participant sends it.
    pub fn event<M: Message>(
        &self,
        source: &str,
        order_id: &OrderId,
        seq: i64,
        kind: &str,
        body: &M,
    ) -> Envelope {
        Envelope {
            source: source.to_owned(),
            tenant: Tenant::DEFAULT,
            event_id: self.ids.mint::<EventId>(),
            aggregate_type: "order".to_owned(),
            aggregate_id: order_id.to_string(),
            aggregate_seq: seq,
            kind: format!("countermand.events.v1.{kind}"),
            payload: body.encode_to_vec(),
            traceparent: None,
            occurred_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// Long enough for whatever a test waits for.
fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}
