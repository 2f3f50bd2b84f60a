//! The service put together: opens its database, binds its listeners, runs its sagas and its relay, and drains.

use std::sync::Arc;

use anyhow::Context as _;
use kit::process::{Command, Process};
use kit::server::{self, Server};
use kit::{Roles, Seal, client, events};
use saga::{Doorbell, Limits, Registry, Runner, RunnerConfig};
use storage::{Courier, Database, Relay};
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, SagaId};

use crate::batches::Batches;
use crate::config::Config;
use crate::feed::broker::Broker;
use crate::feed::{self, Publisher};
use crate::ops::{self, Books, Connected, Orders, Parts};
use crate::ports::{Forecasts, Goods, Outsiders, Peers, Ports, Refunds};
use crate::reports::Reports;
use crate::rules::Rules;
use crate::{api, batches, reports, rules, sagas, store};

const SERVICE: &str = "order";

/// What the process was started for: serving, or bringing the schema up to date.
pub async fn run(process: Process<Config>) -> anyhow::Result<()> {
    let Process { command, config, shutdown } = process;
    match command {
        Command::Migrate => Ok(Database::migrate_only(SERVICE, store::MIGRATIONS, &config.database).await?),
        Command::Serve => {
            let peers = connect(&config)?;
            App::bind(config).await?.run(peers, shutdown).await
        }
    }
}

/// Channels to the peers that the configuration names. Nothing is sent before the first call, so they may start later.
fn connect(config: &Config) -> anyhow::Result<Peers> {
    let to = |url: &str| client::connect_peer(url, &config.client, &config.internal);
    Ok(Peers {
        inventory: to(&config.peers.inventory)?,
        payment: to(&config.peers.payment)?,
        notification: to(&config.peers.notification)?,
    })
}

/// Entry point: [`App::bind`].
#[derive(Debug)]
pub struct App;

/// The service with its database open and its ports taken. Its in-process channels answer already; sagas and events
/// wait for [`Bound::run`].
pub struct Bound {
    /// Tells the addresses, and answers in this process without a socket.
    pub server: server::Bound,
    database: Database,
    orders: Orders,
    batches: Batches,
    rules: Rules,
    registry: Arc<Registry<Ports, Books>>,
    runner: RunnerConfig,
    bell: Doorbell,
    /// None when events are not published.
    broker: Option<Broker>,
}

impl App {
    pub async fn bind(config: Config) -> anyhow::Result<Bound> {
        let broker = Broker::new(&config.nats)?;
        let database = Database::ready(SERVICE, store::MIGRATIONS, &config.database).await?;
        let seal = Seal::new(&database.sealing_key().await?);
        let clock = Clock::System;
        let ids = Ids::random(clock.clone());
        let worker: SagaId = ids.mint();
        let instance = &config.saga.instance;
        let runner = config.saga.runner(saga::of_instance(instance, &format!("{SERVICE}-{worker}")));
        let freed = saga::free_former(&database, instance).await?;
        if freed > 0 {
            tracing::info!(freed, "sagas of this process's former life go on");
        }
        let roles = Roles::kept(&config.auth, &database).await?;
        let bell = Doorbell::new(&runner);
        let registry = sagas::registry(Limits::default());
        let orders = Orders::start(Parts {
            database: database.clone(),
            registry: Arc::clone(&registry),
            clock,
            ids,
            quote_key: config.quote.key(&seal)?,
            seal,
            roles: roles.clone(),
            lease: runner.grant(),
            bell: bell.clone(),
        });

        let books = kit::books::Books::new(database.clone(), &store::audit::BOOKS);
        let batches = Batches::new(orders.clone());
        let tenants_rules = Rules::new(orders.clone());
        let public = batches::routes(api::public(&orders, books), &batches);
        let public = rules::routes(public, &tenants_rules);
        let public = reports::routes(public, &Reports::new(orders.clone()));
        let public = feed::routes(public, &orders);
        let server = Server::builder(SERVICE)
            .public(config.listen.public, public)
            .internal(config.listen.internal, api::internal(&orders))
            .auth(&config.auth)
            .roles(roles)
            .knows_parties()
            .tls(&config.tls)
            .workloads(&config.internal)
            .limits(&config.limits)
            .health(config.listen.health)
            .reflection(&config.reflection)
            .bind()
            .await?;
        Ok(Bound { server, database, orders, batches, rules: tenants_rules, registry, runner, bell, broker })
    }
}

impl Bound {
    /// Serves until `shutdown` fires; then calls in flight end, sagas are left where they stand for another worker, and
    /// what is queued is committed.
    pub async fn run(self, peers: Peers, shutdown: CancellationToken) -> anyhow::Result<()> {
        let stop = CancellationToken::new();
        let relay = Relay::run(
            Courier::new(self.database.clone(), SERVICE).on_claim(ops::number_claimed),
            events::target_and(
                peers.notification,
                kit::roles::AGGREGATE,
                vec![peers.inventory.clone(), peers.payment.clone()],
            ),
            stop.clone(),
        );
        let rules = self.rules.clone();
        let connected = Connected {
            forecasts: Forecasts::new(peers.payment.clone(), peers.inventory.clone()),
            outsiders: Outsiders::new(peers.inventory.clone()),
            told_by_rules: Box::new(move |tenant| {
                let rules = rules.clone();
                Box::pin(async move { rules.told_by_rules(&tenant).await })
            }),
        };
        self.orders.connect(connected, relay);

        let ports = Ports { goods: Goods::start(peers.inventory), refunds: Refunds::start(peers.payment) };
        let owner = Arc::new(self.orders.saga_owner());
        let runner =
            Runner::start(owner, Arc::new(ports), self.registry, self.runner, self.bell, stop.clone());

        let stream = self.broker.as_ref().map(|broker| broker.stream().to_owned());
        tokio::spawn(self.orders.clone().watch_queue(stop.clone()));
        tokio::spawn(feed::watch_publication(self.orders.clone(), stream, stop.clone()));
        let publisher = self.broker.map(|broker| Publisher::new(self.orders.clone(), broker));
        let publishing = publisher.map(|publisher| tokio::spawn(publisher.run(stop.clone())));
        let rules = tokio::spawn(self.rules.work_rules(stop.clone()));
        let batches = tokio::spawn(self.batches.work_batches(stop.clone()));

        let unpaid = tokio::spawn(self.orders.clone().expire_unpaid(stop.clone()));
        let returns = tokio::spawn(self.orders.clone().expire_returns(stop.clone()));
        let proposals = tokio::spawn(self.orders.clone().expire_proposals(stop.clone()));

        let served = self.server.run(shutdown).await;
        stop.cancel();
        runner.stopped().await;
        rules.await.context("the worker of rules")?;
        batches.await.context("the worker of batches")?;
        unpaid.await.context("the clock of unpaid orders")?;
        returns.await.context("the clock of returns")?;
        proposals.await.context("the clock of proposals")?;
        if let Some(publishing) = publishing {
            publishing.await.context("the publisher")?;
        }
        self.orders.drain().await;
        self.database.close().await;
        served.context("serving")
    }
}
