//! All four services in this process, each on its own database, meeting through their gates without sockets.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use kit::config::{Auth, Listen, Reflection, Secret};
use kit::outbound::Outbound;
use storage::DatabaseConfig;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clients::{Addresses, Clients};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage of the embedded suite")]
pub struct Storage {
    /// Directory of the SQLite files.
    #[arg(long, env = "COUNTERMAND_DATA_DIR", default_value = "countermand-data")]
    pub data_dir: PathBuf,
    /// Use PostgreSQL instead: a server url without a database, such as postgres://user@host:5432; each service gets its
    /// own database (countermand_order, …), created when missing.
    #[arg(long, env = "COUNTERMAND_DATABASE_URL")]
    pub database_url: Option<String>,
}

impl Storage {
    fn database(&self, name: &str) -> DatabaseConfig {
        match &self.database_url {
            None => {
                DatabaseConfig::at(format!("sqlite:{}", self.data_dir.join(format!("{name}.db")).display()))
            }
            Some(server) => DatabaseConfig {
                create_if_missing: true,
                migrate_on_start: true,
                ..DatabaseConfig::at(format!("{}/countermand_{name}", server.trim_end_matches('/')))
            },
        }
    }
}

/// Which ports the embedded suite takes.
#[derive(Debug, Clone)]
pub enum Ports {
    /// Public ones where clients are told to look. Internal ones are free: the services meet without them.
    At(Addresses),
    /// Free ones, for a suite that only this process uses.
    Free,
}

impl Ports {
    fn listen(&self, url: impl Fn(&Addresses) -> &str) -> Result<Listen> {
        let mut listen = Listen::loopback(0, 0);
        if let Self::At(addresses) = self {
            let url = url(addresses);
            let place = url
                .strip_prefix("http://")
                .map(|rest| rest.trim_end_matches('/').replace("localhost", "127.0.0.1"));
            listen.public = place
                .and_then(|place| place.parse().ok())
                .with_context(|| format!("{url} is no address to listen at; http://127.0.0.1:7001 is one"))?;
        }
        Ok(listen)
    }
}

/// A new one for each run.
fn shared_secret() -> Secret {
    let (first, second): (u128, u128) = (rand::random(), rand::random());
    Secret::new(format!("run-{first:032x}{second:032x}"))
}

/// A running suite. Stop it, so that it drains; dropping it cuts it off.
pub struct Embedded {
    pub addresses: Addresses,
    running: JoinSet<Result<()>>,
    shutdown: CancellationToken,
}

/// Where a service can be called.
fn url(server: &kit::server::Bound) -> String {
    format!("http://{}", server.public_addr())
}

impl Embedded {
    /// Opens and migrates the databases, takes the ports, then runs. `shutdown` stops it from outside.
    pub async fn start(storage: &Storage, ports: Ports, shutdown: CancellationToken) -> Result<Self> {
        // The suite is for one machine: it believes the headers that say who calls, and describes itself.
        let (auth, reflection) =
            (Auth { development_headers: true, ..Auth::default() }, Reflection { enabled: true });
        // Its services meet without their internal ports; whoever else finds those needs what nobody was told.
        let secret = shared_secret();
        let order = Box::pin(order::app::App::bind(order::config::Config {
            listen: ports.listen(|at| &at.order)?,
            internal: order::config::Config::default().internal.with_secret(&secret),
            auth: auth.clone(),
            reflection: reflection.clone(),
            database: storage.database("order"),
            ..order::config::Config::default()
        }));
        let inventory = Box::pin(inventory::app::App::bind(inventory::config::Config {
            listen: ports.listen(|at| &at.inventory)?,
            internal: inventory::config::Config::default().internal.with_secret(&secret),
            auth: auth.clone(),
            reflection: reflection.clone(),
            database: storage.database("inventory"),
            // Programs of partners on the same machine may be tried out.
            outbound: Outbound::with_this_machine(),
            ..inventory::config::Config::default()
        }));
        let payment = Box::pin(payment::app::App::bind(payment::config::Config {
            listen: ports.listen(|at| &at.payment)?,
            internal: payment::config::Config::default().internal.with_secret(&secret),
            auth: auth.clone(),
            reflection: reflection.clone(),
            database: storage.database("payment"),
            gateway: payment::config::Gateway {
                sandbox: storage.database("gateway"),
                ..payment::config::Gateway::default()
            },
            ..payment::config::Config::default()
        }));
        let notification = Box::pin(notification::app::App::bind(notification::config::Config {
            listen: ports.listen(|at| &at.notification)?,
            internal: notification::config::Config::default().internal.with_secret(&secret),
            auth,
            reflection,
            database: storage.database("notification"),
            // Mails are files here, to be looked at.
            mail: notification::config::Mail {
                mode: notification::config::MailMode::File,
                directory: storage.data_dir.join("mail"),
                ..notification::config::Mail::default()
            },
            // So may receivers.
            outbound: Outbound::with_this_machine(),
            ..notification::config::Config::default()
        }));
        let order = order.await.context("starting the order service")?;
        let inventory = inventory.await.context("starting the inventory service")?;
        let payment = payment.await.context("starting the payment service")?;
        let notification = notification.await.context("starting the notification service")?;

        let addresses = Addresses {
            order: url(&order.server),
            inventory: url(&inventory.server),
            payment: url(&payment.server),
            notification: url(&notification.server),
        };
        let participants = order::ports::Peers {
            inventory: inventory.server.internal_channel(),
            payment: payment.server.internal_channel(),
            notification: notification.server.internal_channel(),
        };
        let told = order.server.internal_channel();
        let mut running = JoinSet::new();
        running.spawn(order.run(participants, shutdown.clone()));
        running.spawn(inventory.run(inventory::ports::Peers { order: told.clone() }, shutdown.clone()));
        running.spawn(payment.run(payment::ports::Peers { order: told.clone() }, shutdown.clone()));
        running.spawn(notification.run(notification::ports::Peers { order: told }, shutdown.clone()));
        Ok(Self { addresses, running, shutdown })
    }

    pub fn clients(&self) -> Result<Clients> {
        Clients::anonymous(&self.addresses)
    }

    /// Until a service ends, which without a shutdown is a failure.
    pub async fn wait(mut self) -> Result<()> {
        while let Some(ended) = self.running.join_next().await {
            // One that ends takes the others with it: half a suite helps nobody.
            self.shutdown.cancel();
            ended.context("a service panicked")??;
        }
        Ok(())
    }

    /// Drains and ends.
    pub async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        self.wait().await
    }
}
