//! The service put together: opens its database, binds its listeners, runs and drains.

use kit::books::Books;
use kit::process::{Command, Process};
use kit::server::{self, Routes, Server};
use kit::{client, events};
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::inventory::v1::fulfillment_service_server::FulfillmentServiceServer;
use proto::inventory::v1::goods_steps_service_server::GoodsStepsServiceServer;
use proto::inventory::v1::stock_service_server::StockServiceServer;
use storage::{Database, Relay};
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids};

use crate::api::{FulfillmentApi, GoodsStepsApi, StockApi};
use crate::config::Config;
use crate::ops::Inventory;
use crate::ports::Peers;
use crate::store::MIGRATIONS;
use crate::store::audit::BOOKS;

const SERVICE: &str = "inventory";

/// What the process was started for: serving, or bringing the schema up to date.
pub async fn run(process: Process<Config>) -> anyhow::Result<()> {
    let Process { command, config, shutdown } = process;
    match command {
        Command::Migrate => Ok(Database::migrate_only(SERVICE, MIGRATIONS, &config.database).await?),
        Command::Serve => {
            let order = client::connect(&config.peers.order, &config.client)?;
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
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        let database = Database::ready(SERVICE, MIGRATIONS, &config.database).await?;
        let clock = Clock::System;
        let ids = Ids::random(clock.clone());
        let inventory = Inventory::start(database.clone(), clock, ids);
        let server = Server::builder(SERVICE)
            .public(config.listen.public, public_routes(&inventory, &database))
            .internal(config.listen.internal, internal_routes(&inventory))
            .auth(&config.auth)
            .tls(&config.tls)
            .reflection(&config.reflection)
            .bind()
            .await?;
        Ok(Bound { server, database, inventory })
    }
}

fn public_routes(inventory: &Inventory, database: &Database) -> Routes {
    Routes::new()
        .add_service(
            StockServiceServer::new(StockApi::new(inventory.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            FulfillmentServiceServer::new(FulfillmentApi::new(inventory.clone()))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
        .add_service(
            AuditServiceServer::new(Books::new(database.clone(), &BOOKS))
                .max_decoding_message_size(server::REQUEST_BYTES_MAX),
        )
}

fn internal_routes(inventory: &Inventory) -> Routes {
    Routes::new().add_service(
        GoodsStepsServiceServer::new(GoodsStepsApi::new(inventory.clone()))
            .max_decoding_message_size(GoodsStepsApi::REQUEST_BYTES_MAX),
    )
}

impl Bound {
    /// Serves until `shutdown` fires; then calls in flight end and queued commands are committed. Events that are
    /// still unsent are sent after the next start.
    pub async fn run(self, peers: Peers, shutdown: CancellationToken) -> anyhow::Result<()> {
        let stop_relay = CancellationToken::new();
        let relay =
            Relay::start(self.database.clone(), events::target(peers.order), SERVICE, stop_relay.clone());
        self.inventory.wake_after_commit(relay);

        let served = self.server.run(shutdown).await;
        self.inventory.drain().await;
        stop_relay.cancel();
        self.database.close().await;
        Ok(served?)
    }
}
