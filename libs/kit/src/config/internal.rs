//! Who may call the internal listener, and how this service proves who it is to the others.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret_file;

/// A secret of fewer characters could be guessed.
const SECRET_LENGTH_MIN: usize = 32;

/// The services of one suite know each other by their certificates (`tls.internal.client_ca` and `peers`). Where there
/// are none, on one machine or in a network of their own, a secret that all of them hold stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Internal {
    /// Sent with every call to a peer, and asked of every caller that shows no certificate. At least 32 characters.
    pub secret: Secret,
    /// A file that holds the secret, instead of `secret`.
    pub secret_file: Option<PathBuf>,
    /// The services that call this one, by a name of your own.
    pub peers: BTreeMap<String, Peer>,
}

/// One caller, known by the names in its certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Peer {
    /// The DNS names and URIs, as its certificate says them ("spiffe://shop/order"). One of them is enough.
    pub names: Vec<String>,
    /// Services ("countermand.events.v1.EventIntakeService") and single methods ("…/DeliverEvents").
    pub may_call: Vec<String>,
}

impl Internal {
    /// The peers that call a service by default; whoever deploys it says under which names they come.
    pub fn called_by(peers: &[(&str, &[&str])]) -> Self {
        let peer = |services: &[&str]| Peer {
            names: Vec::new(),
            may_call: services.iter().map(|service| (*service).to_owned()).collect(),
        };
        let peers = peers.iter().map(|(name, services)| ((*name).to_owned(), peer(services))).collect();
        Self { peers, ..Self::default() }
    }

    /// The same peers, and a secret.
    #[must_use]
    pub fn with_secret(self, secret: &Secret) -> Self {
        Self { secret: secret.clone(), ..self }
    }

    /// The secret, if there is one.
    pub(crate) fn shared_secret(&self) -> Result<Option<Secret>, SecretError> {
        let secret = match &self.secret_file {
            None => self.secret.clone(),
            Some(path) => secret_file::read_text(path)
                .map(|text| Secret(text.trim_end().to_owned()))
                .map_err(|source| SecretError::File { path: path.clone(), source })?,
        };
        if secret.0.is_empty() {
            return Ok(None);
        }
        let fits =
            secret.0.len() >= SECRET_LENGTH_MIN && secret.0.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Some(secret)) } else { Err(SecretError::Weak) }
    }
}

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("reading the secret of the internal listeners from {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("internal.secret must be at least {SECRET_LENGTH_MIN} visible ASCII characters without spaces")]
    Weak,
}

/// A value that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
