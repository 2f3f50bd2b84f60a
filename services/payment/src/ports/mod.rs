//! The only calls out of the service: to gateways, and to the order service with events.

pub mod gateway;
pub mod order;
pub mod sandbox;
