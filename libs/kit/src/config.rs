//! Configuration: defaults, then one TOML file, then the environment.
//!
//! `COUNTERMAND_<SECTION>__<KEY>` overrides `[section] key`. A key that nothing reads is refused:
//! a misspelt limit must not become the default in silence.

mod internal;
mod limits;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use types::{Grants, Role};

pub use self::internal::{Internal, Peer, Secret, SecretError};
pub use self::limits::{Limits, Network, NoNetwork, Rate, Rates};

/// A day: whoever leaves is out by tomorrow.
const LIFETIME_MAX_S: u64 = 24 * 60 * 60;
const ENVIRONMENT_PREFIX: &str = "COUNTERMAND_";
const FILE_VARIABLE: &str = "COUNTERMAND_CONFIG";

/// What the chassis itself needs to know of a service's configuration.
pub trait ServiceConfig: Serialize + DeserializeOwned + Default {
    fn telemetry(&self) -> &Telemetry;
    fn listen(&self) -> &Listen;
    fn tls(&self) -> &Tls;
}

/// The two addresses of a service. Port 0 takes a free one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// For clients, with their credentials.
    pub public: SocketAddr,
    /// For the other services, which say for which tenant they act.
    pub internal: SocketAddr,
    /// For probes that hold no certificate: health and nothing else, unencrypted.
    pub health: Option<SocketAddr>,
}

impl Listen {
    /// Both listeners on the loopback address.
    pub fn loopback(public_port: u16, internal_port: u16) -> Self {
        Self {
            public: SocketAddr::from(([127, 0, 0, 1], public_port)),
            internal: SocketAddr::from(([127, 0, 0, 1], internal_port)),
            health: None,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::loopback(0, 0)
    }
}

/// Where a caller's identity comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// Believe the `x-countermand-{tenant,user,org,role}` headers. For development only: anybody
    /// can write a header.
    pub development_headers: bool,
    /// Whose tokens are believed; `iss` of every token. Tokens are switched on by issuer, audience and keys together.
    pub issuer: String,
    /// Whom tokens are for; `aud` of every token.
    pub audience: String,
    /// The issuer's keys as a JWK set, each with a `kid` of its own: secrets of at least 32 bytes (HS256), RSA keys of at
    /// least 2,048 bits (RS256), keys of Ed25519 (EdDSA). An `alg` may be left out, because each kind has one here.
    pub keys: String,
    /// A file with the JWK set, instead of `keys`.
    pub keys_file: Option<PathBuf>,
    /// Roles beside the shipped ones, or in their place: which orders each sees, and what it may do. A tenant's own map
    /// (`UpsertRoles`) begins with these; all four services have to be given the same.
    pub roles: BTreeMap<Role, Grants>,
    /// By how many seconds the clocks of issuer and service may differ.
    pub leeway_s: u64,
    /// For how many seconds a token may be valid at most, from its `iat` on, or from now on where it has none.
    pub max_lifetime_s: u64,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            development_headers: false,
            issuer: String::new(),
            audience: String::new(),
            keys: String::new(),
            keys_file: None,
            roles: BTreeMap::new(),
            leeway_s: 0,
            max_lifetime_s: LIFETIME_MAX_S,
        }
    }
}

/// Whether a listener describes itself to whoever reaches it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reflection {
    /// Serve gRPC reflection on both listeners, so that tools find their way without the proto files.
    pub enabled: bool,
}

/// Encryption of the listeners. Without it they serve the loopback address only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    pub public: Option<Identity>,
    /// Set `client_ca` here: the tenant inside a step is believed from a proven workload only.
    pub internal: Option<Identity>,
    /// Serve other addresses unencrypted, because something in front (a mesh, a container network)
    /// does what TLS would.
    pub allow_plaintext: bool,
}

/// A listener's certificate, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// When set, every caller must show a certificate signed by it.
    pub client_ca: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Telemetry {
    /// A collector that takes OTLP over gRPC, such as "http://localhost:4317".
    pub otlp_endpoint: Option<String>,
    pub log_format: LogFormat,
    /// In the syntax of `tracing_subscriber::EnvFilter`, such as "info,storage=debug".
    pub log_filter: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: None, log_format: LogFormat::Json, log_filter: "info".to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Pretty,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("reading the configuration of {service}")]
    Invalid { service: &'static str, source: Box<figment::Error> },
    #[error("the configuration of {service} has no key {}", keys.join(", "))]
    UnknownKeys { service: &'static str, keys: Vec<String> },
    #[error("the configuration file {} of {service} does not exist", path.display())]
    FileMissing { service: &'static str, path: PathBuf },
}

/// Loads the configuration from the file that `COUNTERMAND_CONFIG` names, if it is set, and the
/// environment.
pub fn load<T>(service: &'static str) -> Result<T, ConfigError>
where
    T: Serialize + DeserializeOwned + Default,
{
    load_from(service, None)
}

/// As [`load`], but `file` (the `--config` argument) is taken before `COUNTERMAND_CONFIG`.
pub fn load_from<T>(service: &'static str, file: Option<&Path>) -> Result<T, ConfigError>
where
    T: Serialize + DeserializeOwned + Default,
{
    let named = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut given = Figment::new();
    if let Some(path) = file.map(Path::to_path_buf).or(named) {
        if !path.is_file() {
            return Err(ConfigError::FileMissing { service, path });
        }
        given = given.merge(Toml::file_exact(path));
    }
    // Other variables share the prefix (the file's own name, test switches); sections have "__".
    let environment =
        Env::prefixed(ENVIRONMENT_PREFIX).filter(|name| name.as_str().contains("__")).split("__");
    effective(service, &given.merge(environment))
}

fn effective<T>(service: &'static str, given: &Figment) -> Result<T, ConfigError>
where
    T: Serialize + DeserializeOwned + Default,
{
    let invalid = |source: figment::Error| ConfigError::Invalid { service, source: Box::new(source) };

    let config: T =
        Figment::from(Serialized::defaults(T::default())).merge(given.clone()).extract().map_err(invalid)?;

    // Whatever was given and is not in the configuration that came out was read by nobody.
    let given: Dict = given.extract().map_err(invalid)?;
    let known: Dict = Figment::from(Serialized::defaults(&config)).extract().map_err(invalid)?;
    let mut keys = Vec::new();
    collect_unknown(&given, &known, "", &mut keys);
    if keys.is_empty() { Ok(config) } else { Err(ConfigError::UnknownKeys { service, keys }) }
}

fn collect_unknown(given: &Dict, known: &Dict, path: &str, unknown: &mut Vec<String>) {
    for (key, value) in given {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (value, known.get(key)) {
            (_, None) => unknown.push(path),
            (Value::Dict(_, given), Some(Value::Dict(_, known))) => {
                collect_unknown(given, known, &path, unknown);
            }
            (_, Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests;
