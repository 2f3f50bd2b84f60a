//! The service against real databases and over the wire.

mod config;
mod courier;
mod dispatch;
mod events;
mod intake;
mod schema;
mod wire;
