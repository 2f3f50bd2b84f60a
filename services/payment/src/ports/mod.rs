//! The only calls out of the service: to gateways, and to the order service with events.

pub mod gateway;
pub mod http;
pub mod sandbox;
pub mod simulator;
pub mod stripe;
pub mod webhook;

use kit::client::Channel;

/// Channels to the internal listeners of the services that this one calls.
#[derive(Clone)]
pub struct Peers {
    pub order: Channel,
}
