//! The four services of one suite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::clients::Clients;
use crate::engine::Engine;
use crate::ports::free_port;
use crate::process::Process;

/// How long a service may take to answer its health check after it was started.
const START_MAX: Duration = Duration::from_secs(30);

/// A killed worker's sagas are taken over after this.
const LEASE_MS: &str = "5000";

/// What the services of a suite share; its own label makes it the suite's own.
const SECRET_BEGIN: &str = "the-secret-of-the-services-of";

/// The gateway's lost answers are asked after in seconds instead of minutes.
const GATEWAY_TIMES: [(&str, &str); 6] = [
    ("COUNTERMAND_GATEWAY__CALL_TIMEOUT_MS", "1000"),
    ("COUNTERMAND_GATEWAY__CLAIM_MS", "2000"),
    ("COUNTERMAND_GATEWAY__UNKNOWN_MS", "[500, 1000, 2000]"),
    ("COUNTERMAND_GATEWAY__PENDING_MS", "[500, 1000, 2000]"),
    ("COUNTERMAND_GATEWAY__LATE_MS", "300"),
    ("COUNTERMAND_GATEWAY__FAIL_AFTER_MS", "300"),
];

/// Carriers and partners are asked again in milliseconds instead of seconds, and their key is in a template.
const OUTSIDE_TIMES: [(&str, &str); 9] = [
    ("COUNTERMAND_OUTSIDE__POLL_MS", "100"),
    ("COUNTERMAND_OUTSIDE__CALL_MS", "2000"),
    ("COUNTERMAND_OUTSIDE__SANDBOX_LATE_MS", "300"),
    ("COUNTERMAND_OUTSIDE__SECRETS__PARTNER_KEY__VALUE", "s3cret"),
    ("COUNTERMAND_OUTSIDE__SECRETS__PARTNER_KEY__TENANTS", "[\"*\"]"),
    ("COUNTERMAND_OUTSIDE__SECRETS__PARTNER_KEY__HOSTS", "[\"127.0.0.1:*\"]"),
    ("COUNTERMAND_OUTSIDE__SECRETS__FOREIGN_KEY__VALUE", "0ther"),
    ("COUNTERMAND_OUTSIDE__SECRETS__FOREIGN_KEY__TENANTS", "[\"elsewhere\"]"),
    ("COUNTERMAND_OUTSIDE__SECRETS__FOREIGN_KEY__HOSTS", "[\"127.0.0.1:*\"]"),
];

/// Receivers of webhooks and programs of partners are on this machine, and nowhere else inside.
const INSIDE: &str = "[\"127.0.0.1:*\"]";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Order,
    Inventory,
    Payment,
    Notification,
}

impl Service {
    pub const ALL: [Self; 4] = [Self::Order, Self::Inventory, Self::Payment, Self::Notification];

    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Notification => "notification",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    public: u16,
    internal: u16,
}

/// Variables of a suite's services beside those the harness sets.
pub type Extra<'a> = &'a [(&'a str, String)];

/// Four processes, four databases. Dropping it kills the processes and deletes the SQLite files.
pub struct Suite {
    engine: Engine,
    directory: tempfile::TempDir,
    ports: BTreeMap<Service, Ports>,
    environment: BTreeMap<Service, Vec<(String, String)>>,
    processes: Mutex<BTreeMap<Service, Process>>,
    replicas: Mutex<Vec<Process>>,
}

impl Suite {
    /// Starts everything and waits until all four answer their health check.
    pub async fn start(engine: Engine, extra: Extra<'_>) -> Result<Self> {
        let directory = tempfile::tempdir().context("making a directory for the suite")?;
        let ports = free_ports()?;
        let mut suite = Self {
            engine,
            directory,
            ports,
            environment: BTreeMap::new(),
            processes: Mutex::new(BTreeMap::new()),
            replicas: Mutex::default(),
        };
        let label = label();
        for service in Service::ALL {
            let mut environment = suite.configure(service, &label)?;
            let extra = extra.iter().filter(|(name, _)| concerns(name, service));
            environment.extend(extra.map(|(name, value)| ((*name).to_owned(), value.clone())));
            suite.environment.insert(service, environment);
        }
        for service in Service::ALL {
            suite.launch(service)?;
        }
        for service in Service::ALL {
            suite.wait_until_serving(service).await?;
        }
        Ok(suite)
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    pub fn clients(&self) -> Clients {
        Clients::connect(|service| self.public_url(service))
    }

    pub fn public_url(&self, service: Service) -> String {
        format!("http://{}", self.public_address(service))
    }

    /// `host:port`, as grpcurl wants it.
    pub fn public_address(&self, service: Service) -> String {
        format!("127.0.0.1:{}", self.ports[&service].public)
    }

    pub fn internal_url(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.ports[&service].internal)
    }

    /// The arguments that point the `countermand` command at this suite.
    pub fn address_arguments(&self) -> Vec<String> {
        Service::ALL
            .into_iter()
            .flat_map(|service| [format!("--{}-url", service.name()), self.public_url(service)])
            .collect()
    }

    pub fn database_url(&self, service: Service) -> Result<&str> {
        let mut variables = self.environment[&service].iter();
        let url = variables.find(|(name, _)| name == "COUNTERMAND_DATABASE__URL");
        url.map(|(_, url)| url.as_str()).context("every service has a database")
    }

    pub fn process_id(&self, service: Service) -> u32 {
        self.processes.lock().expect("no test panics with it")[&service].id()
    }

    /// kill -9.
    pub fn kill(&self, service: Service) -> Result<()> {
        let process = self.processes.lock().expect("no test panics with it").remove(&service);
        process.context("the service is not running")?.kill()
    }

    /// SIGTERM; the service must drain and end with success.
    pub fn terminate(&self, service: Service) -> Result<()> {
        let process = self.processes.lock().expect("no test panics with it").remove(&service);
        process.context("the service is not running")?.terminate()
    }

    /// Starts a service again, on the same ports and the same database.
    pub async fn restart(&self, service: Service) -> Result<()> {
        self.launch(service)?;
        self.wait_until_serving(service).await
    }

    /// A second order service on the same database, and clients that speak to it. The other services tell their events to
    /// the first one only.
    pub async fn another_order_service(&self) -> Result<Clients> {
        let ports = free_ports()?[&Service::Order];
        let address = |port: u16| format!("127.0.0.1:{port}");
        let mut environment = self.environment[&Service::Order].clone();
        for (name, value) in &mut environment {
            match name.as_str() {
                "COUNTERMAND_LISTEN__PUBLIC" => *value = address(ports.public),
                "COUNTERMAND_LISTEN__INTERNAL" => *value = address(ports.internal),
                _ => {}
            }
        }
        let log = self.directory.path().join("order-2.log");
        let process = Process::start(Service::Order.name(), &environment, &log)?;
        self.replicas.lock().expect("no test panics with it").push(process);
        let url = format!("http://{}", address(ports.public));
        let started = Instant::now();
        while !crate::clients::is_serving(&url).await {
            if started.elapsed() > START_MAX {
                bail!("the second order service does not serve");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Clients::connect(|service| match service {
            Service::Order => url.clone(),
            Service::Inventory | Service::Payment | Service::Notification => self.public_url(service),
        }))
    }

    fn launch(&self, service: Service) -> Result<()> {
        let process = Process::start(service.name(), &self.environment[&service], &self.log(service))?;
        self.processes.lock().expect("no test panics with it").insert(service, process);
        Ok(())
    }

    /// What a service prints.
    pub fn log(&self, service: Service) -> PathBuf {
        self.directory.path().join(format!("{}.log", service.name()))
    }

    async fn wait_until_serving(&self, service: Service) -> Result<()> {
        let started = Instant::now();
        loop {
            self.processes
                .lock()
                .expect("no test panics with it")
                .get_mut(&service)
                .context("the service is not running")?
                .assert_running()
                .with_context(|| self.last_words(service))?;
            if crate::clients::is_serving(&self.public_url(service)).await {
                return Ok(());
            }
            if started.elapsed() > START_MAX {
                bail!("{} does not serve\n{}", service.name(), self.last_words(service));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn last_words(&self, service: Service) -> String {
        let log = std::fs::read_to_string(self.log(service)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn configure(&self, service: Service, label: &str) -> Result<Vec<(String, String)>> {
        let ports = self.ports[&service];
        let directory: &Path = self.directory.path();
        let mut variables = vec![
            ("COUNTERMAND_LISTEN__PUBLIC".to_owned(), format!("127.0.0.1:{}", ports.public)),
            ("COUNTERMAND_LISTEN__INTERNAL".to_owned(), format!("127.0.0.1:{}", ports.internal)),
            ("COUNTERMAND_INTERNAL__SECRET".to_owned(), format!("{SECRET_BEGIN}-{label}")),
            ("COUNTERMAND_AUTH__DEVELOPMENT_HEADERS".to_owned(), "true".to_owned()),
            ("COUNTERMAND_REFLECTION__ENABLED".to_owned(), "true".to_owned()),
            ("COUNTERMAND_DATABASE__URL".to_owned(), self.engine.url(directory, label, service.name())?),
            ("COUNTERMAND_DATABASE__MIGRATE_ON_START".to_owned(), "true".to_owned()),
            ("COUNTERMAND_TELEMETRY__LOG_FILTER".to_owned(), "info".to_owned()),
        ];
        for peer in Self::peers(service) {
            let name = format!("COUNTERMAND_PEERS__{}", peer.name().to_uppercase());
            variables.push((name, self.internal_url(*peer)));
        }
        if service == Service::Order {
            variables.push(("COUNTERMAND_SAGA__LEASE_MS".to_owned(), LEASE_MS.to_owned()));
        }
        if service == Service::Inventory {
            variables.extend(OUTSIDE_TIMES.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if service == Service::Notification {
            let mail = directory.join("mail").display().to_string();
            variables.push(("COUNTERMAND_MAIL__MODE".to_owned(), "file".to_owned()));
            variables.push(("COUNTERMAND_MAIL__DIRECTORY".to_owned(), mail));
        }
        if matches!(service, Service::Inventory | Service::Notification) {
            variables.push(("COUNTERMAND_OUTBOUND__INSIDE".to_owned(), INSIDE.to_owned()));
        }
        if service == Service::Payment {
            let sandbox = self.engine.url(directory, label, "gateway")?;
            variables.push(("COUNTERMAND_GATEWAY__SANDBOX__URL".to_owned(), sandbox));
            variables.push(("COUNTERMAND_GATEWAY__SANDBOX__MIGRATE_ON_START".to_owned(), "true".to_owned()));
            variables.extend(GATEWAY_TIMES.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Ok(variables)
    }

    /// Whom a service calls.
    pub fn peers(service: Service) -> &'static [Service] {
        match service {
            Service::Order => &[Service::Inventory, Service::Payment, Service::Notification],
            Service::Inventory | Service::Payment | Service::Notification => &[Service::Order],
        }
    }
}

/// A service refuses a variable that it does not read.
fn concerns(variable: &str, service: Service) -> bool {
    let owners = [
        ("COUNTERMAND_MAIL__", Service::Notification),
        ("COUNTERMAND_GATEWAY__", Service::Payment),
        ("COUNTERMAND_WEBHOOKS__", Service::Payment),
        ("COUNTERMAND_NATS__", Service::Order),
    ];
    owners.iter().all(|(prefix, owner)| service == *owner || !variable.starts_with(prefix))
}

/// Distinguishes the databases of suites on one server.
fn label() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("suite_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn free_ports() -> Result<BTreeMap<Service, Ports>> {
    Service::ALL
        .into_iter()
        .map(|service| Ok((service, Ports { public: free_port()?, internal: free_port()? })))
        .collect()
}
