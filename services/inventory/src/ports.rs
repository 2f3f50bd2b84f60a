//! The only call out: events about goods go to the order service.

use kit::client::Channel;

/// Channels to the internal listeners of the services that this one calls.
#[derive(Clone)]
pub struct Peers {
    /// Takes the events about goods.
    pub order: Channel,
}
