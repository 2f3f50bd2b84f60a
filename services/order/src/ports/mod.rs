//! The only room that calls other services. It knows messages and channels, and decides nothing: an answer that
//! is not clearly one stays unknown.

mod forecasts;
mod goods;
mod outsiders;
mod refunds;
mod result;

use kit::client::Channel;

pub use forecasts::Forecasts;
pub use goods::Goods;
pub use outsiders::Outsiders;
pub use refunds::Refunds;

/// What the steps of sagas may call, and nothing more.
pub struct Ports {
    pub goods: Goods,
    pub refunds: Refunds,
}

/// Channels to the internal listeners of the services that this one calls.
#[derive(Clone)]
pub struct Peers {
    pub inventory: Channel,
    pub payment: Channel,
    pub notification: Channel,
}
