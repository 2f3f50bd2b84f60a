//! Who asks, under which name, and what follows the commit.

use saga::SagaImage;
use storage::RequestKey;
use types::{Fingerprint, Reach, Tenant};

use crate::domain::order::Actor;

/// Who asks for what, and under which name, so that asking again does nothing twice.
pub struct Asked {
    pub tenant: Tenant,
    pub actor: Actor,
    /// Which orders are there for who asks, as far as the role map goes.
    pub reach: Reach,
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub traceparent: Option<String>,
}

/// What a decided command asks to be done after its commit.
#[derive(Default)]
pub struct After {
    pub start: Option<SagaImage>,
    pub due: bool,
}
