//! The service put together: opens its database, binds its listeners, runs and drains.

use std::sync::Arc;

use anyhow::Context as _;
use kit::books::Books;
use kit::process::{Command, Process};
use kit::server::{self, Routes, Server};
use kit::{Roles, Seal, client, events};
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::events::v1::event_intake_service_server::EventIntakeServiceServer;
use proto::notification::v1::delivery_service_server::DeliveryServiceServer;
use proto::notification::v1::notification_service_server::NotificationServiceServer;
use proto::notification::v1::recipient_service_server::RecipientServiceServer;
use proto::notification::v1::webhook_service_server::WebhookServiceServer;
use storage::{Database, Relay, Writer};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids};

use crate::api::{DeliveryApi, IntakeApi, NotificationApi, RecipientApi, WebhookApi};
use crate::config::Config;
use crate::ops::courier::Handed;
use crate::ops::{Courier, Desk, Digest, Dispatch, Handing, Intake, Notifications, WebhookCourier, Webhooks};
use crate::ports::mail::Mailer;
use crate::ports::webhook::{self, Poster};
use crate::ports::{self, Peers};
use crate::store::MIGRATIONS;
use crate::store::audit::BOOKS;

const SERVICE: &str = "notification";

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

/// The service with its database open and its ports taken. Its in-process channel answers already.
pub struct Bound {
    /// Tells the addresses, and answers in this process without a socket.
    pub server: server::Bound,
    database: Database,
    writer: Writer<Intake>,
    courier: Courier,
    handed: Handed,
    /// None when mail is off.
    mail: Option<MailWork>,
    webhooks: Dispatch<WebhookCourier>,
    queued: Arc<Notify>,
}

/// The workers of the e-mail channel.
struct MailWork {
    dispatch: Dispatch<Mailer>,
    digest: Digest,
    queued: Arc<Notify>,
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        let database = Database::ready(SERVICE, MIGRATIONS, &config.database).await?;
        let seal = Seal::new(&database.sealing_key().await?);
        let clock = Clock::System;
        let ids = Ids::random(clock.clone());
        let (handing, handed) = Handing::new(&ids);
        let courier = Courier::new(database.clone(), clock.clone(), &handing);
        let queued = Arc::new(Notify::new());
        let mail =
            Mailer::new(&config.mail).context("setting up the e-mail channel")?.map(|mailer| MailWork {
                dispatch: Dispatch::new(database.clone(), clock.clone(), &ids, mailer),
                digest: Digest {
                    database: database.clone(),
                    clock: clock.clone(),
                    ids: ids.clone(),
                    hour: config.mail.digest_hour,
                    queued: Arc::clone(&queued),
                },
                queued: Arc::clone(&queued),
            });
        tracing::info!(mode = ?config.mail.mode, "the e-mail channel");
        let guard = config.outbound.guard()?;
        let poster = Poster::new(guard, webhook::TIMEOUT).context("setting up the webhook channel")?;
        let carrier = WebhookCourier::new(database.clone(), clock.clone(), poster.clone());
        let dispatch = Dispatch::new(database.clone(), clock.clone(), &ids, carrier);
        let webhooks = Webhooks {
            database: database.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            queued: Arc::clone(&queued),
        };
        let desk = Desk::new(&database, &clock, &ids, &queued);
        let intake = Intake { clock, ids, handing, mails: mail.is_some(), queued: Arc::clone(&queued) };
        let writer = Writer::start(database.clone(), Arc::new(intake));

        let limit = server::REQUEST_BYTES_MAX;
        let told = NotificationApi::new(Notifications::new(database.clone()), seal.clone());
        let deliveries = DeliveryApi::new(desk.clone(), seal.clone());
        let recipients = RecipientApi::new(desk, seal.clone());
        let endpoints = WebhookApi::new(webhooks, poster, seal);
        let books = Books::new(database.clone(), &BOOKS);
        let public = Routes::new()
            .add_service(NotificationServiceServer::new(told).max_decoding_message_size(limit))
            .add_service(DeliveryServiceServer::new(deliveries).max_decoding_message_size(limit))
            .add_service(RecipientServiceServer::new(recipients).max_decoding_message_size(limit))
            .add_service(WebhookServiceServer::new(endpoints).max_decoding_message_size(limit))
            .add_service(AuditServiceServer::new(books).max_decoding_message_size(limit));
        let roles = Roles::kept(&config.auth, &database).await?;
        let server = Server::builder(SERVICE)
            .public(config.listen.public, public)
            .internal(config.listen.internal, internal_routes(&writer, &roles))
            .auth(&config.auth)
            .roles(roles)
            .tls(&config.tls)
            .workloads(&config.internal)
            .limits(&config.limits)
            .health(config.listen.health)
            .reflection(&config.reflection)
            .bind()
            .await?;
        Ok(Bound { server, database, writer, courier, handed, mail, webhooks: dispatch, queued })
    }
}

fn internal_routes(writer: &Writer<Intake>, roles: &Roles) -> Routes {
    Routes::new().request_bytes_max(IntakeApi::REQUEST_BYTES_MAX).add_service(
        EventIntakeServiceServer::new(IntakeApi::new(writer.clone(), roles.clone()))
            .max_decoding_message_size(IntakeApi::REQUEST_BYTES_MAX),
    )
}

impl Bound {
    /// Serves until `shutdown` fires; then calls in flight end, queued events are committed, and what they enqueued
    /// is left to the next start.
    pub async fn run(self, peers: Peers, shutdown: CancellationToken) -> anyhow::Result<()> {
        let stop_workers = CancellationToken::new();
        // What a person has to look at waits a second at most: nobody wakes it.
        let target = events::target(peers.order);
        Relay::start(self.database.clone(), target, SERVICE, stop_workers.clone());
        let courier = tokio::spawn(self.courier.run(self.handed, stop_workers.clone(), ports::log::write));
        let mail = self.mail.map(|work| {
            let dispatch = work.dispatch.run(work.queued, stop_workers.clone());
            let digest = work.digest.run(stop_workers.clone());
            tokio::spawn(async { tokio::join!(dispatch, digest) })
        });
        let webhooks = tokio::spawn(self.webhooks.run(self.queued, stop_workers.clone()));
        let served = self.server.run(shutdown).await;
        self.writer.drain().await;
        stop_workers.cancel();
        let ended = courier.await;
        if let Some(mail) = mail {
            mail.await.context("the e-mail channel ended by a panic")?;
        }
        webhooks.await.context("the webhook channel ended by a panic")?;
        self.database.close().await;
        served?;
        ended.context("the courier ended by a panic")
    }
}
