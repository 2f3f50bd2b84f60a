//! The only room that reaches outside: the log channel, and what carries deliveries.

pub mod cloud_event;
pub mod log;
pub mod mail;
pub mod webhook;

use std::future::Future;

use types::Tenant;

use crate::domain::{Delivery, Outcome, Outlet};

/// Carries deliveries of one channel out of the house, each by one try.
pub trait Carrier: Send + Sync + 'static {
    const OUTLET: Outlet;

    /// Makes one try. It ends on its own within a minute, so that a claim outlives it.
    fn carry(&self, tenant: &Tenant, delivery: &Delivery) -> impl Future<Output = Outcome> + Send;
}

/// The internal listeners that this service calls.
pub struct Peers {
    pub order: kit::client::Channel,
}
