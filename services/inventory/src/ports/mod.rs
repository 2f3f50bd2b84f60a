//! The only calls out: carriers, fulfilment partners, events about goods to the order service, and the question whether
//! it has decided.

pub mod carrier;
pub mod connector;
mod decisions;
pub mod sandbox;
pub mod secrets;
pub mod template;

use kit::client::Channel;

pub use decisions::Decisions;

/// Channels to the internal listeners of the services that this one calls.
#[derive(Clone)]
pub struct Peers {
    /// Takes the events about goods, and says what was decided.
    pub order: Channel,
}
