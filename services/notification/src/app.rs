//! The service put together: opens its database, binds its listeners, runs and drains.

use std::sync::Arc;

use anyhow::Context as _;
use kit::books::Books;
use kit::process::{Command, Process};
use kit::server::{self, Routes, Server};
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::events::v1::event_intake_service_server::EventIntakeServiceServer;
use proto::notification::v1::notification_service_server::NotificationServiceServer;
use storage::{Database, Writer};
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids};

use crate::api::{IntakeApi, NotificationApi};
use crate::config::Config;
use crate::ops::courier::Handed;
use crate::ops::{Courier, Handing, Intake};
use crate::ports;
use crate::store::MIGRATIONS;
use crate::store::audit::BOOKS;

const SERVICE: &str = "notification";

/// What the process was started for: serving, or bringing the schema up to date.
pub async fn run(process: Process<Config>) -> anyhow::Result<()> {
    let Process { command, config, shutdown } = process;
    match command {
        Command::Migrate => Ok(Database::migrate_only(SERVICE, MIGRATIONS, &config.database).await?),
        Command::Serve => App::bind(config).await?.run(shutdown).await,
    }
}

/// Entry point: [`App::bind`].
#[derive(Debug)]
pub struct App;

/// The service with its database open and its ports taken. Its in-process channel answers already.
pub struct Bound {
    /// Tells the addresses, and answers in this process without a socket.
    pub server: server::Bound,
    database: Database,
    writer: Writer<Intake>,
    courier: Courier,
    handed: Handed,
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        let database = Database::ready(SERVICE, MIGRATIONS, &config.database).await?;
        let clock = Clock::System;
        let ids = Ids::random(clock.clone());
        let (handing, handed) = Handing::new(&ids);
        let courier = Courier::new(database.clone(), clock.clone(), &handing);
        let intake = Intake { clock, ids, handing };
        let writer = Writer::start(database.clone(), Arc::new(intake));

        let public = Routes::new()
            .add_service(
                NotificationServiceServer::new(NotificationApi::new(database.clone()))
                    .max_decoding_message_size(server::REQUEST_BYTES_MAX),
            )
            .add_service(
                AuditServiceServer::new(Books::new(database.clone(), &BOOKS))
                    .max_decoding_message_size(server::REQUEST_BYTES_MAX),
            );
        let internal = Routes::new().add_service(
            EventIntakeServiceServer::new(IntakeApi::new(writer.clone()))
                .max_decoding_message_size(IntakeApi::REQUEST_BYTES_MAX),
        );
        let server = Server::builder(SERVICE)
            .public(config.listen.public, public)
            .internal(config.listen.internal, internal)
            .auth(&config.auth)
            .tls(&config.tls)
            .reflection(&config.reflection)
            .bind()
            .await?;
        Ok(Bound { server, database, writer, courier, handed })
    }
}

impl Bound {
    /// Serves until `shutdown` fires; then calls in flight end, queued events are committed, and what they enqueued
    /// is left to the next start.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let stop_courier = CancellationToken::new();
        let courier = tokio::spawn(self.courier.run(self.handed, stop_courier.clone(), ports::log::write));
        let served = self.server.run(shutdown).await;
        self.writer.drain().await;
        stop_courier.cancel();
        let ended = courier.await;
        self.database.close().await;
        served?;
        ended.context("the courier ended by a panic")
    }
}
