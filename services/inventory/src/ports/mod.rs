//! The only calls out: carriers, fulfilment partners, and events about goods to the order service.

pub mod carrier;
pub mod connector;
pub mod sandbox;

use kit::client::Channel;

/// Channels to the internal listeners of the services that this one calls.
#[derive(Clone)]
pub struct Peers {
    /// Takes the events about goods.
    pub order: Channel,
}
