//! [`Workloads`]: which of our own services calls, and whether it may.
//!
//! A name that was proven by a certificate decides. Where there are no certificates, a secret that all services of the
//! suite hold does; a listener that knows neither answers nobody.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;
use types::Reason;

use super::ServerError;
use crate::config::{Internal, Peer, Secret, Tls};
use crate::failure::Failure;
use crate::principal::unauthenticated;

/// Carries the secret from a service to its peer.
pub(crate) const SECRET_HEADER: HeaderName = HeaderName::from_static("x-countermand-internal-secret");

#[derive(Clone)]
pub(super) enum Workloads {
    Certified(Arc<[Peer]>),
    Sharing(Secret),
    Unknown,
}

impl Workloads {
    /// Who is known by a configuration. `served` are the names of the listener's services.
    pub(super) fn of(internal: &Internal, tls: &Tls, served: &[String]) -> Result<Self, ServerError> {
        if let Some(unserved) = internal.peers.values().flat_map(|peer| &peer.may_call).find(|may_call| {
            let service = may_call.split_once('/').map_or(may_call.as_str(), |(service, _)| service);
            !served.iter().any(|name| name == service)
        }) {
            return Err(ServerError::UnservedByPeer { service: unserved.clone() });
        }
        let callable = |service: &String| {
            let mut rights = internal.peers.values().flat_map(|peer| &peer.may_call);
            rights.any(|may_call| may_call.split('/').next() == Some(service))
        };
        if let Some(uncalled) = served.iter().find(|service| !internal.peers.is_empty() && !callable(service))
        {
            return Err(ServerError::UncalledByPeers { service: uncalled.clone() });
        }
        let certified = tls.internal.as_ref().is_some_and(|identity| identity.client_ca.is_some());
        if certified {
            let named: Vec<Peer> =
                internal.peers.values().filter(|peer| !peer.names.is_empty()).cloned().collect();
            return if named.is_empty() {
                Err(ServerError::NoPeers)
            } else {
                Ok(Self::Certified(named.into()))
            };
        }
        Ok(internal.shared_secret()?.map_or(Self::Unknown, Self::Sharing))
    }

    /// Lets a call to `path` in. `names` are those of the certificate the caller has proven.
    pub(super) fn admit(&self, path: &str, headers: &mut HeaderMap, names: &[String]) -> Result<(), Failure> {
        // Taken out even where it is not asked for: a handler, or what it logs, has no use for it.
        let told = headers.remove(&SECRET_HEADER);
        match self {
            Self::Certified(peers) => {
                let known = peers.iter().filter(|peer| peer.names.iter().any(|name| names.contains(name)));
                let mut known = known.peekable();
                if known.peek().is_none() {
                    return Err(unauthenticated());
                }
                if known.any(|peer| peer.may_call.iter().any(|may_call| covers(may_call, path))) {
                    Ok(())
                } else {
                    Err(Failure::new(Reason::PermissionDenied, "this service may not call that"))
                }
            }
            Self::Sharing(secret) => {
                let told = told.as_ref().map_or(&[][..], HeaderValue::as_bytes);
                if bool::from(told.ct_eq(secret.expose().as_bytes())) {
                    Ok(())
                } else {
                    Err(unauthenticated())
                }
            }
            Self::Unknown => Err(unauthenticated()),
        }
    }
}

/// Whether a right of a peer, which is a service or one of its methods, covers a path.
fn covers(may_call: &str, path: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(may_call))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_covers_a_service_or_one_method_and_nothing_that_is_called_alike() {
        assert!(covers("a.v1.Intake", "/a.v1.Intake/Deliver"));
        assert!(covers("a.v1.Intake/Deliver", "/a.v1.Intake/Deliver"));
        assert!(!covers("a.v1.Intake", "/a.v1.IntakeOther/Deliver"));
        assert!(!covers("a.v1.Intake/Deliver", "/a.v1.Intake/DeliverAll"));
        assert!(!covers("a.v1.Intake", "a.v1.Intake/Deliver"));
    }
}
