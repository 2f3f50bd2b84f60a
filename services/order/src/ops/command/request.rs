//! Who asks, under which name, and what follows the commit.

use saga::SagaImage;
use storage::RequestKey;
use types::{Fingerprint, Reach, Tenant};

use crate::domain::order::Actor;

/// Who asks, and under which request key: a request that comes again does nothing twice.
pub struct Asked {
    pub tenant: Tenant,
    pub actor: Actor,
    /// Which orders the caller may see, by the role map.
    pub reach: Reach,
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub traceparent: Option<String>,
}

/// What follows the commit of a command.
#[derive(Default)]
pub struct After {
    pub start: Option<SagaImage>,
    pub due: bool,
}
