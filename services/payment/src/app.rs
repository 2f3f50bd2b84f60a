//! The service put together: opens its databases, binds its listeners, runs and drains.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kit::books::Books;
use kit::config::Limits;
use kit::process::{Command, Process};
use kit::roles::RolesIntake;
use kit::server::{self, Routes, Server};
use kit::{Roles, Seal, client, events};
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::events::v1::event_intake_service_server::EventIntakeServiceServer;
use proto::payment::v1::payment_service_server::PaymentServiceServer;
use proto::payment::v1::refund_service_server::RefundServiceServer;
use proto::payment::v1::refund_steps_service_server::RefundStepsServiceServer;
use proto::payment::v1::sandbox_service_server::SandboxServiceServer;
use storage::{Database, Relay, Writer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, Tenant};

use crate::api::{AuditApi, PaymentApi, RefundApi, SandboxApi, StepsApi, webhooks};
use crate::config::Config;
use crate::domain::gateway::Task;
use crate::ops::batch::{PaymentBatch, TASKS};
use crate::ops::cashier::Cashier;
use crate::ops::intake::Intake;
use crate::ops::observer::Observer;
use crate::ops::reads::Reads;
use crate::ops::resend::Resend;
use crate::ops::sharing::Sharing;
use crate::ops::waiters::Waiters;
use crate::ops::worker::Worker;
use crate::ports::Peers;
use crate::ports::sandbox::{self, Sandbox};
use crate::store::MIGRATIONS;
use crate::store::audit::BOOKS;

const SERVICE: &str = "payment";

/// How long gateway calls in flight may take to end. One that is cut off is taken up after the next
/// start, as after a crash.
const CALLS_END_MAX: Duration = Duration::from_secs(3);

/// What the process was started for: serving, or bringing the schemas up to date.
pub async fn run(process: Process<Config>) -> anyhow::Result<()> {
    let Process { command, config, shutdown } = process;
    match command {
        Command::Migrate => {
            Database::migrate_only(SERVICE, MIGRATIONS, &config.database).await?;
            Database::migrate_only(sandbox::NAME, sandbox::MIGRATIONS, &config.gateway.sandbox).await?;
            Ok(())
        }
        Command::Serve => {
            let order = client::connect_peer(&config.peers.order, &config.client, &config.internal)?;
            App::bind(config).await?.run(Peers { order }, shutdown).await
        }
    }
}

/// Entry point: [`App::bind`].
#[derive(Debug)]
pub struct App;

/// The service with its databases open and its ports taken. Its in-process channels answer already;
/// gateways are called once it runs.
pub struct Bound {
    /// Tells the addresses, and answers in this process without a socket.
    pub server: server::Bound,
    databases: [Database; 2],
    writer: Writer<PaymentBatch>,
    worker: Worker,
    tasks: mpsc::Receiver<(Tenant, Task)>,
    relay: Arc<OnceLock<Relay>>,
    intake: Intake,
    webhooks: Option<(TcpListener, Limits)>,
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        config.gateway.check()?;
        let database = Database::ready(SERVICE, MIGRATIONS, &config.database).await?;
        let gateway_database =
            Database::ready(sandbox::NAME, sandbox::MIGRATIONS, &config.gateway.sandbox).await?;
        let clock = Clock::System;
        let sandbox = Sandbox::start(gateway_database.clone(), clock.clone(), config.gateway.delays());
        let gateways = config.gateway.gateways(&sandbox)?;

        let ids = Ids::random(clock.clone());
        let waiters = Waiters::default();
        let relay = Arc::new(OnceLock::new());
        let (sender, tasks) = mpsc::channel(TASKS);
        let batch = PaymentBatch {
            ids: ids.clone(),
            clock: clock.clone(),
            timing: config.gateway.timing(),
            gateways: gateways.clone(),
            waiters: waiters.clone(),
            tasks: sender,
            relay: Arc::clone(&relay),
        };
        let writer = Writer::start(database.clone(), Arc::new(batch));
        let patience = Duration::from_millis(config.gateway.step_wait_ms);
        let cashier = Cashier { writer: writer.clone(), waiters, patience };
        let worker = Worker {
            database: database.clone(),
            gateway: gateways,
            writer: writer.clone(),
            patience: config.gateway.patience(),
            resend: Resend::new(clock.clone()),
        };
        let intake = intake(&config, &worker, clock, ids);
        let webhooks = match config.webhooks.listen {
            Some(address) => Some((TcpListener::bind(address).await?, config.limits.clone())),
            None => None,
        };
        let seal = Seal::new(&database.sealing_key().await?);
        let server = serve(&config, &database, (&cashier, &intake, sandbox), &seal).await?;
        let databases = [database, gateway_database];
        Ok(Bound { server, databases, writer, worker, tasks, relay, intake, webhooks })
    }
}

fn intake(config: &Config, worker: &Worker, clock: Clock, ids: Ids) -> Intake {
    let observer = Observer {
        database: worker.database.clone(),
        gateway: worker.gateway.clone(),
        writer: worker.writer.clone(),
        patience: worker.patience.call,
    };
    Intake {
        database: worker.database.clone(),
        gateway: worker.gateway.clone(),
        observer,
        clock,
        ids,
        patience: config.gateway.intake_patience(),
        bell: Arc::default(),
    }
}

async fn serve(
    config: &Config,
    database: &Database,
    (cashier, intake, sandbox): (&Cashier, &Intake, Sandbox),
    seal: &Seal,
) -> anyhow::Result<server::Bound> {
    let limit = server::REQUEST_BYTES_MAX;
    let (observer, minting) = (intake.observer.clone(), (intake.clock.clone(), intake.ids.clone()));
    let played = SandboxApi::new(config.gateway.has_sandbox().then(|| sandbox.clone()));
    let reads = Reads::new(database.clone());
    let sharing = Sharing {
        database: database.clone(),
        gateways: observer.gateway.clone(),
        patience: observer.patience,
    };
    let payments =
        PaymentApi::new((reads.clone(), sharing), cashier.clone(), observer, minting, seal.clone());
    let refunds = RefundApi::new(reads.clone(), cashier.clone(), seal.clone());
    let others = intake.gateway.beside_the_sandbox();
    let audit = AuditApi::new(Books::new(database.clone(), &BOOKS), sandbox, others, seal.clone());
    let public = Routes::new()
        .add_service(PaymentServiceServer::new(payments).max_decoding_message_size(limit))
        .add_service(RefundServiceServer::new(refunds).max_decoding_message_size(limit))
        .add_service(SandboxServiceServer::new(played).max_decoding_message_size(limit))
        .add_service(AuditServiceServer::new(audit).max_decoding_message_size(limit));
    let internal = Routes::new().request_bytes_max(StepsApi::REQUEST_BYTES_MAX).add_service(
        RefundStepsServiceServer::new(StepsApi::new(cashier.clone(), reads))
            .max_decoding_message_size(StepsApi::REQUEST_BYTES_MAX),
    );
    let roles = Roles::kept(&config.auth, database).await?;
    let internal = internal.add_service(
        EventIntakeServiceServer::new(RolesIntake(roles.clone())).max_decoding_message_size(limit),
    );
    let server = Server::builder(SERVICE)
        .public(config.listen.public, public)
        .internal(config.listen.internal, internal)
        .auth(&config.auth)
        .roles(roles)
        .tls(&config.tls)
        .workloads(&config.internal)
        .limits(&config.limits)
        .health(config.listen.health)
        .reflection(&config.reflection)
        .bind()
        .await?;
    Ok(server)
}

impl Bound {
    /// Where gateways deliver their webhooks, if they do.
    pub fn webhooks_address(&self) -> Option<SocketAddr> {
        self.webhooks.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves until `shutdown` fires; then calls in flight end, and what is committed and not sent is
    /// left to the next start.
    pub async fn run(self, peers: Peers, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { server, databases, writer, worker, tasks, relay, intake, webhooks } = self;
        let stop = CancellationToken::new();
        let courier = Relay::start(databases[0].clone(), events::target(peers.order), SERVICE, stop.clone());
        relay.set(courier).map_err(|_| anyhow::anyhow!("the service runs once"))?;
        let mut working = tokio::spawn(worker.run(tasks, stop.clone()));

        let hearing = webhooks.map(|(listener, limits)| {
            tokio::spawn(webhooks::serve(listener, intake.clone(), limits, stop.clone()))
        });
        let mut reading = tokio::spawn(intake.run(stop.clone()));

        let served = server.run(shutdown).await;
        stop.cancel();
        if let Some(mut hearing) = hearing
            && tokio::time::timeout(CALLS_END_MAX, &mut hearing).await.is_err()
        {
            // A gateway that was not answered sends again.
            hearing.abort();
        }
        if tokio::time::timeout(CALLS_END_MAX, &mut reading).await.is_err() {
            tracing::warn!("webhooks that were received wait for the next start");
            reading.abort();
        }
        if tokio::time::timeout(CALLS_END_MAX, &mut working).await.is_err() {
            tracing::warn!("gateway calls in flight were cut off");
            working.abort();
        }
        writer.drain().await;
        for database in databases {
            database.close().await;
        }
        served.map_err(anyhow::Error::from)
    }
}
