//! The service against real databases and over the wire.

mod addressing;
mod config;
mod courier;
mod dispatch;
mod events;
mod intake;
mod mail;
mod receiver;
mod schema;
mod webhooks;
mod wire;
