//! The service put together: opens its database, binds its listeners, runs and drains.

use std::time::Duration;

use kit::books::Books;
use kit::process::{Command, Process};
use kit::roles::RolesIntake;
use kit::server::{self, Routes, Server};
use kit::{Roles, Seal, client, events};
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::events::v1::event_intake_service_server::EventIntakeServiceServer;
use proto::inventory::v1::fulfillment_service_server::FulfillmentServiceServer;
use proto::inventory::v1::goods_steps_service_server::GoodsStepsServiceServer;
use proto::inventory::v1::integration_service_server::IntegrationServiceServer;
use proto::inventory::v1::label_service_server::LabelServiceServer;
use proto::inventory::v1::propagation_service_server::PropagationServiceServer;
use proto::inventory::v1::stock_service_server::StockServiceServer;
use storage::{Database, Relay};
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids};

use crate::api::{FulfillmentApi, GoodsStepsApi, IntegrationApi, LabelApi, PropagationApi, StockApi};
use crate::config::Config;
use crate::ops::{Inventory, Worker};
use crate::ports::carrier::Carrier;
use crate::ports::connector::Partners;
use crate::ports::sandbox::Sandbox;
use crate::ports::{Decisions, Peers};
use crate::store::MIGRATIONS;
use crate::store::audit::BOOKS;

const SERVICE: &str = "inventory";

/// How long an errand in flight may take to end. One that is cut off is taken up after the next start.
const ERRANDS_END_MAX: Duration = Duration::from_secs(3);

/// What the process was started for: serving, or bringing the schema up to date.
pub async fn run(process: Process<Config>) -> anyhow::Result<()> {
    let Process { command, config, shutdown } = process;
    match command {
        Command::Migrate => Ok(Database::migrate_only(SERVICE, MIGRATIONS, &config.database).await?),
        Command::Serve => {
            let order = client::connect_peer(&config.peers.order, &config.client, &config.internal)?;
            App::bind(config).await?.run(Peers { order }, shutdown).await
        }
    }
}

/// Entry point: [`App::bind`].
#[derive(Debug)]
pub struct App;

/// The service with its database open and its ports taken. Its in-process channels answer already.
pub struct Bound {
    /// Tells the addresses, and answers in this process without a socket.
    pub server: server::Bound,
    database: Database,
    inventory: Inventory,
    worker: Worker,
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        let database = Database::ready(SERVICE, MIGRATIONS, &config.database).await?;
        let seal = Seal::new(&database.sealing_key().await?);
        let clock = Clock::System;
        let ids = Ids::random(clock.clone());
        let inventory = Inventory::start(database.clone(), clock.clone(), ids);
        let late = Duration::from_millis(config.outside.sandbox_late_ms);
        let partners = Partners::new(config.outbound.guard()?, &config.outside.secrets)?;
        let worker = Worker {
            database: database.clone(),
            inventory: inventory.clone(),
            carrier: Carrier::Sandbox(Sandbox::new(database.clone(), clock.clone(), late)),
            partners: partners.clone(),
            clock,
            patience: config.outside.patience(),
        };
        let roles = Roles::kept(&config.auth, &database).await?;
        let server = Server::builder(SERVICE)
            .public(config.listen.public, public_routes(&inventory, partners, &database, &seal))
            .internal(config.listen.internal, internal_routes(&inventory, &roles))
            .auth(&config.auth)
            .roles(roles)
            .tls(&config.tls)
            .workloads(&config.internal)
            .limits(&config.limits)
            .health(config.listen.health)
            .reflection(&config.reflection)
            .bind()
            .await?;
        Ok(Bound { server, database, inventory, worker })
    }
}

fn public_routes(inventory: &Inventory, partners: Partners, database: &Database, seal: &Seal) -> Routes {
    Routes::new()
        .add_service(
            StockServiceServer::new(StockApi::new(inventory.clone(), seal.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            FulfillmentServiceServer::new(FulfillmentApi::new(inventory.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            LabelServiceServer::new(LabelApi::new(inventory.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            IntegrationServiceServer::new(IntegrationApi::new(inventory.clone(), partners, seal.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            AuditServiceServer::new(Books::new(database.clone(), &BOOKS))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
}

fn internal_routes(inventory: &Inventory, roles: &Roles) -> Routes {
    Routes::new()
        .request_bytes_max(GoodsStepsApi::REQUEST_BYTES_MAX)
        .add_service(
            EventIntakeServiceServer::new(RolesIntake(roles.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            GoodsStepsServiceServer::new(GoodsStepsApi::new(inventory.clone()))
                .max_decoding_message_size(GoodsStepsApi::REQUEST_BYTES_MAX),
        )
        .add_service(
            PropagationServiceServer::new(PropagationApi::new(inventory.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
}

impl Bound {
    /// Serves until `shutdown` fires; then calls in flight end and queued commands are committed. Events that are
    /// still unsent are sent after the next start.
    pub async fn run(self, peers: Peers, shutdown: CancellationToken) -> anyhow::Result<()> {
        let decisions = Decisions::new(peers.order.clone());
        let stop_relay = CancellationToken::new();
        let relay =
            Relay::start(self.database.clone(), events::target(peers.order), SERVICE, stop_relay.clone());
        self.inventory.wake_after_commit(relay);
        self.inventory.ask_for_decisions(decisions);
        let stop_worker = CancellationToken::new();
        let mut working = tokio::spawn(self.worker.run(self.inventory.bell(), stop_worker.clone()));

        let served = self.server.run(shutdown).await;
        stop_worker.cancel();
        if tokio::time::timeout(ERRANDS_END_MAX, &mut working).await.is_err() {
            tracing::warn!("calls to carriers and partners in flight were cut off");
            working.abort();
        }
        self.inventory.drain().await;
        stop_relay.cancel();
        self.database.close().await;
        Ok(served?)
    }
}
