//! Somebody outside who is posted events: an endpoint, and who delivers to it.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::time::Duration;

use kit::outbound::{AddressGuard, Outbound};
use notification::domain::webhook::Endpoint;
use notification::ops::webhooks::{Asked, Logged, Wanted};
use notification::ops::{Dispatch, WebhookCourier, Webhooks};
use notification::ports::webhook::Poster;
use storage::{RequestKey, testing};
use types::{Fingerprint, OrderId, RequestId, Subject, Tenant};

use crate::events::World;
use crate::receiver::Receiver;

pub struct Outside {
    pub world: World,
    pub receiver: Receiver,
    pub webhooks: Webhooks,
    pub dispatch: Dispatch<WebhookCourier>,
}

impl Outside {
    pub async fn each(name: &str) -> Vec<Self> {
        Self::each_with(name, Outbound::with_this_machine().guard().unwrap()).await
    }

    pub async fn each_with(name: &str, guard: AddressGuard) -> Vec<Self> {
        let mut all = Vec::new();
        for world in World::each(name).await {
            let webhooks = Webhooks {
                database: world.database.clone(),
                clock: world.clock.clone(),
                ids: world.ids.clone(),
                queued: std::sync::Arc::default(),
            };
            let poster = Poster::new(guard.clone(), Duration::from_millis(500)).unwrap();
            let carrier = WebhookCourier::new(world.database.clone(), world.clock.clone(), poster);
            let dispatch = Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, carrier);
            all.push(Self { world, receiver: Receiver::start().await, webhooks, dispatch });
        }
        all
    }

    pub async fn add(&self, url: &str, types: &[&str]) -> Endpoint {
        self.webhooks.add(&asked("UpsertEndpoint", url), wanted(url, types)).await.unwrap()
    }

    /// One event is taken in; its order's id is new.
    pub async fn tell(&self) {
        let order: OrderId = self.world.ids.mint();
        let placed = self.world.placed(&order, 1);
        self.world.deliver(&[&placed]).await;
    }

    pub async fn turn(&self) -> usize {
        self.dispatch.turn().await.unwrap()
    }

    pub async fn log(&self, endpoint: &Endpoint) -> Vec<Logged> {
        self.webhooks.deliveries(&Tenant::DEFAULT, &endpoint.webhook_id, None, "", 100).await.unwrap()
    }

    pub async fn states(&self, endpoint: &Endpoint) -> Vec<&'static str> {
        self.log(endpoint).await.iter().map(|(delivery, _)| delivery.progress.state.as_str()).collect()
    }

    pub async fn now(&self, endpoint: &Endpoint) -> Endpoint {
        self.webhooks.endpoint(&Tenant::DEFAULT, &endpoint.webhook_id).await.unwrap()
    }

    /// Both clocks go on: the one that schedules, and the one that dates.
    pub fn wait(&self, time: Duration) {
        testing::advance_clock(&self.world.database, time);
        self.world.clock.advance(time);
    }
}

pub fn asked(method: &str, request: &str) -> Asked {
    let id = Fingerprint::of(&[request.as_bytes()]);
    let request_id = RequestId::parse(&id.as_str()[..32]).unwrap();
    let subject = Subject::of("", "ada", "shop");
    let key = RequestKey { tenant: Tenant::DEFAULT, subject, method: method.to_owned(), request_id };
    Asked { key, fingerprint: Fingerprint::of(&[request.as_bytes()]) }
}

pub fn wanted(url: &str, types: &[&str]) -> Wanted {
    Wanted {
        url: url.to_owned(),
        description: String::new(),
        event_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
    }
}
